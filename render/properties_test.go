package render_test

import (
	"flag"
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// These tests take a repository through any sequence of commits, restarts,
// days and changes of policy, and hold every plan against the promises.

// paths that are written, moved and removed: two tenants with clusters, and one
// without.
var paths = []string{"acme/a.yaml", "acme/b.yaml", "acme/sub/c.yml", "acme/g.yaml", "globexproj/a.yaml", "mallory/a.yaml"}

// aDocument is one document, good or not.
func aDocument() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 9).Draw(t, "kind of document") {
		case 0:
			return rapid.SampledFrom(nonsense).Draw(t, "nonsense")
		case 1, 2:
			return group(rapid.SampledFrom([]string{"vpn", "office"}).Draw(t, "group"),
				rapid.SampledFrom([]string{"192.0.2.64/26", "2001:db8:99::/48", "192.0.2.65/26", "128.0.0.0/1"}).Draw(t, "group's prefix"))
		}
		return anAllowlist(t)
	})
}

// nonsense is refused, or says nothing.
var nonsense = []string{"", "# nothing\n", "{", "a: &x b\nc: *x\n", "a: 1\na: 2\n", "kind: Secret\napiVersion: v1\n", "- 1\n", "\xff\n",
	"apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\n", "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: a}\nspec: {seed: eu-wset, clusters: [shopprod01]}\n"}

func anAllowlist(t *rapid.T) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: %s}\nspec:\n", rapid.SampledFrom([]string{"a", "b", "c", "d", "E"}).Draw(t, "name"))
	fmt.Fprintf(&b, "  seed: %s\n", rapid.SampledFrom([]string{"eu-west", "eu-west", "eu-west", "eu-west", "us-east", "nowhere"}).Draw(t, "seed"))
	fmt.Fprintf(&b, "  %s\n", rapid.SampledFrom([]string{"clusters: [shopprod01]", "clusters: [shopprod01, shoptest01]", "clusters: [shoptest01]", "clusters: [globexprod]",
		"clusters: [globexprod, shopprod01]", "clusters: [nosuch]", "clusterSelector: {}", "clusterSelector: {matchLabels: {project-id: acmeproj01}}",
		"clusterSelector: {matchLabels: {env: prod}}", "clusters: []"}).Draw(t, "clusters"))
	switch rapid.IntRange(0, 9).Draw(t, "access") {
	case 0:
		return b.String() + "  access: open\n"
	case 1:
		return b.String() + "  access: unmanaged\n"
	}
	b.WriteString("  entries:\n")
	for _, e := range rapid.SliceOfN(rapid.SampledFrom(entries), 0, 4).Draw(t, "entries") {
		b.WriteString("    - " + e + "\n")
	}
	return b.String()
}

var entries = []string{"cidr: 203.0.113.0/24", "cidr: 203.0.113.7", "cidr: 198.51.100.0/25", "cidr: 198.51.100.128/25", "cidr: 2001:db8::/32",
	"{cidr: 192.0.2.128/25, expires: 2026-11-24}", "{cidr: 192.0.2.192/26, expires: 2026-11-25}", "{cidr: '2001:db8:7::/48', expires: 2026-11-23}",
	"group: vpn", "{group: office, expires: 2026-11-26}", "group: provider/noc", "cidr: 10.0.0.1/8", "cidr: 0.0.0.0/1"}

// aFile is mostly one document, at times two.
func aFile() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(aDocument(), 1, 2).Draw(t, "documents"), "---\n")
	})
}

// history is a world with what is to be remembered of it.
type history struct {
	*world
	plan *render.Plan
	// restricted are the clusters that have a list and did not give it up.
	restricted map[string]bool
	// belonged says in which project a cluster was when its tenant last had it.
	belonged map[string]belonging
}

type belonging struct{ tenant, uid, project string }

func newHistory(t *testing.T) *history {
	h := &history{world: newWorld(t), restricted: map[string]bool{}, belonged: map[string]belonging{}}
	h.world.policy.AllowOpen = true
	h.plan = h.world.plan()
	return h
}

// step makes the next plan and holds it against the promises.
func (h *history) step(t *rapid.T) {
	h.plan = render.Render(render.Input{Files: h.shuffled(t), Sources: []string{"s"}, Base: h.base, Policy: h.world.policy, Inventory: h.inventory, Seed: h.seed, Now: h.now})
	h.base = h.plan.Base()
	h.nothingOpened(t)
	h.nobodyElses(t)
	h.canonical(t)
	h.stands(t)
}

// nothingOpened: a list that was there is there, unless a file that was
// accepted says open or unmanaged.
func (h *history) nothingOpened(t *rapid.T) {
	for id := range h.restricted {
		w := h.plan.Clusters[id]
		switch {
		case w == nil:
			t.Fatalf("cluster %s had a list, and is not in the plan", id)
		case w.Held == nil && w.Access != render.Restricted && strings.Contains(h.files[w.Claim.Path], "access: "+string(w.Access)):
			delete(h.restricted, id)
		case w.Access != render.Restricted || len(w.List) == 0:
			t.Fatalf("cluster %s had a list, and has none: access %q, held %v", id, w.Access, w.Held)
		}
	}
	for id, w := range h.plan.Clusters {
		if _, exists := h.inventory.Clusters[id]; exists && w.Access == render.Restricted && len(w.List) > 0 {
			h.restricted[id] = true
		}
		if w.Writes() && w.Access == render.Restricted && len(w.List) == 0 {
			t.Fatalf("an empty list would be written to %s", id)
		}
	}
}

