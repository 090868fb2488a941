package apply_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// plane is the control plane that all tests of the package share; each test
// has clusters, and mostly a reconciler, of its own. It starts with the first
// test that needs it.
var plane = struct {
	once sync.Once
	cfg  *rest.Config
	err  error
	stop func()
}{stop: func() {}}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	code := m.Run()
	plane.stop()
	os.Exit(code)
}

// startPlane starts etcd, kube-apiserver and the stand-in for KKP.
func startPlane() (*rest.Config, func(), error) {
	assets, err := kkp.Assets()
	if err != nil {
		return nil, func() {}, err
	}
	env := &envtest.Environment{BinaryAssetsDirectory: assets, ControlPlaneStartTimeout: 2 * time.Minute}
	cfg, err := env.Start()
	if err != nil {
		return nil, func() {}, fmt.Errorf("start the control plane: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stop := func() {
		cancel()
		env.Stop() //nolint:errcheck // the process ends
	}
	if err := kkp.Install(ctx, cfg); err != nil {
		return nil, stop, err
	}
	go kkp.Run(ctx, cfg) //nolint:errcheck // tests see what it does
	return cfg, stop, nil
}

// patience is how long a condition may take to come true.
const patience = 60 * time.Second

// seed is a control plane with a reconciler of one test.
type seed struct {
	t        *testing.T
	cfg      *rest.Config
	client   client.Client // an administrator's, not cached
	ctl      *apply.Controller
	requests *requests
	stop     context.CancelFunc
	planned  map[string]*render.Wanted
	byHand   render.ByHand
}

// needPlane is an administrator's connection to the control plane; without one
// to connect to, the test is skipped.
func needPlane(t *testing.T) *rest.Config {
	t.Helper()
	plane.once.Do(func() { plane.cfg, plane.stop, plane.err = startPlane() })
	if errors.Is(plane.err, kkp.ErrNoAssets) {
		t.Skip(plane.err)
	}
	if plane.err != nil {
		t.Fatal(plane.err)
	}
	cfg := rest.CopyConfig(plane.cfg)
	cfg.QPS = -1
	return cfg
}

func admin(t *testing.T) client.Client {
	t.Helper()
	c, err := client.New(needPlane(t), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// start runs a reconciler until the test ends.
func start(t *testing.T, o apply.Options) *seed {
	t.Helper()
	return startAs(t, needPlane(t), o)
}

// startAs runs a reconciler with a connection of its own.
func startAs(t *testing.T, cfg *rest.Config, o apply.Options) *seed {
	t.Helper()
	s := &seed{t: t, cfg: cfg, client: admin(t), requests: &requests{}, planned: map[string]*render.Wanted{}}
	cfg.Wrap(s.requests.wrap)
	cached := apply.CacheOptions()
	s.must(apply.WatchQuickly(&cached, cfg))
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: scheme(t), Cache: cached,
		Metrics: metricsserver.Options{BindAddress: "0"}, Logger: logr.Discard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.ctl, err = apply.Add(mgr, o); err != nil {
		t.Fatal(err)
	}
	s.run(mgr)
	return s
}

// run starts the manager, and sees to it that it has ended before the test has.
func (s *seed) run(mgr ctrl.Manager) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("the manager ended: %v", err)
		}
	})
	s.t.Cleanup(s.stop)
}

func scheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, apply.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// plan adds to what is wanted, and gives all of it to the reconciler.
func (s *seed) plan(wanted ...*render.Wanted) {
	for _, w := range wanted {
		s.planned[w.Cluster] = w
	}
	s.ctl.SetPlan(&render.Plan{Clusters: s.planned, ByHand: s.byHand})
}

// wait waits until a cluster's state is the given one, and answers its words.
func (s *seed) wait(id string, want apply.State) string {
	s.t.Helper()
	var last apply.ClusterState
	eventually(s.t, func() error {
		last = s.ctl.States()[id]
		if last.State != want {
			return fmt.Errorf("cluster %s is %s (%s), not %s", id, last.State, last.Message, want)
		}
		return nil
	})
	return last.Message
}

// live waits until a cluster's list is the given one; nil for absent.
func (s *seed) live(id string, want []string) *unstructured.Unstructured {
	s.t.Helper()
	var cluster *unstructured.Unstructured
	eventually(s.t, func() error {
		var err error
		if cluster, err = kkp.Get(context.Background(), s.client, id); err != nil {
			return err
		}
		got, set := kkp.List(cluster)
		if set != (want != nil) || strings.Join(got, " ") != strings.Join(want, " ") {
			return fmt.Errorf("cluster %s has list %v (set: %v), not %v", id, got, set, want)
		}
		return nil
	})
	return cluster
}

func eventually(t *testing.T, check func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatalf("still not so after %s: %v", patience, err)
}

var clusters atomic.Int64

// newID is a cluster ID that no other test has.
func newID() string { return fmt.Sprintf("c%09d", clusters.Add(1)) }

// create makes a Cluster with its namespace and answers it.
func (s *seed) create(options ...kkp.Option) *unstructured.Unstructured {
	s.t.Helper()
	cluster := kkp.NewCluster(newID(), "project-1", options...)
	if err := kkp.Create(context.Background(), s.client, cluster); err != nil {
		s.t.Fatal(err)
	}
	return cluster
}

// restricted is a plan for a Cluster: this list.
func restricted(cluster *unstructured.Unstructured, cidrs ...string) *render.Wanted {
	w := wanted(cluster, render.Restricted)
	for _, cidr := range cidrs {
		w.List = append(w.List, prefix(cidr))
	}
	return w
}

func prefix(cidr string) netip.Prefix { return netip.MustParsePrefix(cidr) }

func wanted(cluster *unstructured.Unstructured, access render.Access) *render.Wanted {
	return &render.Wanted{
		Cluster: cluster.GetName(), UID: string(cluster.GetUID()), Access: access,
		Claim: render.Claim{Source: "customers", Tenant: "acme", Path: "tenants/acme/production.yaml", Name: "production"},
	}
}

// requests counts what a reconciler sends, watches aside.
type requests struct {
	mu   sync.Mutex
	sent []string // "PATCH /apis/..."
	fail func(*http.Request) *http.Response
}

func (r *requests) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.URL.Query().Get("watch") == "" {
			r.mu.Lock()
			r.sent = append(r.sent, req.Method+" "+req.URL.Path)
			fail := r.fail
			r.mu.Unlock()
			if fail != nil {
				if answer := fail(req); answer != nil {
					return answer, nil
				}
			}
		}
		return next.RoundTrip(req)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// failing answers requests in the API server's place from now on; nil ends it.
func (r *requests) failing(fail func(*http.Request) *http.Response) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = fail
}

// writes are the requests that change this cluster.
func (r *requests) writes(id string) int {
	return r.count(func(sent string) bool {
		return !strings.HasPrefix(sent, "GET ") && strings.HasSuffix(sent, "/clusters/"+id)
	})
}

// all is the number of requests of any kind.
func (r *requests) all() int { return r.count(func(string) bool { return true }) }

func (r *requests) count(match func(string) bool) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, sent := range r.sent {
		if match(sent) {
			n++
		}
	}
	return n
}
