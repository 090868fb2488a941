package apply_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

var errNoNews = errors.New("no news")

func TestNothingIsSentWhenNothingChanges(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	var ids []string
	var plan []*render.Wanted
	for range 5 {
		cluster := s.create()
		ids, plan = append(ids, cluster.GetName()), append(plan, restricted(cluster, "203.0.113.0/24"))
	}
	s.plan(plan...)
	for _, id := range ids {
		s.wait(id, apply.Synced)
	}

	before := s.requests.all()
	for range 3 {
		s.plan() // the same again, made anew
		if _, err := s.ctl.Inventory(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	// A change elsewhere proves that whatever was in the queue is done.
	last := s.create()
	s.plan(restricted(last, "203.0.113.0/24"))
	s.wait(last.GetName(), apply.Synced)
	if n := s.requests.all() - before; n != 1 {
		t.Errorf("%d requests for three equal plans and one change", n)
	}
}

func TestRestartWritesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	listed, open := s.create(), s.create()
	plan := []*render.Wanted{restricted(listed, "203.0.113.0/24"), wanted(open, render.Open)}
	s.plan(plan...)
	s.wait(listed.GetName(), apply.Synced)
	s.wait(open.GetName(), apply.Synced)
	s.stop()

	again := start(t, apply.Options{})
	again.plan(plan...)
	for _, w := range plan {
		again.wait(w.Cluster, apply.Synced)
	}
	if n := again.requests.count(func(sent string) bool { return !strings.HasPrefix(sent, "GET ") }); n != 0 {
		t.Errorf("%d writes after a restart", n)
	}
}

func TestEqualAddressesAreNotWrittenAgain(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/25", "203.0.113.128/25"))
	s.wait(id, apply.Synced)
	s.plan(restricted(cluster, "203.0.113.0/24")) // the same addresses
	s.wait(id, apply.Synced)
	if n := s.requests.writes(id); n != 1 {
		t.Errorf("%d writes", n)
	}
}

func TestInventoryTellsWhatAPlanNeeds(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create(kkp.WithName("shop-prod"), kkp.WithDatacenter("dc-9"), kkp.WithList(), kkp.Paused("x"))
	eventuallyKnown(t, s, cluster)
	inventory, err := s.ctl.Inventory(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := inventory.Clusters[cluster.GetName()]
	if !inventory.Known || !got.Live.Set || len(got.Live.CIDRs) != 0 || !got.Paused ||
		got.Project != "project-1" || got.Title() != "shop-prod ("+cluster.GetName()+")" ||
		got.Datacenter != "dc-9" || got.Namespace != "cluster-"+cluster.GetName() || got.ExposeStrategy != "LoadBalancer" {
		t.Errorf("the inventory says %+v", got)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{DryRun: true})
	restrict, open := s.create(), s.create(kkp.WithList("192.0.2.0/24"))
	s.plan(restricted(restrict, "203.0.113.0/24"), wanted(open, render.Open))
	for id, want := range map[string]string{
		restrict.GetName(): "would write 203.0.113.0/24", open.GetName(): "would remove the list",
	} {
		eventually(t, func() error {
			if st := s.ctl.States()[id]; !strings.Contains(st.Message, want) {
				return fmt.Errorf("cluster %s: %s", id, st.Message)
			}
			return nil
		})
	}
	if n := s.requests.count(func(sent string) bool { return !strings.HasPrefix(sent, "GET ") }); n != 0 {
		t.Errorf("%d writes in a dry run", n)
	}
}

// eventuallyKnown waits until the cache has this very object, namespace and all.
func eventuallyKnown(t *testing.T, s *seed, cluster *unstructured.Unstructured) {
	t.Helper()
	eventually(t, func() error {
		inventory, err := s.ctl.Inventory(context.Background())
		if err != nil {
			return err
		}
		got := inventory.Clusters[cluster.GetName()]
		if got.UID != string(cluster.GetUID()) || got.Namespace == "" {
			return fmt.Errorf("the cache does not know cluster %s yet", cluster.GetName())
		}
		return nil
	})
}

// swapBeforePatch makes the Cluster anew just before the first write to it
// reaches the API server, and lets the write go on.
func (s *seed) swapBeforePatch(cluster *unstructured.Unstructured, done chan struct{}) func(*http.Request) *http.Response {
	first := true
	return func(req *http.Request) *http.Response {
		if req.Method != http.MethodPatch || !first || !strings.HasSuffix(req.URL.Path, cluster.GetName()) {
			return nil
		}
		first = false
		defer close(done)
		ctx := context.Background()
		if err := s.client.Delete(ctx, cluster); err != nil {
			s.t.Error(err)
		}
		if err := s.client.Create(ctx, kkp.NewCluster(cluster.GetName(), "another-project")); err != nil {
			s.t.Error(err)
		}
		return nil
	}
}
