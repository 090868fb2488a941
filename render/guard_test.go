package render_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// guarded is a world of two tenants with many clusters, under a guard.
type guarded struct {
	*world
	guard render.Guard
	last  *render.Plan
}

// newGuarded has 20 clusters of acme, and 6 of globex; more than 3 and 25 % are
// too many.
func newGuarded(t *testing.T) *guarded {
	g := &guarded{world: newWorld(t)}
	g.world.policy.BlastRadius = policy.BlastRadius{Clusters: 3, Percent: 25}
	g.world.policy.AllowOpen = true
	clear(g.inventory.Clusters)
	for i := range 26 {
		id, project := fmt.Sprintf("cluster%03d", i), "acmeproj01"
		if i >= 20 {
			project = "globexproj"
		}
		g.inventory.Clusters[id] = render.Cluster{ID: id, UID: "uid-" + id, Project: project, ExposeStrategy: render.ExposeLoadBalancer, Namespace: "n"}
	}
	return g
}

func (g *guarded) plan() *render.Plan {
	g.last = render.Render(render.Input{Files: g.list(), Base: g.base, Policy: g.world.policy, Inventory: g.inventory, Seed: g.seed, Now: g.now, Guard: &g.guard})
	g.base = g.last.Base()
	return g.last
}

// apply makes what the plan writes live.
func (g *guarded) apply() {
	for id, w := range g.last.Clusters {
		c := g.inventory.Clusters[id]
		switch {
		case !w.Writes():
		case w.Access == render.Open:
			c.Live = render.Live{}
		default:
			c.Live = render.Live{Set: true, CIDRs: render.Strings(w.List)}
		}
		g.inventory.Clusters[id] = c
	}
}

// settle lets everything go ahead, and makes it live.
func (g *guarded) settle() {
	g.guard.Approved = []render.Approved{{Source: "s"}}
	g.plan()
	g.apply()
	g.guard.Approved = nil
}

// restarted forgets what is not written down; with its prints or without.
func (g *guarded) restarted(prints bool) {
	force := g.last.Force("s")
	g.restart(g.last)
	if prints {
		g.base.Trust("s", force)
	}
}

// lists gives clusters from one number to another a file each.
func (g *guarded) lists(from, to int, cidrs ...string) {
	for i := from; i < to; i++ {
		tenant := "acme"
		if i >= 20 {
			tenant = "globexproj"
		}
		id := fmt.Sprintf("cluster%03d", i)
		g.files[tenant+"/"+id+".yaml"] = allowlist(id, id, cidrs...)
	}
}

// wantHolds checks who is held, as tenant and number of clusters.
func (g *guarded) wantHolds(want ...string) {
	g.t.Helper()
	var got []string
	for _, h := range g.last.Holds {
		got = append(got, fmt.Sprintf("%s %d", h.Tenant, len(h.Clusters)))
		for _, id := range h.Clusters {
			if w := g.last.Clusters[id]; w.Asked == nil || w.Held == nil || w.Held.Rule != render.RuleBlastRadius {
				g.t.Errorf("cluster %s is in a hold, and is not held: %+v", id, w)
			}
		}
	}
	if !slices.Equal(got, want) {
		g.t.Fatalf("holds are %q, want %q", got, want)
	}
}

const office, home = "203.0.113.0/24", "198.51.100.7/32"

func TestFirstRestrictionOfManyIsHeld(t *testing.T) {
	g := newGuarded(t)
	g.lists(0, 6, office)
	g.plan()
	g.wantHolds("acme 6")
	if w := g.last.Clusters["cluster000"]; w.Writes() {
		t.Errorf("a held first restriction would be written: %+v", w)
	}
	g.plan() // it stays held
	g.wantHolds("acme 6")
	g.restarted(true) // over a restart too
	g.plan()
	g.wantHolds("acme 6")
	g.guard.Approved = []render.Approved{{Source: "s", Tenant: "acme"}}
	g.plan()
	g.wantHolds()
	wantList(t, g.last, "cluster000", office)
	g.guard.Approved = nil
	g.plan() // what was approved is accepted, written or not
	g.wantHolds()
	g.restarted(true)
	g.plan()
	g.wantHolds()
}

