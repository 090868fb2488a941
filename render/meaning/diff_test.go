package meaning_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/meaning"
)

func path(text string) tree { return tree{"acme/a.yaml": text} }

// Who comes in and who goes, as sets of addresses.
func TestGainedAndLost(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		before, after string // the entries
		gained, lost  string
		changed       bool
	}{
		"nothing":             {"[{cidr: 10.0.0.0/24}]", "[{cidr: 10.0.0.0/24}]", "", "", false},
		"another description": {"[{cidr: 10.0.0.0/24}]", "[{cidr: 10.0.0.0/24, description: office}]", "", "", false},
		"another order":       {"[{cidr: 10.0.0.0/24}, {cidr: 10.0.2.0/24}]", "[{cidrs: [10.0.2.0/24, 10.0.0.0/24]}]", "", "", false},
		"split":               {"[{cidr: 10.0.0.0/24}]", "[{cidrs: [10.0.0.0/25, 10.0.0.128/25]}]", "", "", false},
		"merged":              {"[{cidrs: [10.0.0.0/25, 10.0.0.128/25]}]", "[{cidr: 10.0.0.0/24}]", "", "", false},
		"added":               {"[{cidr: 10.0.0.0/24}]", "[{cidr: 10.0.0.0/24}, {cidr: 10.0.3.0/24}]", "10.0.3.0/24", "", true},
		"widened":             {"[{cidr: 10.0.0.0/24}]", "[{cidr: 10.0.0.0/22}]", "10.0.1.0/24 10.0.2.0/23", "", true},
		"narrowed":            {"[{cidr: 10.0.0.0/24}]", "[{cidr: 10.0.0.0/26}]", "", "10.0.0.64/26 10.0.0.128/25", true},
		"another family":      {"[{cidr: 10.0.0.0/24}]", "[{cidr: 10.0.0.0/24}, {cidr: '2001:db8::/64'}]", "2001:db8::/64", "", true},
		"moved":               {"[{cidr: 10.0.0.0/24}, {cidr: 10.9.0.0/24}]", "[{cidr: 10.0.0.0/24}, {cidr: 10.8.0.0/24}]", "10.8.0.0/24", "10.9.0.0/24", true},
		"long expired, gone":  {"[{cidr: 10.0.0.0/24}, {cidr: 10.1.0.0/24, expires: 2020-01-01}]", "[{cidr: 10.0.0.0/24}]", "", "", false},
		"removed, covered":    {"[{cidr: 10.0.0.0/24}, {cidr: 10.0.0.7}]", "[{cidr: 10.0.0.0/24}]", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := compare(path(list("entries: "+row.before)), path(list("entries: "+row.after)))
			var gained, lost []string
			for _, c := range d.Clusters {
				gained, lost = render.Strings(c.Gained), render.Strings(c.Lost)
			}
			if strings.Join(gained, " ") != row.gained || strings.Join(lost, " ") != row.lost || d.Changed() != row.changed {
				t.Errorf("gained %v, lost %v, changed %v", gained, lost, d.Changed())
			}
		})
	}
}

func TestLossesNameWhoLoses(t *testing.T) {
	t.Parallel()
	d := compare(
		path(list("nodeEgress: [10.7.0.1]", "entries:", "- {cidr: 10.0.0.0/24, description: office, owner: netops}", "- cidr: 10.3.0.0/24")),
		path(list("nodeEgress: [10.7.0.2]", "entries:", "- {cidr: 10.0.0.0/25, description: office, owner: netops}", "- cidr: 10.3.0.0/24")))
	c := only(t, d)
	if len(c.Losses) != 2 || c.Losses[0].Entry.Owner != "netops" || c.Losses[0].Entry.Line != 8 || c.Losses[1].Entry.Kind != "nodeEgress" {
		t.Errorf("losses: %+v", c.Losses)
	}
	if got := c.Losses[0].Prefixes; !slices.Equal(got, prefixList("10.0.0.128/25")) {
		t.Errorf("the office loses %v", got)
	}
	if d.Class != meaning.Review || !slices.Contains(d.Why, meaning.Reason{Text: "node egress is taken away"}) {
		t.Errorf("class %s: %v", d.Class, d.Why)
	}
}