// nobodyElses: what is in the plan of a cluster is of its own tenant. What was
// its own when it was accepted stays, held, whoever has the project by now.
func (h *history) nobodyElses(t *rapid.T) {
	for id, w := range h.plan.Clusters {
		c, exists := h.inventory.Clusters[id]
		now := belonging{w.Claim.Tenant, c.UID, c.Project}
		if slices.Contains(h.world.policy.Projects(w.Claim.Tenant), c.Project) {
			h.belonged[id] = now
		} else if exists && (w.Held == nil || h.belonged[id] != now) {
			t.Fatalf("cluster %s of project %s gets what tenant %s says", id, c.Project, w.Claim.Tenant)
		}
		for _, e := range w.Entries {
			if e.Path != "" && !strings.HasPrefix(e.Path, w.Claim.Tenant+"/") {
				t.Fatalf("cluster %s of tenant %s gets an entry of %s", id, w.Claim.Tenant, e.Path)
			}
		}
		if exists && w.UID != c.UID {
			t.Fatalf("cluster %s has the UID %q in the plan, and is %q", id, w.UID, c.UID)
		}
	}
}

var halfOfIPv4 = new(big.Int).Lsh(big.NewInt(1), 31)

func (h *history) canonical(t *rapid.T) {
	for id, w := range h.plan.Clusters {
		if !slices.Equal(prefixes.Canonical(w.List), w.List) {
			t.Fatalf("the list of %s is not canonical: %v", id, w.List)
		}
		for _, p := range w.List {
			if !p.IsValid() || p != p.Masked() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
				t.Fatalf("the list of %s holds %v", id, p)
			}
		}
		if prefixes.Size(w.List, netip.MustParsePrefix("0.0.0.0/0")).Cmp(halfOfIPv4) >= 0 {
			t.Fatalf("the list of %s lets in half the world: %v", id, w.List)
		}
	}
}

// stands: the same again makes the same, in any order, and blames nobody anew.
func (h *history) stands(t *rapid.T) {
	files := h.shuffled(t)
	again := render.Render(render.Input{Files: files, Base: h.plan.Base(), Policy: h.world.policy, Inventory: h.inventory, Seed: h.seed, Now: h.now})
	if got, want := h.carried(again), h.carried(h.plan); got != want {
		t.Fatalf("the same again carries\n%s\nwas\n%s", got, want)
	}
	old := map[lint.Finding]bool{}
	for _, f := range h.plan.Findings {
		old[f] = true
	}
	for _, f := range again.Findings {
		if f.Rule == "unknown-cluster" { // which is milder right after a restart
			continue
		}
		if f.Rule == "duplicate-name" && h.plan.Refused[render.FileID{Source: f.Source, Path: f.Path}] { // of two refused files either may be told
			continue
		}
		if f.Severity == lint.Error && !old[f] {
			t.Fatalf("the same again finds %s", f)
		}
	}
	for id := range h.plan.Refused {
		if !again.Refused[id] {
			t.Fatalf("%s was refused, and is not again", id.Path)
		}
	}
}

// shuffled are the files in any order.
func (h *history) shuffled(t *rapid.T) []render.File {
	files := h.list()
	slices.SortFunc(files, func(a, b render.File) int { return strings.Compare(a.Path, b.Path) })
	for i := range files {
		j := rapid.IntRange(i, len(files)-1).Draw(t, "place")
		files[i], files[j] = files[j], files[i]
	}
	return files
}

// carried is what each cluster of a plan carries, and whose it is. Clusters that
// refused files claim, and nobody had, carry nothing, nor do those that are not
// there: they are left out.
func (h *history) carried(p *render.Plan) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(p.Clusters)) {
		w := p.Clusters[id]
		if h.inventory.Clusters[id].ID == "" || w.Access == "" {
			continue
		}
		fmt.Fprintf(&b, "%s %s by %s %s held %v: %v\n", id, w.Access, w.Claim.Tenant, w.Claim.Path, w.Held != nil, w.List)
	}
	return b.String()
}

func (h *history) write(t *rapid.T) {
	h.files[rapid.SampledFrom(paths).Draw(t, "path")] = aFile().Draw(t, "file")
	h.step(t)
}

func (h *history) remove(t *rapid.T) {
	delete(h.files, h.aFileThatIsThere(t))
	h.step(t)
}

func (h *history) move(t *rapid.T) {
	from, to := h.aFileThatIsThere(t), rapid.SampledFrom(paths).Draw(t, "to")
	content := h.files[from]
	delete(h.files, from)
	h.files[to] = content
	h.step(t)
}

func (h *history) empty(t *rapid.T) {
	clear(h.files)
	h.step(t)
}

