package render_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// ours makes the plan live, under our name.
func (w *world) ours(p *render.Plan) {
	for id, wanted := range p.Clusters {
		c := w.inventory.Clusters[id]
		if c.UID == "" || wanted.Access != render.Restricted {
			continue
		}
		c.Live = render.Live{Set: true, CIDRs: render.Strings(wanted.List)}
		c.Ours = c.Live.CIDRs
		w.inventory.Clusters[id] = c
	}
}

func folder(tenant string) render.Claim {
	return render.Claim{Source: "s", Tenant: tenant, Path: tenant}
}

// unread makes the plan of a process that could read nothing of the source yet.
func (w *world) unread(kept map[string][]string, unknown bool) *render.Plan {
	w.base = render.Restore("s", nil, nil, nil, nil, nil).With(render.Find(kept, folder, w.inventory, unknown))
	return w.with(nil)
}

// with plans with sources that are read.
func (w *world) with(read []string) *render.Plan {
	w.t.Helper()
	in := render.Input{Sources: read, Base: w.base, Policy: w.policy, Inventory: w.inventory, Seed: w.seed, Now: w.now, Guard: &render.Guard{}}
	if read != nil {
		in.Files = w.list()
	}
	p := render.Render(in)
	w.base = p.Base()
	return p
}

func (w *world) wantList(p *render.Plan, id, rule string, list ...string) {
	w.t.Helper()
	got := p.Clusters[id]
	if got == nil {
		w.t.Fatalf("cluster %s is not in the plan", id)
	}
	if held := got.Held; (held != nil) != (rule != "") || held != nil && held.Rule != rule {
		w.t.Errorf("cluster %s is held for %+v, want %q", id, held, rule)
	}
	if have := render.Strings(got.List); !slices.Equal(have, list) || got.Writes() != (len(list) > 0) {
		w.t.Errorf("cluster %s gets %v (written: %v), want %v", id, have, got.Writes(), list)
	}
}

// kept is what two tenants' clusters carry, and what the state says of it.
func keptWorld(t *testing.T) (*world, map[string][]string) {
	w := newWorld(t)
	w.files["acme/shop.yaml"] = allowlist("shop", "shopprod01, shoptest01", "203.0.113.0/24")
	w.files["globexproj/a.yaml"] = allowlist("a", "globexprod", "198.51.100.7/32")
	p := w.plan()
	w.ours(p)
	return w, p.Kept("s")
}

var shop = []string{"192.0.2.0/28", "203.0.113.0/24"}

func TestWhatWasKept(t *testing.T) {
	w, kept := keptWorld(t)
	w.files["acme/open.yaml"] = strings.Replace(allowlist("open", "shoptest01"), "entries:", "access: unmanaged", 1)
	w.files["acme/shop.yaml"] = allowlist("shop", "shopprod01, nosuch", "203.0.113.0/24")
	now := w.plan().Kept("s")
	if len(now["acme"]) != 1 || now["acme"][0] != kept["acme"][0] || !strings.HasPrefix(now["acme"][0], "shopprod01/") {
		t.Errorf("kept is %v, was %v", now, kept)
	}
	if other := w.plan().Kept("another"); other != nil {
		t.Errorf("kept of another source is %v", other)
	}
}

// Before the source is read, the lists that the clusters show stay: somebody
// who writes over one then is put right, and nothing is taken for accepted.
func TestAnUnreadSourceKeepsWhatItsClustersShow(t *testing.T) {
	w, kept := keptWorld(t)
	p := w.unread(kept, false)
	for range 2 {
		w.wantList(p, "shopprod01", "", shop...)
		w.wantList(p, "globexprod", "", "192.0.2.0/28", "198.51.100.7/32")
		if len(p.Retained()) != 0 || len(p.Findings) != 0 {
			t.Errorf("retained %v, findings %v", p.Retained(), p.Findings)
		}
		for id, c := range w.inventory.Clusters { // opened meanwhile, by somebody
			c.Live, c.Ours = render.Live{}, nil
			w.inventory.Clusters[id] = c
		}
		p = w.with(nil)
	}
	w.files["acme/shop.yaml"] = allowlist("shop", "shopprod01, shoptest01", "203.0.113.128/25")
	p = w.with([]string{"s"})
	w.wantList(p, "shopprod01", "", "192.0.2.0/28", "203.0.113.128/25")
}