// An entry that is removed to no effect is said to be, with what covers it.
func TestRemovedButStillLetIn(t *testing.T) {
	t.Parallel()
	before := tree{"acme/a.yaml": list("entries:", "- {cidr: 10.0.0.0/24, description: office}", "- {cidr: 10.0.0.7, description: leaver}")}
	c := only(t, compare(before, path(list("entries:", "- {cidr: 10.0.0.0/24, description: office}"))))
	if len(c.StillIn) != 1 || c.StillIn[0].Entry.Description != "leaver" || c.StillIn[0].By[0].Description != "office" {
		t.Errorf("still in: %+v", c.StillIn)
	}
	moved := compare(before, tree{
		"acme/a.yaml": list("entries:", "- {cidr: 10.0.0.0/24, description: office}", "- group: one"),
		"acme/g.yaml": group("one", "{cidr: 10.0.0.7}")})
	if got := moved.Clusters; len(got) > 0 && !got[0].Changed() && len(got[0].StillIn) == 0 {
		t.Errorf("an entry moved to a group: %+v", got)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	entries := func(last string) tree { return path(list("entries: [{cidr: 10.0.0.0/24}, " + last + "]")) }
	day := "{cidr: 10.1.0.0/24, expires: 2031-01-01}"
	for name, row := range map[string]struct {
		before, after  string
		expiries, gain int
		changed        bool
	}{
		"later":         {day, "{cidr: 10.1.0.0/24, expires: 2031-02-01}", 1, 0, true},
		"for good":      {day, "{cidr: 10.1.0.0/24}", 1, 0, true},
		"split alike":   {day, "{cidrs: [10.1.0.0/25, 10.1.0.128/25], expires: 2031-01-01}", 0, 0, false},
		"part for good": {day, day + ", {cidr: 10.1.0.0/25}", 1, 0, true},
		"taken up":      {"{cidr: 10.1.0.0/24, expires: 2029-01-01}", day, 0, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := compare(entries(row.before), entries(row.after))
			found, gains := 0, 0
			for _, c := range d.Clusters {
				found, gains = len(c.Expiries), len(c.Gains)
			}
			if found != row.expiries || gains != row.gain || d.Changed() != row.changed {
				t.Errorf("%d expiries, %d gains, changed %v: %+v", found, gains, d.Changed(), d.Clusters)
			}
		})
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	restricted, open, unmanaged := list("entries: [{cidr: 10.0.0.0/24}]"), list("access: open"), list("access: unmanaged")
	allow := mustPolicy(t, "seeds: {west: {}}\nallowOpen: true\n")
	for name, row := range map[string]struct {
		before, after tree
		from, to      render.Access
		opened, first bool
	}{
		"opened":            {path(restricted), path(open), "restricted", "open", true, false},
		"opened when new":   {tree{}, path(open), "unknown", "open", true, false},
		"restricted":        {path(open), path(restricted), "open", "restricted", false, true},
		"new":               {tree{}, path(restricted), "unknown", "restricted", false, true},
		"let go":            {path(restricted), path(unmanaged), "restricted", "unmanaged", false, false},
		"taken up":          {path(unmanaged), path(restricted), "unmanaged", "restricted", false, true},
		"gone: held":        {path(restricted), tree{}, "restricted", "restricted", false, false},
		"broken: held":      {path(restricted), path(list("entries: [{cidr: 10.0.0.1/24}]")), "restricted", "restricted", false, false},
		"broken when new":   {tree{}, path(list("entries: [{cidr: 10.0.0.1/24}]")), "unknown", "unknown", false, false},
		"moved to a folder": {tree{"globex/a.yaml": restricted}, path(restricted), "restricted", "restricted", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := comparison{before: row.before, after: row.after, policy: allow}.run()
			c := only(t, d)
			if c.Before != row.from || c.After != row.to || c.Opened() != row.opened || c.FirstRestricted() != row.first {
				t.Errorf("%s -> %s, opened %v, first %v", c.Before, c.After, c.Opened(), c.FirstRestricted())
			}
			if !d.Changed() || d.Class != meaning.Review {
				t.Errorf("changed %v, class %s: %v", d.Changed(), d.Class, d.Why)
			}
			if held := strings.Contains(name, "held") || strings.Contains(name, "broken"); held != c.NewlyHeld() {
				t.Errorf("held: %+v", c.Held)
			}
		})
	}
}

