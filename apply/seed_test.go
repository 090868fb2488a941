package apply_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

func TestSeedRangesAreFollowed(t *testing.T) {
	t.Parallel()
	ctx, c := context.Background(), admin(t)
	key := seedKey(t, c)
	if err := c.Create(ctx, kkp.NewSeed(key, []string{"192.0.2.0/24"}, nil)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go kkp.Run(ctx, needPlane(t), kkp.WithSeed(key), kkp.WithWorker(key.Namespace)) //nolint:errcheck // seen by what it does
	s := start(t, apply.Options{SeedResource: key})
	s.ranges([]string{"192.0.2.0/24"}, nil) // in the first inventory already

	cluster := s.create(kkp.WithLabel(kkp.WorkerLabel, key.Namespace))
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(id, apply.Synced)
	s.carries(id, "192.0.2.0/24", "203.0.113.0/24")

	live := kkp.NewSeed(key, nil, nil)
	if err := c.Get(ctx, key, live); err != nil {
		t.Fatal(err)
	}
	kkp.SetSeedRanges(live, nil, []string{"198.51.100.0/24"})
	if err := c.Update(ctx, live); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return s.hasRanges(nil, []string{"198.51.100.0/24"}) })
	s.news()
	s.carries(id, "198.51.100.0/24", "203.0.113.0/24")
	s.wait(id, apply.Synced)

	// With default ranges an empty list is not open: it lets in only them.
	empty := s.create(kkp.WithList())
	s.plan(wanted(empty, render.Open))
	s.live(empty.GetName(), nil)

	if err := c.Delete(ctx, live); err != nil {
		t.Fatal(err)
	}
	s.ranges(nil, []string{"198.51.100.0/24"}) // as last known
}

func TestSeedThatIsNotThereStopsNothing(t *testing.T) {
	t.Parallel()
	key := seedKey(t, admin(t))
	lastKnown := render.SeedRanges{Known: true, Source: []string{"192.0.2.0/24"}}
	s := start(t, apply.Options{SeedResource: key, SeedRanges: lastKnown})
	s.ranges(lastKnown.Source, nil)
	cluster := s.create()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.live(cluster.GetName(), []string{"203.0.113.0/24"})
}

func TestSeedWithoutTheRightToReadItStopsNothing(t *testing.T) {
	t.Parallel()
	s := startAs(t, readerConfig(t), apply.Options{SeedResource: seedKey(t, admin(t))})
	inventory, err := s.ctl.Inventory(context.Background())
	if err != nil || inventory.Seed.Known {
		t.Errorf("the inventory says %+v, %v", inventory.Seed, err)
	}
}

func seedKey(t *testing.T, c client.Client) types.NamespacedName {
	t.Helper()
	ns := &corev1.Namespace{}
	ns.Name = "kubermatic-" + newID()
	if err := c.Create(context.Background(), ns); err != nil {
		t.Fatal(err)
	}
	return types.NamespacedName{Namespace: ns.Name, Name: "eu-west"}
}

func (s *seed) ranges(source, defaults []string) {
	s.t.Helper()
	if err := s.hasRanges(source, defaults); err != nil {
		s.t.Error(err)
	}
}

func (s *seed) hasRanges(source, defaults []string) error {
	inventory, err := s.ctl.Inventory(context.Background())
	if err != nil {
		return err
	}
	got := inventory.Seed
	if !got.Known || !slices.Equal(got.Source, source) || !slices.Equal(got.Default, defaults) {
		return fmt.Errorf("the Seed's ranges are %+v, not %v and %v", got, source, defaults)
	}
	return nil
}

// carries waits until the cluster's Service has these ranges.
func (s *seed) carries(id string, ranges ...string) {
	s.t.Helper()
	eventually(s.t, func() error {
		svc := &corev1.Service{}
		if err := s.client.Get(context.Background(), client.ObjectKey{Namespace: "cluster-" + id, Name: "front-loadbalancer"}, svc); err != nil {
			return err
		}
		if got := svc.Spec.LoadBalancerSourceRanges; !slices.Equal(got, ranges) {
			return fmt.Errorf("the Service of cluster %s carries %v, not %v", id, got, ranges)
		}
		return nil
	})
}
