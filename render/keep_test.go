package render_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

func unmanaged(name, clusters string) string {
	return "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: " + name + "}\nspec: {seed: eu-west, clusters: [" + clusters + "], access: unmanaged}\n"
}

func selectAll(name, cidr string) string {
	return strings.Replace(allowlist(name, "x", cidr), "clusters: [x]", "clusterSelector: {}", 1)
}

// An unmanaged cluster is left alone for as long as nobody can tell whether its
// file still says so.
func TestUnreadableFileKeepsItsUnmanagedCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/all.yaml"] = selectAll("all", "203.0.113.0/24")
	w.files["acme/z.yaml"] = unmanaged("z", "shopprod01")
	w.plan()
	w.files["acme/z.yaml"] = "{"
	for range 3 {
		p := w.plan()
		wantHeld(t, p, "shopprod01", "yaml-syntax")
		if p.Clusters["shopprod01"].Writes() {
			t.Fatalf("the cluster would be written to: %v", p.Clusters["shopprod01"].List)
		}
		w.restart(p)
	}
	delete(w.files, "acme/z.yaml") // now it is said
	wantList(t, w.plan(), "shopprod01", "203.0.113.0/24")
}

// A file that has a name of its own does not get at another's by saying that
// too.
func TestNameStaysWithTheOneThatHadIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("mine", "shopprod01", "203.0.113.0/24")
	w.files["acme/z.yaml"] = allowlist("yours", "shoptest01", "198.51.100.0/24")
	w.plan()
	w.files["acme/a.yaml"] += "---\n" + unmanaged("yours", "shoptest01")
	p := w.plan()
	if f := p.Findings[0]; f.Rule != "duplicate-name" || f.Path != "acme/a.yaml" {
		t.Errorf("the newcomer is to blame: %v", p.Findings)
	}
	wantHeld(t, p, "shoptest01", "")
	wantHeld(t, p, "shopprod01", "duplicate-name")
	w.restart(p)
	wantHeld(t, w.plan(), "shoptest01", "")
}

// A cluster made anew under the same ID by another project gets nothing of what
// the one before had, whatever becomes of its new owner's file.
func TestClusterMadeAnewInheritsNothingFromAnotherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["globexproj/a.yaml"] = allowlist("a", "globexprod", "198.51.100.0/24")
	w.plan()
	c := w.inventory.Clusters["globexprod"]
	c.UID, c.Project = "another", "acmeproj01"
	w.inventory.Clusters["globexprod"] = c
	w.files["acme/a.yaml"] = allowlist("a", "globexprod", "10.0.0.1/8")
	for range 2 {
		p := w.plan()
		wantHeld(t, p, "globexprod", "host-bits")
		if got := p.Clusters["globexprod"]; got.Writes() || len(got.Entries) > 0 {
			t.Fatalf("the cluster would get what another tenant had: %v", got.List)
		}
	}
}

// A file that was refused from the first never had the clusters that it names.
func TestRefusedNewcomerTakesNoCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "10.0.0.1/8")
	w.plan()
	w.files["acme/z.yaml"] = allowlist("z", "shopprod01", "203.0.113.0/24")
	p := w.plan()
	wantHeld(t, p, "shopprod01", "")
	wantList(t, p, "shopprod01", "203.0.113.0/24")
}

// Nor does one come by a cluster whose own file is gone, and whose list is kept.
func TestRefusedNewcomerTakesNoKeptCluster(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"at once": false, "after a restart": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.files["acme/z.yaml"] = allowlist("z", "shopprod01", "198.51.100.0/24")
			w.plan()
			delete(w.files, "acme/z.yaml")
			w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "10.0.0.1/8")
			p := w.plan()
			wantHeld(t, p, "shopprod01", "host-bits")
			wantList(t, p, "shopprod01", "198.51.100.0/24")
			if restart {
				w.restart(p)
			}
			w.files["acme/all.yaml"] = selectAll("all", "203.0.113.0/24")
			p = w.plan()
			wantHeld(t, p, "shopprod01", "")
			wantList(t, p, "shopprod01", "203.0.113.0/24")
		})
	}
}

// A list that the policy took from its tenant stays through a restart, too, while
// the file of the one that has the project now is refused.
func TestAnothersListOutlastsARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.Tenants = map[string][]string{"acme": {"acmeproj01"}, "globexproj": {"globexproj", "acmeproj02"}}
	w.files["globexproj/a.yaml"] = allowlist("a", "shoptest01", "203.0.113.0/24")
	w.plan()
	w.policy.Tenants = map[string][]string{"acme": {"acmeproj01", "acmeproj02"}}
	w.files["acme/a.yaml"] = allowlist("a", "shoptest01", "10.0.0.1/8")
	for range 3 {
		p := w.plan()
		wantHeld(t, p, "shoptest01", "foreign-cluster")
		wantList(t, p, "shoptest01", "203.0.113.0/24")
		w.restart(p)
	}
	w.files["acme/a.yaml"] = allowlist("a", "shoptest01", "198.51.100.0/24")
	p := w.plan()
	wantHeld(t, p, "shoptest01", "")
	wantList(t, p, "shoptest01", "198.51.100.0/24")
}

// A list that only stayed, as no file claimed the cluster, goes with that
// Cluster: what is made anew under its ID, and claimed by a file that is refused
// or held, gets nothing of it. One that files go on asking for stays the ID's.
func TestKeptListGoesWithItsCluster(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claim string
		hold  bool
		want  string // rule that holds the cluster
	}{
		"a refused file": {allowlist("b", "shopprod01", "10.0.0.1/8"), false, "host-bits"},
		"a held one":     {allowlist("b", "shopprod01", "203.0.113.0/24"), true, render.RuleFreeze},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart: %v", name, restart), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "198.51.100.0/24")
				w.plan()
				delete(w.files, "acme/a.yaml")
				p := w.plan()
				wantList(t, p, "shopprod01", "198.51.100.0/24")
				if restart {
					w.restart(p)
				}
				cluster := w.inventory.Clusters["shopprod01"]
				cluster.UID = "another"
				w.inventory.Clusters["shopprod01"] = cluster
				w.files["acme/b.yaml"] = c.claim
				p = w.planUnder(&render.Guard{Freeze: []policy.Freeze{{Cluster: "shopprod01", Until: w.now.Add(time.Hour), Reason: "move"}}}, c.hold)
				wantHeld(t, p, "shopprod01", c.want)
				if got := p.Clusters["shopprod01"]; got.Writes() || len(got.Entries) > 0 {
					t.Errorf("the new cluster would get what stayed on the old one: %v", got.List)
				}
			})
		}
	}
}

// planUnder plans under a guard, if that is asked for.
func (w *world) planUnder(guard *render.Guard, asked bool) *render.Plan {
	if !asked {
		guard = nil
	}
	p := render.Render(render.Input{Files: w.list(), Base: w.base, Policy: w.policy, Inventory: w.inventory, Seed: w.seed, Now: w.now, Guard: guard})
	w.base = p.Base()
	return p
}