// What is new is compared with what is live, where that is known.
func TestLive(t *testing.T) {
	t.Parallel()
	inventory := func(live render.Live) render.Inventory {
		return render.Inventory{Known: true, Seed: render.SeedRanges{Known: true, Default: []string{"10.9.0.0/24"}}, Clusters: map[string]render.Cluster{
			"prod": {ID: "prod", Project: "acme", Name: "shop", ExposeStrategy: "LoadBalancer", Live: live}}}
	}
	after := path(list("entries: [{cidr: 10.0.0.0/24}]"))
	c := only(t, comparison{after: after, inventory: inventory(render.Live{Set: true, CIDRs: []string{"10.0.0.0/25", "10.5.0.0/24"}})}.run())
	if c.Before != render.Restricted || !slices.Equal(c.Gained, prefixList("10.0.0.128/25")) || !slices.Equal(c.Lost, prefixList("10.5.0.0/24")) {
		t.Errorf("%s: gained %v, lost %v", c.Before, c.Gained, c.Lost)
	}
	if c.Title != "shop (prod)" || len(c.Losses) != 1 || c.Losses[0].Entry.Kind != "" {
		t.Errorf("%s loses %+v", c.Title, c.Losses)
	}
	if c := only(t, comparison{after: after, inventory: inventory(render.Live{})}.run()); c.Before != render.Open || !c.FirstRestricted() {
		t.Errorf("without a list: %s", c.Before)
	}
}

// What is removed can be let in still by what KKP adds of the Seed's own.
func TestSeedRanges(t *testing.T) {
	t.Parallel()
	inventory := render.Inventory{Known: true, Seed: render.SeedRanges{Known: true, Source: []string{"10.9.0.0/24"}}, Clusters: map[string]render.Cluster{
		"prod": {ID: "prod", Project: "acme", ExposeStrategy: "LoadBalancer"}}}
	d := comparison{before: path(list("entries: [{cidr: 10.0.0.0/24}, {cidr: 10.9.0.7}]")), after: path(list("entries: [{cidr: 10.0.0.0/24}]")), inventory: inventory}.run()
	c := only(t, d)
	if len(c.Lost) > 0 || len(c.StillIn) != 1 || c.StillIn[0].By[0].Kind != meaning.FromSeed {
		t.Errorf("lost %v, still in %+v", c.Lost, c.StillIn)
	}
	if len(d.NotFromFiles) != 1 || d.NotFromFiles[0].By != "seed" || slices.ContainsFunc(d.NotCompared, func(s string) bool { return strings.Contains(s, "Seed") }) {
		t.Errorf("not from files %+v, not compared %v", d.NotFromFiles, d.NotCompared)
	}
}

func TestMoved(t *testing.T) {
	t.Parallel()
	text := list("entries: [{cidr: 10.0.0.0/24}]")
	d := compare(path(text), tree{"acme/b.yaml": "# moved\n" + text})
	c := only(t, d)
	if c.MovedFrom == nil || c.MovedFrom.Path != "acme/a.yaml" || c.Claim.Path != "acme/b.yaml" {
		t.Errorf("moved from %+v to %+v", c.MovedFrom, c.Claim)
	}
	if d.Changed() || d.Class != meaning.Routine {
		t.Errorf("changed %v, class %s: %v", d.Changed(), d.Class, d.Why)
	}
}

