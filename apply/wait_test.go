package apply_test

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

func TestNotLoadBalancerIsPickedUpOnceItIs(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create(kkp.WithStrategy("NodePort"))
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	if got := s.wait(id, apply.Waiting); !strings.Contains(got, "NodePort") {
		t.Errorf("Waiting says %q", got)
	}
	s.live(id, nil)

	if err := kkp.SwitchStrategy(context.Background(), s.client, id, "LoadBalancer"); err != nil {
		t.Fatal(err)
	}
	s.wait(id, apply.Synced)
	s.live(id, []string{"203.0.113.0/24"})
}

func TestPausedIsWrittenAndWaits(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create(kkp.Paused("under repair"))
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	if got := s.wait(id, apply.Waiting); !strings.Contains(got, "under repair") {
		t.Errorf("Waiting says %q", got)
	}
	s.live(id, []string{"203.0.113.0/24"})

	if err := kkp.Update(context.Background(), s.client, id, kkp.Resumed()); err != nil {
		t.Fatal(err)
	}
	s.wait(id, apply.Synced)
}

func TestWithoutNamespaceIsWrittenAndWaits(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := kkp.NewCluster(newID(), "project-1")
	id := cluster.GetName()
	if err := s.client.Create(context.Background(), cluster); err != nil {
		t.Fatal(err)
	}
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Waiting)
	s.live(id, []string{"203.0.113.0/24"})

	if err := kkp.GiveNamespace(context.Background(), s.client, id); err != nil {
		t.Fatal(err)
	}
	s.wait(id, apply.Synced)
}

func TestClusterMadeAnewIsNotTouched(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Synced)

	ctx := context.Background()
	if err := s.client.Delete(ctx, cluster); err != nil {
		t.Fatal(err)
	}
	s.wait(id, apply.Missing)
	other := kkp.NewCluster(id, "another-project")
	if err := kkp.Create(ctx, s.client, other); err != nil {
		t.Fatal(err)
	}
	s.news()
	eventuallyKnown(t, s, other)
	s.wait(id, apply.Missing)
	s.live(id, nil)
	if n := s.requests.writes(id); n != 1 {
		t.Errorf("%d writes: the new Cluster was touched by the old plan", n)
	}
	s.plan(restricted(other, "198.51.100.0/24"))
	s.live(id, []string{"198.51.100.0/24"})
}

// The cache may not yet know that the Cluster is another one: the API server
// itself must then refuse the old plan's write.
func TestOldPlanIsRefusedByTheAPIServer(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	swapped := make(chan struct{})
	s.requests.failing(s.swapBeforePatch(cluster, swapped))
	s.plan(restricted(cluster, "203.0.113.0/24"))
	<-swapped
	s.wait(id, apply.Missing)
	s.live(id, nil)
	s.news()
}

func TestClusterThatIsDeletedIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create(func(u *unstructured.Unstructured) { u.SetFinalizers([]string{"example.com/slow"}) })
	id := cluster.GetName()
	if err := s.client.Delete(context.Background(), cluster); err != nil {
		t.Fatal(err)
	}
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Missing)
	s.live(id, nil)
}

// news waits until the plan should be made anew.
func (s *seed) news() {
	s.t.Helper()
	eventually(s.t, func() error {
		select {
		case <-s.ctl.News():
			return nil
		default:
			return errNoNews
		}
	})
}
