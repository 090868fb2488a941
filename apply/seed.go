package apply

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/portcullis-gitops/portcullis/render"
)

// seedWatch follows the one Seed whose ranges KKP adds to every list. It is
// apart from the manager's cache because nothing may wait for it: on a seed
// without that CRD, that right or that object the ranges count as none, and
// once known, as last known.
type seedWatch struct {
	key     types.NamespacedName
	log     logr.Logger
	changed func()
	without func()        // called once where it turns out that the Seed cannot be read
	tried   chan struct{} // closed once it is known whether the Seed can be read
	once    sync.Once

	mu     sync.Mutex
	ranges render.SeedRanges
	failed bool
	// read says that this process read the Seed; around and template are from
	// it.
	read     bool
	around   []string // datacenters with a way around the lists
	template string   // that KKP fills Clusters from
}

// firstAnswer is how long a first inventory waits for the Seed.
const firstAnswer = 10 * time.Second

func newSeedWatch(key types.NamespacedName, lastKnown render.SeedRanges, log logr.Logger, changed, without func()) *seedWatch {
	s := &seedWatch{key: key, ranges: lastKnown, log: log, changed: changed, without: without, tried: make(chan struct{})}
	if key.Name == "" {
		s.answered()
	}
	return s
}

// answered notes that the Seed was tried.
func (s *seedWatch) answered() {
	s.once.Do(func() {
		close(s.tried)
		if _, read := s.waysAround(); !read && s.key.Name != "" {
			s.without()
		}
	})
}

// last is what is known now.
func (s *seedWatch) last() render.SeedRanges {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ranges
}

// get waits, for a short while, until the Seed was tried for the first time.
func (s *seedWatch) get(ctx context.Context) render.SeedRanges {
	ctx, cancel := context.WithTimeout(ctx, firstAnswer)
	defer cancel()
	select {
	case <-s.tried:
	case <-ctx.Done():
	}
	return s.last()
}

// Recall says what the Seed's ranges were as last known, for as long as they
// have not been read here. A standby is told when it becomes the leader, before
// its first plan.
func (c *Controller) Recall(lastKnown render.SeedRanges) {
	c.seed.mu.Lock()
	defer c.seed.mu.Unlock()
	if !c.seed.read {
		c.seed.ranges = lastKnown
	}
}

func (c *Controller) addSeed(mgr manager.Manager) error {
	if c.seed.key.Name == "" {
		return nil
	}
	informer, delivered, err := c.seed.informer(mgr)
	if err != nil {
		return fmt.Errorf("watch seed %s: %w", c.seed.key, err)
	}
	return mgr.Add(onEveryReplica(func(ctx context.Context) error {
		go func() { // a Seed that is not there is an answer, too
			if toolscache.WaitForCacheSync(ctx.Done(), delivered) {
				c.seed.answered()
			}
		}()
		informer.RunWithContext(ctx)
		return nil
	}))
}

// onEveryReplica runs on a standby too.
type onEveryReplica func(context.Context) error

func (f onEveryReplica) Start(ctx context.Context) error { return f(ctx) }

// NeedLeaderElection tells the manager not to wait for one.
func (onEveryReplica) NeedLeaderElection() bool { return false }

func (s *seedWatch) informer(mgr manager.Manager) (toolscache.SharedInformer, toolscache.InformerSynced, error) {
	codecs := serializer.NewCodecFactory(mgr.GetScheme())
	rest, err := apiutil.RESTClientForGVK(groupVersion.WithKind("Seed"), false, false, mgr.GetConfig(), codecs, mgr.GetHTTPClient())
	if err != nil {
		return nil, nil, fmt.Errorf("make a client: %w", err)
	}
	onlyThis := fields.OneTermEqualSelector("metadata.name", s.key.Name)
	source := toolscache.NewListWatchFromClient(rest, "seeds", s.key.Namespace, onlyThis)
	informer := toolscache.NewSharedInformer(source, &Seed{}, 0)
	if err := informer.SetWatchErrorHandlerWithContext(s.missed); err != nil {
		return nil, nil, fmt.Errorf("handle watch errors: %w", err)
	}
	handled, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { s.take(obj) },
		UpdateFunc: func(_, obj any) { s.take(obj) },
	})
	if err != nil {
		return nil, nil, fmt.Errorf("handle events: %w", err)
	}
	return informer, handled.HasSynced, nil
}

// take takes the ranges of the Seed over. A Seed that is deleted leaves them.
func (s *seedWatch) take(obj any) {
	seed, ok := obj.(*Seed)
	if !ok {
		return
	}
	next, around := rangesOf(seed), waysAround(seed)
	s.mu.Lock()
	same := s.ranges.Known && slices.Equal(s.ranges.Source, next.Source) && slices.Equal(s.ranges.Default, next.Default) &&
		s.read && slices.Equal(s.around, around)
	s.ranges, s.failed = next, false
	s.read, s.around, s.template = true, around, seed.Spec.DefaultClusterTemplate
	s.mu.Unlock()
	s.answered()
	if !same {
		s.changed()
	}
}

// missed is called when the Seed cannot be read; the informer tries again by
// itself, at growing intervals.
func (s *seedWatch) missed(_ context.Context, _ *toolscache.Reflector, err error) {
	s.mu.Lock()
	first := !s.failed
	s.failed = true
	s.mu.Unlock()
	if first {
		s.log.Info("seed cannot be read, its ranges stay as last known", "seed", s.key, "reason", plainly(err))
	}
	s.answered()
}
