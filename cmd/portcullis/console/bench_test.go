package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// BenchmarkReaders has 20 readers ask for the fleet of 10,000 clusters, and for
// its JSON, while the world is another one all the time. What counts is p95-ms.
func BenchmarkReaders(b *testing.B) {
	const n, readers = 10_000, 20
	for name, path := range map[string]string{"page": "/?q=shop", "json": "/api/v1/status"} {
		b.Run(name, func(b *testing.B) {
			r := serve(b, policy.Console{})
			w := large(b, n)
			r.world.Store(&w)
			r.get(b, path)
			b.ResetTimer()
			var mu sync.Mutex
			var took []time.Duration
			var all sync.WaitGroup
			for range readers {
				all.Go(func() {
					for range max(1, b.N/readers) {
						began := time.Now()
						if g := r.get(b, path); g.status != http.StatusOK {
							b.Errorf("%d", g.status)
						}
						mu.Lock()
						took = append(took, time.Since(began))
						mu.Unlock()
					}
				})
			}
			end := make(chan struct{})
			go func() {
				began := time.Now()
				for {
					select {
					case <-end:
						return
					case <-time.After(50 * time.Millisecond):
						next := w
						r.world.Store(&next)
						r.passed.Store(int64(time.Since(began)))
					}
				}
			}()
			all.Wait()
			close(end)
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		})
	}
}

// BenchmarkRequest is what one answer takes of the fleet of 10,000 clusters: of
// a world that stays as it is, and of one that is another one for each request,
// the index and all included.
func BenchmarkRequest(b *testing.B) {
	r, w := serve(b, policy.Console{}), large(b, 10_000)
	r.world.Store(&w)
	for _, c := range []struct{ name, path string }{{"page", "/"}, {"filtered", "/?state=Synced&q=shop-c07"}, {"last", "/?page=50"}, {"json", "/api/v1/status"}} {
		request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "http://localhost"+c.path, nil)
		ask := func() {
			answer := &sink{header: http.Header{}}
			r.Config.Handler.ServeHTTP(answer, request)
			if answer.status > http.StatusOK || answer.size == 0 {
				b.Fatalf("%d, %d bytes", answer.status, answer.size)
			}
		}
		b.Run(c.name+"/same", func(b *testing.B) {
			ask()
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
		})
		b.Run(c.name+"/other", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				next := w
				r.world.Store(&next)
				r.passed.Add(int64(time.Minute))
				ask()
			}
		})
	}
}

// sink counts what it is given.
type sink struct {
	header       http.Header
	status, size int
}

func (s *sink) Header() http.Header    { return s.header }
func (s *sink) WriteHeader(status int) { s.status = status }
func (s *sink) Write(p []byte) (int, error) {
	s.size += len(p)
	return len(p), nil
}

// large is a seed with many clusters, ten of each tenant, all by one list.
func large(t testing.TB, n int) (w console.World) {
	t.Helper()
	texts := map[string]string{}
	w = world(t, files)
	w.Inventory.Clusters, w.States = map[string]render.Cluster{}, map[string]apply.ClusterState{}
	for tenant := range n / 10 {
		project := fmt.Sprintf("project%04d", tenant)
		var ids []string
		for i := range 10 {
			id := fmt.Sprintf("c%04d%02d", tenant, i)
			ids = append(ids, id)
			w.Inventory.Clusters[id] = render.Cluster{ID: id, UID: id, Project: project, Name: "shop-" + id, ExposeStrategy: render.ExposeLoadBalancer, Namespace: id, Datacenter: "dc-a"}
			w.States[id] = apply.ClusterState{State: apply.Synced, Message: "handed to aws-nlb", Since: now}
		}
		entries := ""
		for i := range 10 {
			entries += fmt.Sprintf("    - {description: office, owner: netops@example.com, cidr: 203.0.%d.%d}\n", tenant%250, i)
		}
		texts["tenants/"+project+"/list.yaml"] = head + "metadata: {name: list}\nspec:\n  seed: eu-west\n  clusters: [" + strings.Join(ids, ", ") + "]\n  entries:\n" + entries
	}
	w.Files = parse(t, texts)
	w.Plan = render.Render(render.Input{Files: w.Files, Sources: []string{"customers"}, Policy: w.Policy, Inventory: w.Inventory, Seed: "eu-west", Now: now})
	return w
}