// Nothing is kept on a cluster that is not the one that was.
func TestOnlyTheVeryClusterIsFound(t *testing.T) {
	for name, change := range map[string]func(*render.Cluster){
		"made anew":                func(c *render.Cluster) { c.UID = "another" },
		"in another project":       func(c *render.Cluster) { c.Project = "globexproj" },
		"being deleted":            func(c *render.Cluster) { c.Deleting = true },
		"with what was not sent":   func(c *render.Cluster) { c.Ours = []string{"203.0.113.1/24"} },
		"with nothing":             func(c *render.Cluster) { c.Ours = []string{} },
		"overwritten by who knows": func(c *render.Cluster) { c.Ours = nil },
	} {
		t.Run(name, func(t *testing.T) {
			w, kept := keptWorld(t)
			late := w.inventory.Clusters["shopprod01"]
			w.unread(kept, false)
			c := late
			change(&c)
			w.inventory.Clusters["shopprod01"] = c
			if c.UID != late.UID || c.Project != late.Project || c.Deleting { // while it runs, too
				if got := w.with(nil).Clusters["shopprod01"]; got != nil {
					t.Errorf("it gets %v", got.List)
				}
			}
			if got := w.unread(kept, false).Clusters["shopprod01"]; got != nil {
				t.Errorf("it gets %v", got.List)
			}
		})
	}
}

// A list that nobody knows is said to be missing, until its file can be read.
func TestAnOverwrittenListIsMissedAloud(t *testing.T) {
	w, kept := keptWorld(t)
	c := w.inventory.Clusters["shopprod01"]
	c.Ours, c.Live = nil, render.Live{Set: true, CIDRs: []string{"0.0.0.0/0"}}
	w.inventory.Clusters["shopprod01"] = c
	p := w.unread(kept, true)
	for range 2 {
		w.wantList(p, "shopprod01", render.RuleUnread)
		w.wantList(p, "shoptest01", "", shop...)
		if len(p.Retained()) != 0 {
			t.Errorf("retained %v", p.Retained())
		}
		p = w.with(nil)
	}
	if again := p.Kept("s"); !slices.Equal(again["acme"], kept["acme"]) {
		t.Errorf("kept is %v from now on, was %v", again, kept)
	}
	w.wantList(w.with([]string{"s"}), "shopprod01", "", shop...)
	// Where its file is gone as well, it is said for as long as it is so.
	delete(w.files, "acme/shop.yaml")
	w.base = render.Restore("s", w.list(), nil, nil, nil, nil).With(render.Find(kept, folder, w.inventory, true))
	for range 3 {
		p = w.with([]string{"s"})
		w.wantList(p, "shopprod01", "removed-allowlist")
		w.wantList(p, "shoptest01", "removed-allowlist", shop...)
	}
}

// The files are looked for elsewhere since the restart, or of other tenants.
func TestWhatNoFileClaimsAfterARestartIsHeld(t *testing.T) {
	w, kept := keptWorld(t)
	opened := w.inventory.Clusters["shopprod01"]
	clear(w.files)
	w.files["globexproj/a.yaml"] = allowlist("a", "globexprod", "198.51.100.7/32")
	w.base = render.Restore("s", w.list(), nil, nil, nil, nil).With(render.Find(kept, folder, w.inventory, true))
	opened.Live, opened.Ours = render.Live{}, nil
	w.inventory.Clusters["shopprod01"] = opened
	for range 3 {
		p := w.with([]string{"s"})
		w.wantList(p, "shopprod01", "removed-allowlist", shop...)
		w.wantList(p, "globexprod", "", "192.0.2.0/28", "198.51.100.7/32")
		if kept := p.Retained(); len(kept) != 2 || kept["shopprod01"].Project != "acmeproj01" {
			t.Errorf("retained %v", kept)
		}
		if len(p.Findings) != 2 || p.Findings[0].Path != "acme" || p.Findings[0].Rule != "removed-allowlist" {
			t.Errorf("findings %v", p.Findings)
		}
	}
}

