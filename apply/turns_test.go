package apply_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
)

// turnstile keeps writes back until it is opened, and knows their order.
type turnstile struct {
	mu     sync.Mutex
	came   []string // cluster IDs
	opened chan struct{}
}

// guard puts a turnstile between a reconciler and the API server.
func (s *seed) guard() *turnstile {
	g := &turnstile{opened: make(chan struct{})}
	s.requests.failing(func(r *http.Request) *http.Response {
		if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/clusters/") {
			g.mu.Lock()
			g.came = append(g.came, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
			g.mu.Unlock()
			<-g.opened
		}
		return nil
	})
	return g
}

func (g *turnstile) order() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.came)
}

// awaitFirst waits until a write stands before the turnstile.
func (g *turnstile) awaitFirst(t *testing.T) {
	t.Helper()
	eventually(t, func() error {
		if len(g.order()) == 0 {
			return fmt.Errorf("nothing is written")
		}
		return nil
	})
}

// listed makes clusters that have one list, and answers them once they do.
func (s *seed) listed(n int, tenant string, cidrs ...string) []*unstructured.Unstructured {
	s.t.Helper()
	var out []*unstructured.Unstructured
	var plan []*render.Wanted
	for range n {
		cluster := s.create()
		out, plan = append(out, cluster), append(plan, of(tenant, restricted(cluster, cidrs...)))
	}
	s.plan(plan...)
	for _, cluster := range out {
		s.live(cluster.GetName(), cidrs)
	}
	return out
}

func of(tenant string, w *render.Wanted) *render.Wanted {
	w.Claim.Tenant = tenant
	return w
}

// plans give a tenant's clusters a list.
func plans(tenant string, clusters []*unstructured.Unstructured, cidrs ...string) []*render.Wanted {
	var out []*render.Wanted
	for _, cluster := range clusters {
		out = append(out, of(tenant, restricted(cluster, cidrs...)))
	}
	return out
}

// TestAFewDoNotWaitBehindMany has a tenant's mass change under way when others
// change something: one cluster that gains an address, one that loses one. A
// write at a time, so that the order is that of the queue.
func TestAFewDoNotWaitBehindMany(t *testing.T) {
	t.Parallel()
	const old, more = "198.51.100.0/24", "203.0.113.0/24"
	s := start(t, apply.Options{Concurrency: 1})
	mass := s.listed(30, "mass", old)
	gains := s.listed(1, "gains", old)
	loses := s.listed(1, "loses", old, more)

	gate := s.guard()
	s.plan(plans("mass", mass, old, more)...)
	gate.awaitFirst(t)
	s.plan(plans("gains", gains, old, more)...)
	s.plan(plans("loses", loses, old)...)
	close(gate.opened)
	for _, cluster := range append(mass, gains...) {
		s.live(cluster.GetName(), []string{old, more})
	}
	s.live(loses[0].GetName(), []string{old})

	came := gate.order()
	if len(came) != 32 {
		t.Fatalf("32 clusters were written %d times", len(came))
	}
	// The first of the mass was on its way already; with the second, the one
	// that gains takes turns.
	if at := slices.Index(came, loses[0].GetName()); at != 1 {
		t.Errorf("the tightening was number %d, after widenings that could wait", at+1)
	}
	if at := slices.Index(came, gains[0].GetName()); at > 3 {
		t.Errorf("one cluster's change was number %d, behind another tenant's mass", at+1)
	}
}

// TestTighteningsComeFirst has one plan that takes away and gives.
func TestTighteningsComeFirst(t *testing.T) {
	t.Parallel()
	const old, more = "198.51.100.0/24", "203.0.113.0/24"
	s := start(t, apply.Options{Concurrency: 1})
	first := s.listed(1, "acme", old) // keeps the only worker busy until the plan is in the queue
	gain := s.listed(5, "acme", old)
	lose := s.listed(5, "acme", old, more)

	gate := s.guard()
	s.plan(plans("acme", first, more)...)
	gate.awaitFirst(t)
	s.plan(append(plans("acme", gain, old, more), plans("acme", lose, old)...)...)
	close(gate.opened)
	for _, cluster := range gain {
		s.live(cluster.GetName(), []string{old, more})
	}
	came := gate.order()
	for _, cluster := range lose {
		if at := slices.Index(came, cluster.GetName()); at < 1 || at > len(lose) {
			t.Errorf("a tightening was number %d of %d, behind widenings", at+1, len(came))
		}
	}
}
