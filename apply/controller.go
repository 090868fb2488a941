package apply

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"golang.org/x/time/rate"

	"github.com/portcullis-gitops/portcullis/render"
)

// Options of a controller. The zero value writes as fast as it can, eight
// clusters at a time, and knows no Seed.
type Options struct {
	// Rate limits writes to Clusters, in writes a second; 0 does not.
	Rate float64
	// Concurrency is how many clusters are worked on at a time; 0 is 8.
	Concurrency int
	// DryRun writes nothing to Clusters; states and log say what would be.
	DryRun bool
	// SeedResource is the Seed whose ranges KKP adds to every list; empty:
	// none is read.
	SeedResource types.NamespacedName
	// SeedRanges are its ranges as last known, until they have been read.
	SeedRanges render.SeedRanges
	// Where says where a list is kept, for Events: a few words, such as a file
	// of a repository. Nil: the path of the claim.
	Where func(render.Claim) string
	// Balancer is the load balancer of the seed, until SetBalancer says another.
	Balancer Balancer
	// Clock dates states and refusals; nil is the real one.
	Clock clock.PassiveClock
	// Log gets what is written and refused; the zero value is silent.
	Log logr.Logger
}

const defaultConcurrency = 8

// Controller writes and watches the Clusters of one seed. Add makes one.
type Controller struct {
	options Options
	client  client.Client              // reads Clusters and Services from the cache
	synced  func(context.Context) bool // waits for that cache; false if ctx ends first
	clock   clock.PassiveClock
	log     logr.Logger
	limiter *rate.Limiter
	events  record.EventRecorder
	seed    *seedWatch
	// balancer is that of the seed, as the policy has it.
	balancer atomic.Pointer[Balancer]
	said     func(namespace string) []*corev1.Event // by the load balancer there
	// overwritten are lists of ours that are not there any more.
	overwritten *overwritten
	news        mailbox
	outcomes    mailbox

	mu        sync.Mutex
	wanted    map[string]*render.Wanted // of the plan in force
	byHand    render.ByHand             // granted by it
	states    map[string]ClusterState
	lent      bool // states were handed out, and are copied before they change
	memories  map[string]*memory
	restored  map[string]Standing // of an earlier process or plan, by cluster, until looked at
	putRight  map[string]int64    // foreign writes, by field manager
	told      told
	plannedAt time.Time                                      // the moment of that plan
	noticed   []string                                       // notices that were logged
	queue     priorityqueue.PriorityQueue[reconcile.Request] // nil until started
	order     order
}

// Add makes a controller that runs with the manager, on the leader only where
// there is an election. The manager's scheme needs AddToScheme and core/v1,
// its cache CacheOptions.
func Add(mgr manager.Manager, o Options) (*Controller, error) {
	quick, err := newQuickClient(mgr.GetClient(), mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, err
	}
	c := newController(quick, o)
	c.synced = mgr.GetCache().WaitForCacheSync
	for _, step := range []func(manager.Manager) error{c.addEvents, c.addSeed, c.addBalancer, c.addOverwritten, c.addController} {
		if err := step(mgr); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func newController(cl client.Client, o Options) *Controller {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	c := &Controller{
		options: o, client: cl, clock: o.Clock, log: o.Log, limiter: limiter(o.Rate),
		news: newMailbox(), outcomes: newMailbox(),
		states: map[string]ClusterState{}, memories: map[string]*memory{}, restored: map[string]Standing{}, putRight: map[string]int64{}, told: newTold(), order: newOrder(),
		said: func(string) []*corev1.Event { return nil }, overwritten: &overwritten{lists: map[types.UID][]string{}},
	}
	c.balancer.Store(&o.Balancer)
	c.seed = newSeedWatch(o.SeedResource, o.SeedRanges, o.Log, c.seedChanged, c.logNotices)
	return c
}

// limiter lets a quarter of a second's writes through at once.
func limiter(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	return rate.NewLimiter(rate.Limit(perSecond), int(math.Max(1, perSecond/4)))
}

func (c *Controller) addController(mgr manager.Manager) error {
	yes := true
	ctl, err := controller.New("portcullis", mgr, controller.Options{
		Reconciler: c, MaxConcurrentReconciles: c.options.Concurrency,
		UsePriorityQueue: &yes, Logger: c.log,
		SkipNameValidation: &yes, // several managers may run in one process
		RateLimiter:        workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, longestRetry),
	})
	if err != nil {
		return fmt.Errorf("make the cluster controller: %w", err)
	}
	for _, src := range []source.Source{
		source.Kind(mgr.GetCache(), &Cluster{}, c.onCluster()),
		source.Kind(mgr.GetCache(), &corev1.Service{}, c.onService()),
		source.Func(c.start),
	} {
		if err := ctl.Watch(src); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	return nil
}

// start takes the queue once there is one, and puts the whole plan in it. It is
// worked on when the cache is filled.
func (c *Controller) start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	ordered, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request])
	if !ok {
		return fmt.Errorf("the queue of clusters is a %T, and keeps no order", queue)
	}
	c.mu.Lock()
	c.queue = ordered
	c.mu.Unlock()
	c.logNotices()
	c.lookAtAll()
	return nil
}

// lookAtAll puts every cluster of the plan in the queue.
func (c *Controller) lookAtAll() {
	c.mu.Lock()
	all := slices.Sorted(maps.Keys(c.wanted))
	c.mu.Unlock()
	c.enqueue(all)
}

// seedChanged is called when the Seed's ranges are known or change: both the
// plan and what the Services should carry follow from them.
func (c *Controller) seedChanged() {
	c.logNotices()
	c.news.signal()
	c.lookAtAll()
}