// A project that the policy takes from its tenant, by mistake or not, leaves
// its clusters with the lists that they had, also where nobody ran meanwhile.
func TestAPolicyTakesAProjectAway(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		w, kept := keptWorld(t)
		right := w.policy
		wrong, problems := policy.ParsePolicy([]byte(strings.Replace(policyText, "[acmeproj01, acmeproj02]", "[acmeproj02]", 1)), lint.Changeable)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if w.policy = wrong; restarted {
			w.base = render.Restore("s", w.list(), nil, nil, nil, nil).With(render.Find(kept, folder, w.inventory, true))
		}
		for range 2 {
			p := w.with([]string{"s"})
			w.wantList(p, "shopprod01", "foreign-cluster", shop...)
			w.wantList(p, "shoptest01", "", shop...)
			w.restart(p)
		}
		w.policy = right
		w.wantList(w.with([]string{"s"}), "shopprod01", "", shop...)
		// A cluster that is in another project by itself is nobody's.
		moved := w.inventory.Clusters["shopprod01"]
		moved.Project = "globexproj"
		w.inventory.Clusters["shopprod01"] = moved
		if got := w.with([]string{"s"}).Clusters["shopprod01"]; got != nil {
			t.Errorf("restarted %v: it gets %v of %s", restarted, got.List, got.Claim.Tenant)
		}
	}
}

// The tenant that has the project by now has its clusters with its first good
// list, and until then the one before stays.
func TestAPolicyGivesAProjectToAnother(t *testing.T) {
	w, _ := keptWorld(t)
	text := strings.Replace(policyText, "acme: {projects: [acmeproj01, acmeproj02]}", "acme: {projects: [acmeproj02]}, globexproj: {projects: [globexproj, acmeproj01]}", 1)
	p, problems := policy.ParsePolicy([]byte(text), lint.Changeable)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w.policy = p
	w.files["globexproj/b.yaml"] = strings.Replace(allowlist("b", "shopprod01"), "entries:", "access: open", 1)
	w.wantList(w.with([]string{"s"}), "shopprod01", "foreign-cluster", shop...)
	w.files["globexproj/b.yaml"] = allowlist("b", "shopprod01", "198.51.100.7/32")
	plan := w.with([]string{"s"})
	w.wantList(plan, "shopprod01", "", "192.0.2.0/28", "198.51.100.7/32")
	if tenant := plan.Clusters["shopprod01"].Claim.Tenant; tenant != "globexproj" {
		t.Errorf("it is %s's", tenant)
	}
}

// gone makes the plan of a process whose Config has no source s any more.
func (w *world) gone(kept map[string][]string, files ...string) *render.Plan {
	w.t.Helper()
	w.files = map[string]string{}
	for _, f := range files {
		w.files["acme/new.yaml"] = f
	}
	w.base = render.Find(kept, folder, w.inventory, true).Gone().With(&render.Base{})
	return w.renamed()
}

// renamed plans with the files as another source's.
func (w *world) renamed() *render.Plan {
	w.t.Helper()
	in := render.Input{Sources: []string{"new"}, Base: w.base, Policy: w.policy, Inventory: w.inventory, Seed: w.seed, Now: w.now, Guard: &render.Guard{}}
	for _, f := range w.list() {
		f.Source = "new"
		in.Files = append(in.Files, f)
	}
	p := render.Render(in)
	w.base = p.Base()
	return p
}

