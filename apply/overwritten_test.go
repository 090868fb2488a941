package apply_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// lastOurs waits until a reconciler knows this list for the last one of ours.
func (s *seed) lastOurs(id string, want ...string) {
	s.t.Helper()
	eventually(s.t, func() error {
		known, err := s.ctl.Inventory(context.Background())
		if err != nil {
			return err
		}
		if got := known.Clusters[id].Ours; !slices.Equal(got, want) {
			return fmt.Errorf("the last list of ours on %s is %q, not %q", id, got, want)
		}
		return nil
	})
}

// One that stands by sees the lists that are overwritten after the leader is
// gone, and one that begins later sees only what is there.
func TestAStandbyKnowsWhatWasOverwritten(t *testing.T) {
	t.Parallel()
	ctx, leader, standby := context.Background(), start(t, apply.Options{}), start(t, apply.Options{})
	cluster, other := leader.create(), leader.create()
	id, untouched := cluster.GetName(), other.GetName()
	standby.lastOurs(id)
	leader.plan(restricted(cluster, "203.0.113.0/24"), restricted(other, "192.0.2.7/32"))
	leader.wait(id, apply.Synced)
	leader.wait(untouched, apply.Synced)
	standby.lastOurs(id, "203.0.113.0/24")
	leader.stop()
	for _, foreign := range [][]string{{"0.0.0.0/0"}, {}, {"198.51.100.0/24"}} {
		leader.must(kkp.DashboardWrite(ctx, leader.client, id, foreign))
		eventually(t, func() error {
			known, err := standby.ctl.Inventory(ctx)
			if live := known.Clusters[id].Live.CIDRs; err == nil && !slices.Equal(live, foreign) {
				err = fmt.Errorf("the standby sees %v", live)
			}
			return err
		})
		standby.lastOurs(id, "203.0.113.0/24")
	}
	late := start(t, apply.Options{})
	late.lastOurs(untouched, "192.0.2.7/32")
	late.lastOurs(id)
	standby.plan(restricted(cluster, "203.0.113.128/25"))
	for _, s := range []*seed{standby, late} {
		s.lastOurs(id, "203.0.113.128/25")
	}
	// A Cluster made anew under the name has no list yet.
	leader.must(kkp.DashboardWrite(ctx, leader.client, untouched, []string{"0.0.0.0/0"}))
	late.lastOurs(untouched, "192.0.2.7/32")
	leader.must(leader.client.Delete(ctx, other))
	anew := kkp.NewCluster(untouched, "project-1")
	eventually(t, func() error { return kkp.Create(ctx, leader.client, anew) })
	eventually(t, func() error {
		known, err := late.ctl.Inventory(ctx)
		if c := known.Clusters[untouched]; err == nil && (c.UID == string(other.GetUID()) || c.UID == "" || c.Ours != nil) {
			err = fmt.Errorf("the cluster made anew is %+v", c)
		}
		return err
	})
}

// What the state says of the clusters stays small on a large seed.
func TestKeptClustersFitIntoOneConfigMap(t *testing.T) {
	t.Parallel()
	store, _, counted := stateOf(t)
	state := apply.SourceState{Name: "customers", Kept: map[string][]string{}}
	for i := range 10_000 {
		tenant := fmt.Sprintf("tenant%d", i%100)
		state.Kept[tenant] = append(state.Kept[tenant], fmt.Sprintf("c%09d/abcd", i))
	}
	before := changes(counted)
	if err := store.SaveSource(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	if n := changes(counted) - before; n != 1 {
		t.Errorf("it takes %d writes", n)
	}
	read, _, err := store.Load(t.Context())
	if err != nil || strings.Join(read["customers"].Kept["tenant7"], " ") != strings.Join(state.Kept["tenant7"], " ") || len(read["customers"].Kept) != 100 {
		t.Errorf("read back: %v, %v", read["customers"].Kept["tenant7"], err)
	}
}
