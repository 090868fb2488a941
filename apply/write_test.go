package apply_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

func TestListReachesTheService(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{Balancer: apply.Balancer{Name: "azure"}})
	cluster := s.create()
	id := cluster.GetName()

	s.plan(restricted(cluster, "2001:db8:17::/48", "203.0.113.0/24"))
	if got := s.wait(id, apply.Synced); got != "handed to azure" {
		t.Errorf("Synced says %q", got)
	}
	s.live(id, []string{"2001:db8:17::/48", "203.0.113.0/24"})
	if n := s.requests.writes(id); n != 1 {
		t.Errorf("%d writes for one change", n)
	}
	svc := &corev1.Service{}
	if err := s.client.Get(context.Background(), client.ObjectKey{Namespace: "cluster-" + id, Name: "front-loadbalancer"}, svc); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(svc.Spec.LoadBalancerSourceRanges); got != "[2001:db8:17::/48 203.0.113.0/24]" {
		t.Errorf("the Service carries %s", got)
	}
}

// "Synced" is never more than is known.
func TestSyncedSaysWhereNothingIsFiltered(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{Balancer: apply.Balancer{Name: "hetzner", Ignores: true}})
	cluster := s.create()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	if got := s.wait(cluster.GetName(), apply.Synced); got != "not enforced by hetzner" {
		t.Errorf("Synced says %q", got)
	}
}

func TestOwnsNothingButTheList(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(cluster.GetName(), apply.Synced)

	found := false
	for _, e := range s.live(cluster.GetName(), []string{"203.0.113.0/24"}).GetManagedFields() {
		if e.Manager != apply.Manager {
			continue
		}
		found = true
		const only = `{"f:spec":{"f:apiServerAllowedIPRanges":{"f:cidrBlocks":{}}}}`
		if e.Operation != metav1.ManagedFieldsOperationApply || e.FieldsV1.GetRawString() != only {
			t.Errorf("%s %s owns %s, not %s", e.Manager, e.Operation, e.FieldsV1.GetRawString(), only)
		}
	}
	if !found {
		t.Error("the list has no owner by the name of " + apply.Manager)
	}
}

func TestChangedListIsOneWrite(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	one, other := s.create(), s.create()
	s.plan(restricted(one, "203.0.113.0/24"), restricted(other, "198.51.100.0/24"))
	s.wait(one.GetName(), apply.Synced)
	s.wait(other.GetName(), apply.Synced)

	s.plan(restricted(one, "203.0.113.0/25"))
	if st := s.ctl.States()[other.GetName()]; st.State != apply.Synced {
		t.Errorf("the other cluster is %s: it did not change", st.State)
	}
	s.live(one.GetName(), []string{"203.0.113.0/25"})
	s.wait(one.GetName(), apply.Synced)
	if n := s.requests.writes(one.GetName()); n != 2 {
		t.Errorf("%d writes for two lists", n)
	}
	if n := s.requests.writes(other.GetName()); n != 1 {
		t.Errorf("%d writes to the cluster that did not change", n)
	}
	if events := s.events(one.GetName()); len(events) != 0 {
		t.Errorf("our own change made events: %v", events)
	}
}

func TestStateIsAboutThePlanInForce(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Synced)

	s.requests.failing(unavailable) // so that nothing can be written
	s.plan(restricted(cluster, "203.0.113.0/25"))
	if st := s.ctl.States()[id]; st.State != apply.Pending {
		t.Errorf("right after a new plan the cluster is %s", st.State)
	}
	s.requests.failing(nil)
	s.wait(id, apply.Synced)
}

func TestOpenRemovesTheField(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Synced)

	s.plan(wanted(cluster, render.Open))
	s.live(id, nil)
	s.wait(id, apply.Synced)
	if n := s.requests.writes(id); n != 2 {
		t.Errorf("%d writes for a list and its removal", n)
	}

	// The dashboard makes an empty list of an absent field. It lets in the
	// same, and is left alone.
	if err := kkp.DashboardWrite(context.Background(), s.client, id, nil); err != nil {
		t.Fatal(err)
	}
	s.live(id, []string{})
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.live(id, []string{"203.0.113.0/24"})
	if n := s.requests.writes(id); n != 3 {
		t.Errorf("%d writes: the empty list was not left alone", n)
	}
}

func TestUnmanagedAndHeldWithoutListAreLeftAlone(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	unmanaged := s.create(kkp.WithList("192.0.2.0/24"))
	held := s.create(kkp.WithList("192.0.2.0/24"))
	w := wanted(held, render.Restricted)
	w.Held = &render.Hold{Rule: "removed-allowlist", Message: "its file was removed"}
	s.plan(wanted(unmanaged, render.Unmanaged), w)

	s.wait(unmanaged.GetName(), apply.Synced)
	if got := s.wait(held.GetName(), apply.Held); got != "its file was removed" {
		t.Errorf("Held says %q", got)
	}
	for _, id := range []string{unmanaged.GetName(), held.GetName()} {
		s.live(id, []string{"192.0.2.0/24"})
		if n := s.requests.writes(id); n != 0 {
			t.Errorf("%d writes to %s", n, id)
		}
	}
}

func TestHeldListIsPutRight(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	w := restricted(cluster, "203.0.113.0/24")
	w.Held = &render.Hold{Rule: "removed-allowlist", Message: "its file was removed"}
	s.plan(w)
	s.live(id, []string{"203.0.113.0/24"})
	s.wait(id, apply.Held)

	if err := kkp.DashboardWrite(context.Background(), s.client, id, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if n := s.requests.writes(id); n != 2 {
			return fmt.Errorf("%d writes", n)
		}
		return nil
	})
	s.live(id, []string{"203.0.113.0/24"})
	s.wait(id, apply.Held)
}