// A source that left the Config leaves its clusters to nobody, until another one
// claims them, or an operator lets go.
func TestASourceThatIsGoneKeepsItsLists(t *testing.T) {
	w, kept := keptWorld(t)
	c := w.inventory.Clusters["shoptest01"] // written over while nobody ran
	c.Live.CIDRs, c.Ours = []string{"0.0.0.0/0"}, nil
	w.inventory.Clusters["shoptest01"] = c
	p := w.gone(kept)
	for range 2 {
		w.wantList(p, "shopprod01", render.RuleGone, shop...)
		w.wantList(p, "shoptest01", render.RuleGone)
		w.wantList(p, "globexprod", render.RuleGone, "192.0.2.0/28", "198.51.100.7/32")
		if got := p.Kept("s"); len(got["acme"]) != 2 || len(got["globexproj"]) != 1 {
			t.Errorf("kept are %v, were %v", got, kept)
		}
		if len(p.Retained()) > 0 || len(p.Holds) > 0 || len(p.Findings) > 0 {
			t.Errorf("retained %v, holds %v, findings %v", p.Retained(), p.Holds, p.Findings)
		}
		p = w.renamed()
	}
	w.base = w.base.LetGo("s")
	if p = w.renamed(); len(p.Clusters) > 0 || p.Kept("s") != nil {
		t.Errorf("let go, and there are %v", p.Clusters)
	}
}

func TestAnotherSourceTakesOverWhatOneLeft(t *testing.T) {
	w, kept := keptWorld(t)
	p := w.gone(kept, allowlist("shop", "shopprod01", "203.0.113.0/24"))
	w.wantList(p, "shopprod01", "", shop...)
	w.wantList(p, "shoptest01", render.RuleGone, shop...)
	if got := p.Kept("s"); len(got["acme"]) != 1 || len(p.Kept("new")["acme"]) != 1 {
		t.Errorf("kept of the old are %v, of the new %v", got, p.Kept("new"))
	}
	delete(w.files, "acme/new.yaml")
	w.wantList(w.renamed(), "shopprod01", "removed-allowlist", shop...)
}

// Nor is a list lost where the other source's file is refused.
func TestARefusedFileKeepsWhatAnotherSourceLeft(t *testing.T) {
	w, kept := keptWorld(t)
	p := w.gone(kept, allowlist("shop", "shopprod01, globexprod", "10.0.0.1/8"))
	for range 2 {
		w.wantList(p, "shopprod01", "host-bits", shop...)
		w.wantList(p, "globexprod", render.RuleGone, "192.0.2.0/28", "198.51.100.7/32")
		p = w.renamed()
	}
	w.files["acme/new.yaml"] = allowlist("shop", "shopprod01", "203.0.113.128/25")
	w.wantList(w.renamed(), "shopprod01", "", "192.0.2.0/28", "203.0.113.128/25")
}

// As long as a source is unread, the list that was written last under our name
// counts, also where it is seen only after the first plan.
func TestWhatWasWrittenLastIsWhatWasFound(t *testing.T) {
	w, kept := keptWorld(t)
	p := w.unread(kept, false)
	newer := []string{"192.0.2.0/28", "203.0.113.0/25"}
	for _, c := range []struct {
		cidrs []string
		want  bool
	}{{newer, true}, {shop, false}, {nil, false}, {[]string{"203.0.113.1/24"}, false}} {
		if got := p.Clusters["shopprod01"].OutdatedBy(c.cidrs); got != c.want {
			t.Errorf("outdated by %v: %v", c.cidrs, got)
		}
	}
	c := w.inventory.Clusters["shopprod01"]
	c.Live.CIDRs, c.Ours = newer, newer
	w.inventory.Clusters["shopprod01"] = c
	w.wantList(w.with(nil), "shopprod01", "", newer...)
	p = w.with([]string{"s"})
	w.wantList(p, "shopprod01", "", shop...)
	if p.Clusters["shopprod01"].OutdatedBy(newer) {
		t.Error("what the files say is outdated by what is live")
	}
}
