package fault_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// apiFault is one of the API server, or of the way to it.
type apiFault struct {
	name  string
	fault servers.Fault
	// away closes the way altogether; cut breaks what goes through it once, as
	// the fault begins; compact has etcd forget while it lasts.
	away, cut, compact bool
	// lost says that answers to writes may be lost on the way.
	lost bool
}

const webhookTimeout = `Internal error occurred: failed calling webhook "clusters.kubermatic.io": failed to call webhook: Post "https://kubermatic-webhook.kubermatic.svc:443/validate?timeout=30s": context deadline exceeded`

func apiFaults() []apiFault {
	clusters, watches, writes := servers.IsClusterWrite, servers.IsWatch, servers.IsWrite
	return []apiFault{
		{name: "away", away: true, lost: true},
		{name: "silent", fault: servers.Silent, cut: true, lost: true},
		{name: "409", fault: servers.On(clusters, servers.Most(4, servers.Refuse(http.StatusConflict, "Conflict", "the object has been modified", 0)))},
		{name: "429 with Retry-After", fault: servers.On(writes, servers.Refuse(http.StatusTooManyRequests, "TooManyRequests", "the server is busy", 1))},
		{name: "500", fault: servers.Most(5, servers.Refuse(http.StatusInternalServerError, "InternalError", "etcdserver: request timed out", 0)), cut: true},
		{name: "webhook times out", fault: servers.On(clusters, slowly(servers.Refuse(http.StatusInternalServerError, "InternalError", webhookTimeout, 0)))},
		{name: "gateway times out", fault: servers.On(clusters, slowly(servers.Refuse(http.StatusGatewayTimeout, "Timeout", "request did not complete within the allotted timeout", 0)))},
		{name: "late", fault: servers.Late(500 * time.Millisecond), cut: true},
		{name: "unheard", fault: servers.On(clusters, servers.Most(2, servers.Unheard)), lost: true},
		{name: "state unheard", fault: servers.On(stateWrite, servers.Most(2, servers.Unheard)), lost: true},
		{name: "watch breaks", fault: servers.On(watches, servers.Broken(3000)), cut: true, lost: true},
		{name: "watch says garbage", fault: servers.On(watches, servers.Garbage), cut: true, lost: true},
		{name: "watch is gone", fault: servers.On(watches, servers.Gone), cut: true, compact: true, lost: true},
	}
}

// stateWrite picks changes of the state that was there before.
func stateWrite(r *http.Request) bool {
	return servers.IsWrite(r) && servers.IsConfigMap(r)
}

// slowly has a fault come after a while, as time-outs do.
func slowly(f servers.Fault) servers.Fault {
	return func(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{}) {
		servers.Late(time.Second)(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f(w, r, server, ended)
		}), ended)
	}
}

// TestAPIServerFails in the middle of a rollout, while somebody opens one of
// the clusters by hand.
func TestAPIServerFails(t *testing.T) {
	t.Parallel()
	for _, f := range apiFaults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			p := set(t, 30, 15, stage.Options{})
			p.begin()
			before := p.writes()
			sha := p.push(1)
			p.await("a part of the rollout", p.part(1, 5))
			met := p.suffer(f)
			drifted := p.drift(0)
			p.lasts(outage())
			if !f.away && met() == 0 {
				t.Error("the fault befell nobody")
			}
			if f.away {
				p.must(p.pipe.Mend(p.ctx))
			}
			p.proxy.Meter.Fault(nil)
			p.await("the end of the rollout", p.everywhere(1), p.noted(sha), p.InForce(drifted, list(1)...))
			p.needed(before, map[string]int{p.Own(drifted): 2}, lostBy(f))
		})
	}
}

func lostBy(f apiFault) int {
	if f.lost {
		return 1
	}
	return 0
}

// suffer begins a fault, and answers how many requests it has befallen.
func (p *play) suffer(f apiFault) (met func() int64) {
	p.t.Helper()
	var n atomic.Int64
	if f.fault != nil {
		p.proxy.Meter.Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{}) {
			n.Add(1)
			f.fault(w, r, server, ended)
		})
	}
	if f.cut || f.away {
		p.must(p.pipe.Cut())
	}
	if f.compact {
		p.must(p.Seed.Plane.Compact(p.ctx))
	}
	if f.cut && !f.away {
		p.must(p.pipe.Mend(p.ctx))
	}
	return n.Load
}

// drift opens one of the clusters by hand, and answers which. Too many of one
// would be a fight, which has rules of its own.
func (p *play) drift(which int) string {
	p.t.Helper()
	id := p.ids[which%len(p.ids)]
	p.Announce(p.Own(id), []string{"0.0.0.0/0"})
	p.must(p.Dashboard(p.ctx, id, "0.0.0.0/0"))
	return id
}

// lasts lets a fault go on. The command must not end of it.
func (p *play) lasts(d time.Duration) {
	p.t.Helper()
	over := time.After(d)
	p.await("the end of the fault", func(context.Context) error {
		select {
		case <-over:
			return nil
		default:
			return fmt.Errorf("it lasts for %s", d)
		}
	})
}