func TestFewFirstRestrictionsAreNot(t *testing.T) {
	for _, n := range []int{3, 5} { // not more than 3; not more than a quarter of 20
		g := newGuarded(t)
		g.lists(0, n, office)
		g.plan()
		g.wantHolds()
	}
}

func TestTenantsTogetherAreTooMany(t *testing.T) {
	g := newGuarded(t)
	g.world.policy.BlastRadius = policy.BlastRadius{Clusters: 5, Percent: 20}
	g.lists(0, 4, office)
	g.lists(20, 24, office)
	g.plan()
	g.wantHolds(" 8")
	if h, held := g.last.SeedHold(); !held || !h.OfSeed() {
		t.Errorf("the seed's hold is %+v, %v", h, held)
	}
	g.guard.Approved = []render.Approved{{Source: "s"}}
	g.plan()
	g.wantHolds()
}

func TestOneTenantsHoldIsNobodyElses(t *testing.T) {
	g := newGuarded(t)
	g.lists(0, 20, office)
	g.lists(20, 22, office)
	g.plan()
	g.wantHolds("acme 20")
	wantList(t, g.last, "cluster021", office)
}

func TestWhatCountsAgainstTheLimit(t *testing.T) {
	before := []string{office, home}
	for _, c := range []struct {
		name   string
		change func(*guarded)
		want   []string
	}{
		{"the same again", func(*guarded) {}, nil},
		{"a pure addition", func(g *guarded) { g.lists(0, 20, office, home, "2001:db8::/48") }, nil},
		{"access that is taken away", func(g *guarded) { g.lists(0, 20, office) }, []string{"acme 20"}},
		{"the same in fewer prefixes", func(g *guarded) { g.lists(0, 20, "203.0.113.0/25", "203.0.113.128/25", home) }, nil},
		{"a swap", func(g *guarded) { g.lists(0, 20, office, "198.51.100.8/32") }, []string{"acme 20"}},
		{"what takes away from few goes along with the rest", func(g *guarded) {
			g.lists(0, 10, office)
			g.lists(10, 12, office, home, "2001:db8::/48")
		}, []string{"acme 12"}},
		{"opening", func(g *guarded) {
			for path, text := range g.files {
				g.files[path] = text[:len(text)-len("  entries:\n    - {cidr: \"203.0.113.0/24\"}\n    - {cidr: \"198.51.100.7/32\"}\n")] + "  access: open\n"
			}
		}, []string{"acme 20"}},
		{"leaving alone", func(g *guarded) {
			for path, text := range g.files {
				g.files[path] = text[:len(text)-len("  entries:\n    - {cidr: \"203.0.113.0/24\"}\n    - {cidr: \"198.51.100.7/32\"}\n")] + "  access: unmanaged\n"
			}
		}, nil},
		{"files that are gone", func(g *guarded) { clear(g.files) }, nil},
		{"an overwrite that is put right", func(g *guarded) { g.live(0, 20, "0.0.0.0/0") }, nil},
		{"a list that was wiped", func(g *guarded) { g.live(0, 20) }, nil},
		{"an overwrite, and access that is taken away", func(g *guarded) { g.live(0, 20, "0.0.0.0/0"); g.lists(0, 20, office) }, []string{"acme 20"}},
		{"access that was taken away by hand before", func(g *guarded) { g.live(0, 20, "192.0.2.0/28", office); g.lists(0, 20, office) }, nil},
		{"a platform's range that goes", func(g *guarded) {
			seed := g.world.policy.Seeds["eu-west"]
			seed.Platform = nil
			g.world.policy.Seeds["eu-west"] = seed
		}, []string{"acme 20"}},
		{"other clusters than by load balancer", func(g *guarded) {
			for id, c := range g.inventory.Clusters {
				c.ExposeStrategy = "Tunneling"
				g.inventory.Clusters[id] = c
			}
			g.lists(0, 20, office)
		}, nil},
		{"what the Seed lets in all the same", func(g *guarded) {
			g.inventory.Seed = render.SeedRanges{Known: true, Source: []string{home}}
			g.lists(0, 20, office)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuarded(t)
			g.lists(0, 20, before...)
			g.settle()
			c.change(g)
			g.plan()
			g.wantHolds(c.want...)
			for id, w := range g.last.Clusters {
				if w.Asked != nil && (w.Access != render.Restricted || !slices.Equal(render.Strings(w.List), []string{"192.0.2.0/28", home, office})) {
					t.Errorf("held cluster %s does not keep its list: %s %v", id, w.Access, w.List)
				}
			}
		})
	}
}

