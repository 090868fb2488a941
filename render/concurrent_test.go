package render_test

import (
	"reflect"
	"sync"
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// Plans of the same files, base and inventory can be made at once: none changes
// what they share. The race detector looks on.
func TestPlansAreMadeAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", office) + "    - group: vpn\n    - group: provider/noc\n"
	w.files["acme/b.yaml"] = allowlist("b", "shoptest01", office) + "    - {cidr: 198.51.100.9, expires: 2026-11-23}\n"
	w.files["acme/vpn.yaml"] = "apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: vpn}\nspec: {entries: [{cidr: 198.51.100.0/28}]}\n"
	w.files["globexproj/a.yaml"] = allowlist("a", "globexprod", office)
	if p := w.plan(); len(p.Clusters) != 3 || len(p.Refused) > 0 {
		t.Fatalf("not the plan to begin with: %d clusters, refused: %v", len(p.Clusters), p.Refused)
	}
	w.files["acme/b.yaml"] = allowlist("b", "shoptest01", "10.0.0.1/8") // refused
	delete(w.files, "globexproj/a.yaml")                                // kept
	in := render.Input{Files: w.list(), Base: w.base, Policy: w.policy, Inventory: w.inventory, Seed: w.seed, Now: w.now,
		Guard: &render.Guard{Freeze: []policy.Freeze{{Cluster: "shopprod01", Until: w.now.AddDate(0, 0, 1), Reason: "an audit"}}}}

	var plans [4]*render.Plan
	var group sync.WaitGroup
	for i := range plans {
		group.Go(func() { plans[i] = render.Render(in) })
	}
	group.Wait()
	for i, p := range plans {
		if len(p.Refused) != 1 || p.Clusters["globexprod"].Held == nil || p.Clusters["shoptest01"].Held == nil {
			t.Errorf("plan %d is not that of the files: %+v", i, p.Clusters)
		}
		if !reflect.DeepEqual(p, plans[0]) {
			t.Errorf("plan %d is another than the first", i)
		}
	}
}