// several files change in one commit.
func (h *history) several(t *rapid.T) {
	for _, path := range rapid.SliceOfNDistinct(rapid.SampledFrom(paths), 2, 4, rapid.ID).Draw(t, "paths") {
		if rapid.Bool().Draw(t, "there") {
			h.files[path] = aFile().Draw(t, "file")
		} else {
			delete(h.files, path)
		}
	}
	h.step(t)
}

func (h *history) aFileThatIsThere(t *rapid.T) string {
	if len(h.files) == 0 {
		t.Skip("no files")
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(h.files))).Draw(t, "path")
}

// days pass, and a family that a list filtered is filtered still.
func (h *history) pass(t *rapid.T) {
	before := h.plan
	h.now = h.now.Add(time.Duration(rapid.IntRange(1, 72).Draw(t, "hours")) * time.Hour)
	h.step(t)
	for id, old := range before.Clusters {
		w := h.plan.Clusters[id]
		if h.inventory.Clusters[id].ID == "" {
			continue
		}
		if w == nil || w.Access != old.Access {
			t.Fatalf("time alone changed what %s asks for", id)
		}
		for _, v4 := range []bool{true, false} {
			of := func(p netip.Prefix) bool { return p.Addr().Is4() == v4 }
			if slices.ContainsFunc(old.List, of) && !slices.ContainsFunc(w.List, of) {
				t.Fatalf("time alone opened a family on %s: %v, was %v", id, w.List, old.List)
			}
		}
	}
	for id := range h.plan.Refused {
		if !before.Refused[id] {
			t.Fatalf("time alone refused %s", id.Path)
		}
	}
}

// A restart keeps what each cluster carries, whose it is, and that it is held.
// Which of two refused files had the name that both say is not written down:
// then the promises hold all the same, and no more is asked for.
func (h *history) start(t *rapid.T) {
	before := h.plan
	h.restart(before)
	h.step(t)
	if slices.ContainsFunc(before.Findings, func(f lint.Finding) bool { return f.Rule == "duplicate-name" }) {
		return
	}
	if got, want := h.carried(h.plan), h.carried(before); got != want {
		t.Fatalf("after a restart\n%s\nwas\n%s\nrefused %v, files %q", got, want, before.Refused, h.files)
	}
}

// reform changes the policy, which refuses nothing that was accepted.
func (h *history) reform(t *rapid.T) {
	before := h.plan
	const projects = "acme: {projects: [acmeproj01, acmeproj02]}"
	p, problems := policy.ParsePolicy([]byte(rapid.SampledFrom([]string{policyText, policyText + "allowOpen: true\n",
		policyText + "selectors: labels\n", policyText + "selectors: deny\n",
		strings.Replace(policyText, projects, "acme: {projects: [acmeproj01]}", 1),
		strings.Replace(policyText, projects, "acme: {projects: [acmeproj01]}, globexproj: {projects: [globexproj, acmeproj02]}", 1),
	}).Draw(t, "policy")), lint.Changeable)
	if len(problems) > 0 {
		t.Fatalf("policy: %v", problems)
	}
	h.world.policy = p
	h.step(t)
	for id := range h.plan.Refused {
		if !before.Refused[id] {
			t.Fatalf("a change of policy refused %s", id.Path)
		}
	}
}

// replace makes a cluster anew, in a project of anybody's; what it had goes.
func (h *history) replace(t *rapid.T) {
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(h.inventory.Clusters))).Draw(t, "cluster")
	c := h.inventory.Clusters[id]
	c.UID += "+"
	c.Project = rapid.SampledFrom([]string{"acmeproj01", "acmeproj02", "globexproj", "nobody"}).Draw(t, "project")
	c.Labels = map[string]string{"env": rapid.SampledFrom([]string{"prod", "test"}).Draw(t, "env")}
	c.Datacenter = rapid.SampledFrom([]string{"dc-a", "dc-b"}).Draw(t, "datacenter")
	h.inventory.Clusters[id] = c
	delete(h.restricted, id)
	h.step(t)
}

// rehome puts a cluster, the same object, into another project.
func (h *history) rehome(t *rapid.T) {
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(h.inventory.Clusters))).Draw(t, "cluster")
	c := h.inventory.Clusters[id]
	project := rapid.SampledFrom([]string{"acmeproj01", "acmeproj02", "globexproj", "nobody"}).Draw(t, "project")
	if project == c.Project {
		t.Skip("nothing changes")
	}
	c.Project = project
	h.inventory.Clusters[id] = c
	delete(h.restricted, id)
	h.step(t)
}

// TestMain has properties drawn from one seed, so that a test run says the same
// each time; -rapid.seed=0 draws from another each time.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.seed", "20261122"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestNothingThatHappensOpensACluster(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(t)
		rt.Repeat(map[string]func(*rapid.T){
			"write a file":         h.write,
			"write a file again":   h.write,
			"remove a file":        h.remove,
			"move a file":          h.move,
			"empty the repository": h.empty,
			"change several files": h.several,
			"let time pass":        h.pass,
			"restart":              h.start,
			"change the policy":    h.reform,
			"make a cluster anew":  h.replace,
			"move a cluster":       h.rehome,
		})
	})
}