// live sets what clusters carry, past any plan; nothing is an absent list.
func (g *guarded) live(from, to int, cidrs ...string) {
	for i := from; i < to; i++ {
		id := fmt.Sprintf("cluster%03d", i)
		c := g.inventory.Clusters[id]
		c.Live = render.Live{Set: len(cidrs) > 0, CIDRs: cidrs}
		g.inventory.Clusters[id] = c
	}
}

func TestExpiryNeverCounts(t *testing.T) {
	g := newGuarded(t)
	for i := range 20 {
		id := fmt.Sprintf("cluster%03d", i)
		g.files["acme/"+id+".yaml"] = allowlist(id, id, office) + "    - {cidr: 198.51.100.7, expires: 2026-11-30}\n"
	}
	g.settle()
	g.now = g.now.AddDate(0, 0, 30)
	g.plan()
	g.wantHolds()
	wantList(t, g.last, "cluster000", office)
	g.base = nil // nor after all was forgotten
	g.plan()
	g.wantHolds()
}

// A list that is kept for a file's fault is nothing new to a freeze, which would
// take the provider's ranges out of it: not even after a restart, which left the
// tenant's entries alone.
func TestFreezeLeavesKeptListsWhole(t *testing.T) {
	for name, change := range map[string]func(*guarded){
		"removed": func(g *guarded) { clear(g.files) },
		"wrong":   func(g *guarded) { g.lists(0, 2, "10.0.0.1/8") },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t)
			g.lists(0, 2, office)
			g.settle()
			change(g)
			g.plan()
			g.restarted(true)
			g.guard.Freeze = []policy.Freeze{{Cluster: policy.WholeSeed, Until: g.now.Add(time.Hour), Reason: "a move"}}
			g.plan()
			w := g.last.Clusters["cluster000"]
			if got := render.Strings(w.List); !slices.Equal(got, []string{"192.0.2.0/28", office}) || w.Held == nil || w.Held.Rule == render.RuleFreeze {
				t.Errorf("its list is %v, held for %+v", got, w.Held)
			}
		})
	}
}

// A list that a freeze holds is kept whole, too, where the tenant's last file goes
// meanwhile, or its source cannot be read: once and again, over restarts.
func TestFreezeLeavesListsWholeThatNobodyClaims(t *testing.T) {
	g := newGuarded(t)
	g.lists(0, 2, office)
	g.settle()
	g.guard.Freeze = []policy.Freeze{{Cluster: policy.WholeSeed, Until: g.now.Add(time.Hour), Reason: "a move"}}
	g.lists(0, 2, home)
	g.plan()
	clear(g.files)
	for range 3 {
		g.plan()
		w := g.last.Clusters["cluster000"]
		if got := render.Strings(w.List); !slices.Equal(got, []string{"192.0.2.0/28", office}) || w.Held == nil {
			t.Errorf("its list is %v, held for %+v", got, w.Held)
		}
		g.restarted(true)
	}
}

// A line that expired long ago excuses its own prefix, which was let in by it,
// and nothing that was let in beside it.
func TestExpiredLineExcusesNothingElse(t *testing.T) {
	const old = "    - {cidr: 198.51.0.0/16, expires: 2026-11-30}\n"
	for _, c := range []struct {
		name          string
		before, after []string
		line          bool // is still there at the end
		base          bool
		want          []string
	}{
		{"a part of it that was let in for good", []string{office, home}, []string{office}, true, true, []string{"acme 20"}},
		{"the same, of which nothing is known", []string{office, home}, []string{office}, true, false, []string{"acme 20"}},
		{"the very same, let in for good", []string{office, "198.51.0.0/16"}, []string{office}, true, true, []string{"acme 20"}},
		{"the line", []string{office}, []string{office}, false, true, nil},
		{"the line, and a part", []string{office, home}, []string{office}, false, true, []string{"acme 20"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuarded(t)
			put := func(line bool, cidrs ...string) {
				for i := range 20 {
					id := fmt.Sprintf("cluster%03d", i)
					g.files["acme/"+id+".yaml"] = allowlist(id, id, cidrs...)
					if line {
						g.files["acme/"+id+".yaml"] += old
					}
				}
			}
			put(true, office)
			g.settle()
			g.now = g.now.AddDate(0, 0, 30) // the line is over, and was seen to be
			g.settle()
			put(true, c.before...)
			g.settle()
			put(c.line, c.after...)
			if !c.base {
				g.base = nil
			}
			g.plan()
			g.wantHolds(c.want...)
		})
	}
}