func TestGroupReach(t *testing.T) {
	t.Parallel()
	files := func(entries string) tree {
		return tree{"acme/g.yaml": group("vpn", entries), "globex/g.yaml": group("vpn", "{cidr: 10.8.0.0/24}"),
			"acme/a.yaml":   listOf("a", "one, two", "entries: [{group: vpn}]"),
			"acme/b.yaml":   listOf("b", "three", "entries: [{cidr: 10.0.0.0/24}, {group: vpn}]"),
			"acme/c.yaml":   listOf("c", "four", "entries: [{cidr: 10.0.0.0/24}]"),
			"globex/a.yaml": listOf("a", "five", "entries: [{group: vpn}]")}
	}
	d := compare(files("{cidr: 10.1.0.0/24}"), files("{cidr: 10.1.0.0/24}, {cidr: 10.2.0.0/24}"))
	if len(d.Groups) != 1 || d.Groups[0].Name != "vpn" || d.Groups[0].Clusters != 3 || len(d.Groups[0].Lists) != 2 || len(d.Clusters) != 3 {
		t.Errorf("groups %+v; %d clusters", d.Groups, len(d.Clusters))
	}
	if d := compare(files("{cidr: 10.1.0.0/24}"), files("{cidrs: [10.1.0.0/24], description: VPN}")); len(d.Groups) != 0 {
		t.Errorf("a group that means the same: %+v", d.Groups)
	}
}

