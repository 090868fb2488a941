package apply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

func inGit(claim render.Claim) string { return claim.Path + " of git.example.com/hosting/allowlists" }

func TestDashboardOverwriteIsPutRight(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{Where: inGit})
	cluster := s.create()
	id := cluster.GetName()
	s.plan(restricted(cluster, "198.51.100.0/24", "203.0.113.0/24"))
	s.wait(id, apply.Synced)

	if err := kkp.DashboardWrite(context.Background(), s.client, id, []string{"192.0.2.0/24", "203.0.113.0/24"}); err != nil {
		t.Fatal(err)
	}
	e := s.event(id, "ListRestored")
	if e.Type != corev1.EventTypeWarning {
		t.Errorf("the event is %s", e.Type)
	}
	for _, part := range []string{
		"kubermatic-api", "tenants/acme/production.yaml of git.example.com/hosting/allowlists",
		"removed again: 192.0.2.0/24;", "put back: 198.51.100.0/24.",
	} {
		if !strings.Contains(e.Message, part) {
			t.Errorf("the event does not say %q: %s", part, e.Message)
		}
	}
	s.live(id, []string{"198.51.100.0/24", "203.0.113.0/24"})
	s.wait(id, apply.Synced)
}

func TestRemovedListIsPutBack(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Synced)

	if err := kkp.Update(context.Background(), s.client, id, kkp.WithoutList()); err != nil {
		t.Fatal(err)
	}
	if e := s.event(id, "ListRestored"); !strings.Contains(e.Message, "had removed the list;") {
		t.Errorf("the event does not say that the list was gone: %s", e.Message)
	}
	s.live(id, []string{"203.0.113.0/24"})
}

func TestHandMadeListIsAdopted(t *testing.T) {
	t.Parallel()
	for name, made := range map[string][]string{
		"a list":                {"192.0.2.0/24"},
		"an empty list":         {},
		"the same list":         {"203.0.113.0/24"},
		"a value that is no IP": {"office"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, apply.Options{Where: inGit})
			cluster := s.create()
			id := cluster.GetName()
			if err := kkp.DashboardWrite(context.Background(), s.client, id, made); err != nil {
				t.Fatal(err)
			}
			s.plan(restricted(cluster, "203.0.113.0/24"))
			s.wait(id, apply.Synced)
			s.live(id, []string{"203.0.113.0/24"})
			if e := s.event(id, "ListAdopted"); e.Type != corev1.EventTypeNormal || !strings.Contains(e.Message, "git.example.com") {
				t.Errorf("%s event: %s", e.Type, e.Message)
			}
			if n := s.requests.writes(id); n != 1 {
				t.Errorf("%d writes", n)
			}
		})
	}
}

func TestListThatIsSetOnAnOpenClusterIsRemoved(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	s.plan(wanted(cluster, render.Open))
	s.wait(id, apply.Synced)

	if err := kkp.DashboardWrite(context.Background(), s.client, id, []string{"192.0.2.0/24"}); err != nil {
		t.Fatal(err)
	}
	if e := s.event(id, "ListRestored"); !strings.Contains(e.Message, "removed again: 192.0.2.0/24; put back: nothing, access is open") {
		t.Errorf("the event says %s", e.Message)
	}
	s.live(id, nil)
}

func TestLostOwnershipIsTakenBack(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Synced)
	s.stop()

	// Away and back again: the value is the same, its owner is not.
	for _, list := range [][]string{{"192.0.2.0/24"}, {"203.0.113.0/24"}} {
		if err := kkp.DashboardWrite(context.Background(), s.client, id, list); err != nil {
			t.Fatal(err)
		}
	}
	again := start(t, apply.Options{})
	again.plan(restricted(cluster, "203.0.113.0/24"))
	again.wait(id, apply.Synced)
	if n := again.requests.writes(id); n != 1 {
		t.Errorf("%d writes to take the field back", n)
	}
	owner := ""
	for _, e := range again.live(id, []string{"203.0.113.0/24"}).GetManagedFields() {
		if strings.Contains(e.FieldsV1.GetRawString(), "f:cidrBlocks") {
			owner += e.Manager + " "
		}
	}
	if !strings.Contains(owner, apply.Manager) {
		t.Errorf("the list is owned by %q", owner)
	}
}

// event waits for an Event of the given reason on a cluster.
func (s *seed) event(id, reason string) corev1.Event {
	s.t.Helper()
	var found corev1.Event
	eventually(s.t, func() error {
		for _, e := range s.events(id) {
			if e.Reason == reason {
				found = e
				return nil
			}
		}
		return fmt.Errorf("no event %s on cluster %s", reason, id)
	})
	return found
}

// events answers the Events on a cluster, where KKP's dashboard looks for them.
func (s *seed) events(id string) []corev1.Event {
	s.t.Helper()
	var list corev1.EventList
	about := client.MatchingFields{"involvedObject.kind": "Cluster", "involvedObject.name": id}
	if err := s.client.List(context.Background(), &list, about); err != nil {
		s.t.Fatal(err)
	}
	return list.Items
}