// A family of which all expired keeps its last entry; that it then gets another
// is no harm, and that it gets none is.
func TestKeptEntryThatGoes(t *testing.T) {
	for name, c := range map[string]struct {
		after []string
		want  []string
	}{
		"for another": {[]string{"198.51.100.8/32"}, nil},
		"for none":    {nil, []string{"acme 20"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t)
			for i := range 20 {
				id := fmt.Sprintf("cluster%03d", i)
				g.files["acme/"+id+".yaml"] = allowlist(id, id, "2001:db8::/48") + "    - {cidr: 198.51.100.7, expires: 2026-11-30}\n"
			}
			g.settle()
			seed := g.world.policy.Seeds["eu-west"]
			seed.Platform = nil // else the file would be refused
			g.world.policy.Seeds["eu-west"] = seed
			g.now = g.now.AddDate(0, 0, 30)
			g.settle()
			wantList(t, g.last, "cluster000", home, "2001:db8::/48")
			g.lists(0, 20, append([]string{"2001:db8::/48"}, c.after...)...)
			g.plan()
			g.wantHolds(c.want...)
		})
	}
}

func TestHeldListsGoOnToExpire(t *testing.T) {
	g := newGuarded(t)
	for i := range 20 {
		id := fmt.Sprintf("cluster%03d", i)
		g.files["acme/"+id+".yaml"] = allowlist(id, id, office) + "    - {cidr: 198.51.100.7, expires: 2026-11-30}\n"
	}
	g.settle()
	g.lists(0, 20, "203.0.113.0/25")
	g.plan()
	g.wantHolds("acme 20")
	wantList(t, g.last, "cluster000", home, office)
	g.now = g.last.Next
	g.plan()
	g.wantHolds("acme 20")
	wantList(t, g.last, "cluster000", office)
}

func TestHoldEndsWhereTheFilesTurnBack(t *testing.T) {
	g := newGuarded(t)
	g.lists(0, 20, office, home)
	g.settle()
	g.lists(0, 20, office)
	g.plan()
	g.wantHolds("acme 20")
	g.lists(0, 20, office, home)
	g.plan()
	g.wantHolds()
}

// A restart in the middle of a rollout must go on with it; and one that finds
// another provider's part measures against what is live.
func TestGuardAfterARestart(t *testing.T) {
	for _, c := range []struct {
		name   string
		same   bool
		change func(*guarded)
		want   []string
	}{
		{"an unfinished rollout", true, func(g *guarded) { g.live(0, 20, office, home, "2001:db8::/48") }, nil},
		{"unfinished, with the prints lost", false, func(g *guarded) { g.live(0, 20, office, home, "2001:db8::/48") }, []string{"acme 20"}},
		{"in line, with the prints lost", false, func(*guarded) {}, nil},
		{"a policy that takes away", true, func(g *guarded) {
			seed := g.world.policy.Seeds["eu-west"]
			seed.Platform = nil
			g.world.policy.Seeds["eu-west"] = seed
		}, []string{"acme 20"}},
		{"entries that expired", true, func(g *guarded) { g.now = g.now.AddDate(0, 0, 30) }, nil},
		{"another tenant's new clusters", true, func(g *guarded) {
			g.live(0, 20, office, home, "2001:db8::/48")
			g.lists(20, 22, office)
		}, nil},
		{"as many lists more", true, func(g *guarded) {
			for i := 30; i < 50; i++ {
				id := fmt.Sprintf("cluster%03d", i)
				g.inventory.Clusters[id] = render.Cluster{ID: id, UID: "uid-" + id, Project: "acmeproj01", ExposeStrategy: render.ExposeLoadBalancer, Namespace: "n"}
				g.files["acme/"+id+".yaml"] = allowlist(id, id, office)
			}
		}, []string{"acme 20"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuarded(t)
			g.lists(0, 20, office, home)
			g.settle()
			c.change(g)
			g.restarted(c.same)
			g.plan()
			g.wantHolds(c.want...)
		})
	}
}

