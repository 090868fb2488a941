package apply_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// trouble waits until this speaks against a cluster's list; empty for nothing.
func (s *seed) trouble(id, want string) {
	s.t.Helper()
	eventually(s.t, func() error {
		got := ""
		if tr := s.ctl.States()[id].Trouble; tr != nil {
			got = tr.Words()
		}
		if got != want {
			return fmt.Errorf("against the list of %s speaks %q, not %q", id, got, want)
		}
		return nil
	})
}

func TestEventsOfTheBalancerAreHeard(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), start(t, apply.Options{})
	cluster, other := s.create(), s.create()
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"), restricted(other, "203.0.113.0/24"))
	s.wait(id, apply.Synced)
	s.wait(other.GetName(), apply.Synced)
	before, now := s.requests.all(), time.Now()
	s.must(kkp.BalancerSays(ctx, s.client, id, now, corev1.EventTypeWarning, "SyncLoadBalancerFailed", "quota exceeded"))
	s.trouble(id, "SyncLoadBalancerFailed: quota exceeded")
	s.trouble(other.GetName(), "")
	if s.wait(id, apply.Synced); s.requests.all() != before {
		t.Error("listening costs requests")
	}
	s.must(kkp.BalancerSays(ctx, s.client, id, now.Add(time.Second), corev1.EventTypeNormal, "EnsuredLoadBalancer", "Ensured load balancer"))
	s.trouble(id, "")
	if standing := s.ctl.States()[id].Standing; standing != nil {
		t.Errorf("there stands %v", standing.Problems())
	}
}

func TestErrorsOfKKPAreHeard(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Synced)
	s.must(kkp.Update(ctx, s.client, id, kkp.WithFault("the version is too old")))
	s.trouble(id, "ReconcileError: the version is too old")
	s.must(kkp.Update(ctx, s.client, id, kkp.WithFault("")))
	s.trouble(id, "")
	if n := s.requests.writes(id); n != 1 {
		t.Errorf("%d writes", n)
	}
}

func TestFightOnARealSeed(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Synced)
	for i := range 6 {
		s.must(kkp.DashboardWrite(ctx, s.client, id, []string{fmt.Sprintf("192.0.2.%d/32", i)}))
		s.live(id, []string{"203.0.113.0/24"})
	}
	if words := s.wait(id, apply.Contested); !strings.Contains(words, "kubermatic-api") {
		t.Errorf("Contested says %q", words)
	}
	s.event(id, "ListContested")
	s.must(kkp.DashboardWrite(ctx, s.client, id, nil))
	s.live(id, []string{"203.0.113.0/24"})
	if n := s.requests.writes(id); n != 8 {
		t.Errorf("%d writes for one list and seven foreign ones", n)
	}
	eventually(t, func() error { // counted once the write is answered
		if got := s.ctl.PutRight()["kubermatic-api"]; got != 7 {
			return fmt.Errorf("%d are counted", got)
		}
		return nil
	})
}

// Two installations with different files on one seed notice each other: neither
// takes the other's list for its own, and neither writes for ever.
func TestTwoInstallationsNoticeEachOther(t *testing.T) {
	t.Parallel()
	one, two := start(t, apply.Options{}), start(t, apply.Options{})
	cluster := one.create()
	id := cluster.GetName()
	one.plan(restricted(cluster, "203.0.113.0/24"))
	one.wait(id, apply.Synced)
	two.plan(restricted(cluster, "198.51.100.0/24"))
	for _, s := range []*seed{one, two} {
		if words := s.wait(id, apply.Contested); !strings.Contains(words, "another portcullis installation") {
			t.Errorf("Contested says %q", words)
		}
	}
	if n := one.requests.writes(id) + two.requests.writes(id); n > 20 {
		t.Errorf("%d writes", n)
	}
}

func TestByHandOnARealSeed(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	p := policy.Default()
	p.BreakGlass = time.Hour
	s.byHand = render.GrantedBy(p, "")
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Synced)
	until := time.Now().Add(30 * time.Minute).UTC().Format(time.RFC3339)
	s.must(kkp.Update(ctx, s.client, id, kkp.WithAnnotation("portcullis.dev/pause-until", until), kkp.WithList("192.0.2.0/24")))
	if words := s.wait(id, apply.Held); !strings.Contains(words, "kept by hand until "+until) {
		t.Errorf("Held says %q", words)
	}
	s.event(id, "ListKeptByHand")
	s.live(id, []string{"192.0.2.0/24"})
	s.must(kkp.DashboardWrite(ctx, s.client, id, []string{"0.0.0.0/0"}))
	s.live(id, []string{"203.0.113.0/24"})
	s.event(id, "ByHandEnded")
	s.wait(id, apply.Synced)
	s.must(kkp.DashboardWrite(ctx, s.client, id, []string{"192.0.2.0/24"}))
	s.wait(id, apply.Held)
	s.byHand = render.ByHand{} // the policy was changed
	s.plan()
	s.live(id, []string{"203.0.113.0/24"})
	s.wait(id, apply.Synced)
	if n := s.requests.writes(id); n != 3 {
		t.Errorf("%d writes", n)
	}
}

func TestNoticesFollowTheSeed(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), admin(t)
	key := seedKey(t, c)
	object := kkp.NewSeed(key, nil, nil)
	kkp.WithServiceType(object, "aws-eu-1a", "LoadBalancer")
	kkp.WithServiceType(object, "aws-eu-1b", "NodePort")
	if err := c.Create(ctx, object); err != nil {
		t.Fatal(err)
	}
	s := start(t, apply.Options{SeedResource: key})
	eventually(t, func() error {
		got := s.ctl.Notices()
		if len(got) != 2 || !slices.ContainsFunc(got, func(n string) bool { return strings.Contains(n, "in datacenter aws-eu-1a,") }) {
			return fmt.Errorf("notices: %q", got)
		}
		return nil
	})
}

func (s *seed) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