func TestSelectorsAreOneTargetEach(t *testing.T) {
	t.Parallel()
	text := func(entries string) tree {
		return path(strings.Replace(list("entries: "+entries), "clusters: [prod]", "clusterSelector: {}", 1))
	}
	d := compare(text("[{cidr: 10.0.0.0/24}]"), text("[{cidr: 10.0.0.0/25}]"))
	if c := only(t, d); !c.Selects() || !slices.Equal(c.Lost, prefixList("10.0.0.128/25")) || c.Title != "the clusters that production selects" {
		t.Errorf("%+v", c)
	}
	if !slices.Contains(d.NotCompared, "which clusters a clusterSelector selects") {
		t.Errorf("not compared: %v", d.NotCompared)
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	shared := mustPolicy(t, "seeds: {west: {loadBalancer: aws-nlb, platform: [{cidr: 10.200.0.0/28}]}}\n")
	own := mustPolicy(t, "seeds: {west: {loadBalancer: aws-lbc}}\n")
	before := path(listOf("a", "one, two", "entries: [{cidr: 10.0.0.0/24}]"))
	after := path(listOf("a", "one, two", "entries: [{cidr: 10.0.0.0/24}, {cidr: 10.0.4.0/24}]"))
	for name, row := range map[string]struct {
		c    comparison
		want []meaning.Budget
	}{
		"shared by the seed": {comparison{before: before, after: after, policy: shared}, []meaning.Budget{{Seed: "west", Before: 12, After: 18, Limit: 60}}},
		"each its own": {comparison{before: before, after: after, policy: own}, []meaning.Budget{
			{Seed: "west", Cluster: "one", Before: 3, After: 6, Limit: 60}, {Seed: "west", Cluster: "two", Before: 3, After: 6, Limit: 60}}},
		"unchanged": {comparison{before: after, after: after, policy: own}, nil},
		"no limit":  {comparison{before: before, after: after}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := row.c.run().Budgets; !slices.Equal(got, row.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func whyOf(d *meaning.Diff) string {
	var out []string
	for _, r := range d.Why {
		out = append(out, r.Text)
	}
	return strings.Join(out, "; ")
}

func TestClass(t *testing.T) {
	t.Parallel()
	base := []string{"nodeEgress: [10.7.0.1]", "tests: [{allow: 10.0.0.1}]"}
	text := func(entries string, more ...string) tree { return path(list(append(more, "entries: "+entries)...)) }
	before := text("[{cidr: 10.0.0.0/24}, {cidr: 10.1.0.0/24}]", base...)
	for name, row := range map[string]struct {
		after tree
		class meaning.Class
		why   string
	}{
		"narrow":             {text("[{cidr: 10.0.0.0/24}, {cidr: 10.1.0.0/24}, {cidr: 10.2.0.0/24}]", base...), meaning.Routine, ""},
		"wide":               {text("[{cidr: 10.0.0.0/24}, {cidr: 10.1.0.0/24}, {cidr: 10.2.0.0/23}]", base...), meaning.Review, "wider than routine"},
		"wide in two halves": {text("[{cidr: 10.0.0.0/24}, {cidr: 10.1.0.0/24}, {cidrs: [10.2.0.0/24, 10.2.1.0/24]}]", base...), meaning.Review, "wider than routine"},
		"wide for a time":    {text("[{cidr: 10.0.0.0/24}, {cidr: 10.1.0.0/24}, {cidr: 10.2.0.0/20, expires: 2031-01-01}]", base...), meaning.Routine, ""},
		"a removal":          {text("[{cidr: 10.0.0.0/24}]", base...), meaning.Routine, ""},
		"a test removed":     {text("[{cidr: 10.0.0.0/24}, {cidr: 10.1.0.0/24}]", base[0]), meaning.Review, "a test is taken away"},
		"a test fails":       {text("[{cidr: 10.1.0.0/24}]", base...), meaning.Review, "do not pass the rules"},
		"a selector":         {path(strings.Replace(before["acme/a.yaml"], "clusters: [prod]", "clusterSelector: {}", 1)), meaning.Review, "clusterSelector is changed"},
		"another cluster":    {path(strings.Replace(before["acme/a.yaml"], "[prod]", "[prod, more]", 1)), meaning.Review, "clusters are changed"},
		"renamed":            {path(strings.Replace(before["acme/a.yaml"], "production", "live", 1)), meaning.Review, "another name"},
		"nothing":            {before, meaning.Routine, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := compare(before, row.after)
			if why := whyOf(d); d.Class != row.class || !strings.Contains(why, row.why) || row.why == "" && why != "" {
				t.Errorf("class %s: %s", d.Class, why)
			}
		})
	}
}

// More than the blast radius at once waits for approval, of a tenant or in all.
func TestHold(t *testing.T) {
	t.Parallel()
	small := mustPolicy(t, "seeds: {west: {}}\nblastRadius: {clusters: 2, percent: 50}\n")
	files := func(entries string, clusters ...string) tree {
		out := tree{}
		for i, c := range clusters {
			tenant := []string{"acme", "globex"}[i]
			out[tenant+"/a.yaml"] = listOf("a", c, "entries: "+entries)
		}
		return out
	}
	wide, narrow := "[{cidr: 10.0.0.0/24}]", "[{cidr: 10.0.0.0/25}]"
	for name, row := range map[string]struct {
		before, after tree
		class         meaning.Class
	}{
		"a tenant's loss":   {files(wide, "a, b, c"), files(narrow, "a, b, c"), meaning.Hold},
		"within the number": {files(wide, "a, b"), files(narrow, "a, b"), meaning.Routine},
		"pure additions":    {files(narrow, "a, b, c"), files(wide, "a, b, c"), meaning.Routine},
		"first of many":     {files(wide, "a"), files(wide, "a, b, c, d"), meaning.Hold},
		"all tenants'":      {files(wide, "a, b", "c, d"), files(narrow, "a, b", "c, d"), meaning.Hold},
		"gone is no loss":   {files(wide, "a, b, c"), tree{}, meaning.Review},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := (comparison{before: row.before, after: row.after, policy: small}).run(); d.Class != row.class {
				t.Errorf("class %s: %v", d.Class, d.Why)
			}
		})
	}
}

// What counts on one seed does not count on another.
func TestHoldIsOfOneSeed(t *testing.T) {
	t.Parallel()
	p := mustPolicy(t, "seeds: {west: {}, east: {}}\nblastRadius: {clusters: 2, percent: 50}\n")
	files := func(entries string) tree {
		return tree{"acme/w.yaml": listOf("w", "a, b", "seed: west", "entries: "+entries), "acme/e.yaml": listOf("e", "c, d", "seed: east", "entries: "+entries)}
	}
	d := (comparison{before: files("[{cidr: 10.0.0.0/24}]"), after: files("[{cidr: 10.0.0.0/25}]"), policy: p}).run()
	if d.Class != meaning.Routine {
		t.Errorf("class %s: %v", d.Class, d.Why)
	}
	if !slices.ContainsFunc(d.NotCompared, func(s string) bool { return strings.HasPrefix(s, "what is live") }) {
		t.Errorf("does not say that what is live is not known: %v", d.NotCompared)
	}
}

// With a seed the change is measured against what is live, as the seed does it.
func TestHoldAgainstWhatIsLive(t *testing.T) {
	t.Parallel()
	p := mustPolicy(t, "seeds: {west: {}}\nblastRadius: {clusters: 2, percent: 50}\n")
	wide, narrow := "entries: [{cidr: 10.0.0.0/24}]", "entries: [{cidr: 10.0.0.0/25}]"
	files := func(entries string) tree { return tree{"acme/a.yaml": listOf("a", "a, b, c", entries)} }
	for name, row := range map[string]struct {
		before, after tree
		live          []string // of each cluster; nil for an absent field
		want          meaning.Class
	}{
		"a loss":                       {files(wide), files(narrow), []string{"10.0.0.0/24"}, meaning.Hold},
		"is live already":              {files(wide), files(narrow), []string{"10.0.0.0/25"}, meaning.Routine},
		"first, and live already":      {tree{}, files(narrow), []string{"10.0.0.0/25"}, meaning.Routine},
		"first, and another is live":   {tree{}, files(narrow), []string{"10.0.0.0/24"}, meaning.Hold},
		"first":                        {tree{}, files(narrow), nil, meaning.Hold},
		"put back what was taken away": {files(wide), files(wide), nil, meaning.Routine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			known := render.Inventory{Known: true, Clusters: map[string]render.Cluster{}, Seed: render.SeedRanges{Known: true}}
			for _, id := range []string{"a", "b", "c"} {
				known.Clusters[id] = render.Cluster{ID: id, UID: id, Project: "acme", ExposeStrategy: render.ExposeLoadBalancer, Live: render.Live{Set: row.live != nil, CIDRs: row.live}}
			}
			d := (comparison{before: row.before, after: row.after, policy: p, inventory: known}).run()
			if d.Class != row.want {
				t.Errorf("class %s: %v", d.Class, d.Why)
			}
			if row.want == meaning.Hold && (d.Why[0].Tenant != "acme" || !strings.HasSuffix(d.Why[0].Text, "so it waits for an operator's approval")) {
				t.Errorf("why: %+v", d.Why)
			}
		})
	}
}

// Findings of files that the change touches, and new ones elsewhere, are its
// own; the others stand.
func TestFindings(t *testing.T) {
	t.Parallel()
	before := tree{"acme/old.yaml": "kind: [", "acme/a.yaml": list("entries: [{cidr: 10.0.0.0/24}]")}
	after := tree{"acme/old.yaml": "kind: [", "acme/a.yaml": list("entries: [{cidr: 10.0.0.1/24}]")}
	d := compare(before, after)
	if len(d.Findings) != 1 || d.Findings[0].Rule != "host-bits" || d.Standing != 1 {
		t.Errorf("findings %+v, %d standing", d.Findings, d.Standing)
	}
}