// A list kept by a hold is the one kept after a restart, the platform's range
// that is no longer in the policy too.
func TestHeldListsOutliveARestart(t *testing.T) {
	g := newGuarded(t)
	g.lists(0, 20, office, home)
	g.settle()
	seed := g.world.policy.Seeds["eu-west"]
	seed.Platform = nil
	g.world.policy.Seeds["eu-west"] = seed
	for range 3 {
		g.plan()
		g.wantHolds("acme 20")
		if got := render.Strings(g.last.Clusters["cluster000"].List); !slices.Contains(got, "192.0.2.0/28") {
			t.Fatalf("the platform's range is gone: %v", got)
		}
		g.restarted(false)
	}
}

// Lists of held tenants that are in force are put right after a restart.
func TestRestartTrustsTheRestOfAHeldTenant(t *testing.T) {
	g := newGuarded(t)
	g.lists(0, 2, office)
	g.settle()
	g.lists(2, 20, office)
	g.plan()
	g.wantHolds("acme 18")
	g.live(0, 2, "0.0.0.0/0") // by hand, while nobody looks
	g.restarted(true)
	g.plan()
	g.wantHolds("acme 18")
	wantList(t, g.last, "cluster000", office)
}

func TestFreeze(t *testing.T) {
	until := date("2026-11-30T06:00:00Z")
	for _, c := range []struct {
		name   string
		of     string
		change func(*guarded)
		held   bool
	}{
		{"a list that changes", "cluster000", func(g *guarded) { g.lists(0, 1, office, "2001:db8::/48") }, true},
		{"the whole seed", policy.WholeSeed, func(g *guarded) { g.lists(0, 1, "2001:db8::/48") }, true},
		{"another cluster's", "cluster001", func(g *guarded) { g.lists(0, 1, "2001:db8::/48") }, false},
		{"a tightening", "cluster000", func(g *guarded) { g.lists(0, 1, office) }, false},
		{"nothing new", "cluster000", func(*guarded) {}, false},
		{"drift", "cluster000", func(g *guarded) { g.live(0, 1, "0.0.0.0/0") }, false},
		{"opening", "cluster000", func(g *guarded) {
			g.files["acme/cluster000.yaml"] = "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: a}\nspec: {seed: eu-west, clusters: [cluster000], access: open}\n"
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuarded(t)
			g.lists(0, 1, office, home)
			g.settle()
			g.guard.Freeze = []policy.Freeze{{Cluster: c.of, Until: until, Reason: "an audit"}}
			c.change(g)
			g.plan()
			w := g.last.Clusters["cluster000"]
			if held := w.Held != nil && w.Held.Rule == render.RuleFreeze; held != c.held {
				t.Fatalf("held: %v, want %v: %+v", held, c.held, w.Held)
			}
			if c.held {
				wantList(t, g.last, "cluster000", home, office)
				g.restarted(true) // a restart does not thaw
				g.plan()
				wantList(t, g.last, "cluster000", home, office)
				if !g.last.Next.Equal(until) {
					t.Errorf("the plan is made anew at %s, want %s", g.last.Next, until)
				}
			}
			g.now = until
			g.plan()
			if w := g.last.Clusters["cluster000"]; w.Held != nil {
				t.Errorf("still held after the freeze: %+v", w.Held)
			}
		})
	}
}

// A family without entries may be open to everyone: dropping one is no
// tightening, unless the balancer is known to deny it, or the Seed adds some.
func TestFreezeHoldsAListThatDropsAFamily(t *testing.T) {
	const v6 = "2001:db8::/48"
	for _, c := range []struct {
		name, balancer string
		seed           []string
		left           string
		held           bool
	}{
		{"IPv4 on gke", "gke", nil, v6, true},
		{"IPv6 on gke", "gke", nil, office, true},
		{"unknown", "generic", nil, v6, true},
		{"denied", "cilium", nil, v6, false},
		{"the Seed has it", "gke", []string{"192.0.2.0/28"}, v6, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuarded(t)
			seed := g.world.policy.Seeds["eu-west"]
			seed.Platform = nil
			seed.Profile, _ = profile.Get(c.balancer)
			g.world.policy.Seeds["eu-west"] = seed
			g.inventory.Seed = render.SeedRanges{Known: true, Source: c.seed}
			g.lists(0, 1, office, v6)
			g.settle()
			g.guard.Freeze = []policy.Freeze{{Cluster: policy.WholeSeed, Until: g.now.Add(time.Hour), Reason: "an audit"}}
			g.lists(0, 1, c.left)
			g.plan()
			if !c.held {
				wantList(t, g.last, "cluster000", c.left)
				return
			}
			wantList(t, g.last, "cluster000", office, v6)
			if w := g.last.Clusters["cluster000"]; w.Held == nil || w.Held.Rule != render.RuleFreeze {
				t.Errorf("held: %+v", w.Held)
			}
		})
	}
}

func TestFreezeHoldsAFirstRestriction(t *testing.T) {
	g := newGuarded(t)
	g.guard.Freeze = []policy.Freeze{{Cluster: policy.WholeSeed, Until: g.now.Add(time.Hour), Reason: "an audit"}}
	g.lists(0, 1, office)
	for range 3 { // over restarts too
		g.plan()
		if w := g.last.Clusters["cluster000"]; w.Held == nil || w.Writes() {
			t.Fatalf("a first restriction is not held: %+v", w)
		}
		g.restarted(true)
	}
	g.now = g.now.Add(2 * time.Hour)
	g.plan()
	wantList(t, g.last, "cluster000", office)
}

// What was held is in what is kept. With that lost, the prints tell that not
// all that the files say was in force.
func TestHeldListsThatAreForgottenAreHeldAgain(t *testing.T) {
	g := newGuarded(t)
	g.lists(0, 20, office)
	g.plan()
	g.wantHolds("acme 20")
	force := g.last.Force("s")
	g.base = render.Restore("s", g.list(), nil, nil, nil, nil).Trust("s", force)
	g.plan()
	g.wantHolds("acme 20")
}

// A hold is lifted by an approval, or by files that no longer ask for it; not by
// clusters that come, or by what somebody makes live.
func TestHoldStands(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*guarded)
		want   []string
	}{
		{"more clusters", func(g *guarded) {
			for i := range 40 {
				id := fmt.Sprintf("dummy%03d", i)
				g.inventory.Clusters[id] = render.Cluster{ID: id, Project: "acmeproj01", ExposeStrategy: render.ExposeLoadBalancer}
			}
		}, []string{"acme 6"}},
		{"clusters without a load balancer", func(g *guarded) {
			for i := range 40 {
				id := fmt.Sprintf("dummy%03d", i)
				g.inventory.Clusters[id] = render.Cluster{ID: id, Project: "acmeproj01", ExposeStrategy: "NodePort"}
			}
		}, []string{"acme 6"}},
		{"lists set by hand", func(g *guarded) { g.live(0, 5, "203.0.112.0/23", "192.0.2.0/28") }, []string{"acme 6"}},
		{"files that ask for less", func(g *guarded) { g.lists(0, 6, office, home) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, first := range []bool{true, false} {
				g := newGuarded(t)
				if !first {
					g.lists(0, 6, office, home)
					g.settle()
				} else if c.want == nil {
					continue
				}
				g.lists(0, 6, "203.0.113.0/25")
				g.plan()
				g.wantHolds("acme 6")
				c.change(g)
				g.plan()
				g.wantHolds(c.want...)
				g.restarted(true)
				g.plan()
				g.wantHolds(c.want...)
			}
		})
	}
}

// Approving what all tenants change together approves no tenant's own.
func TestApprovalOfTheRestIsOfNoTenantAlone(t *testing.T) {
	g := newGuarded(t)
	g.world.policy.BlastRadius = policy.BlastRadius{Clusters: 5, Percent: 20}
	g.lists(0, 4, office)
	g.lists(20, 24, office)
	g.plan()
	g.wantHolds(" 8")
	g.lists(4, 12, office)
	g.guard.Approved = []render.Approved{{Source: "s", Rest: true}}
	g.plan()
	g.wantHolds("acme 12")
	wantList(t, g.last, "cluster020", office)
}
