package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// model is what the promises say about one installation, in as few words as
// possible and none of them the implementation's: what each Cluster is to carry
// after whatever happened. It knows no plans, no base, no state.
type model struct {
	clusters map[string]*mCluster
	accepted tree
	now      time.Time
	latest   time.Time // the latest time that the clock ever showed
	guard    mGuard
}

// tree are the files of a commit by path.
type tree map[string]mFile

// mFile is an allowlist. It names clusters, or selects by a label; "" is all. Or
// it is the tenant's group of addresses.
type mFile struct {
	tenant   string
	broken   bool // one of its values is no prefix
	access   string
	clusters []string
	selects  bool
	env      string
	entries  []mEntry
	group    bool   // it is a group, of these entries
	uses     string // a group that it names; "" is none
}

type mEntry struct {
	prefix  netip.Prefix
	expires time.Time // zero: never
}

// mCluster is a Cluster on the seed, as it is known to be.
type mCluster struct {
	tenant, env string
	exposed     bool // by LoadBalancer
	live        []string
	set         bool // the field is there
	good        *mGood
	foreign     int    // writes of others, since it was made
	had         string // the file that has it, where nothing was accepted of that
	kept        bool   // it asks for something that is held
	held        bool   // that went too far, together with others
	// byHand is a list that somebody may keep for a time; nil where none is.
	byHand []string
	// fought says that a fight goes on over the list.
	fought bool
}

// mGood is the last good list of a cluster.
type mGood struct {
	path    string
	access  string
	entries []mEntry
	claimed bool // a file that is right says so now; else it is only kept
}

// platform is the provider's range, in every list.
const modelPlatform = "192.0.2.0/28"

// settle works out which list each cluster has now. A file that is wrong, that
// is gone, or that lets go of a cluster leaves the last good list.
func (m *model) settle() { m.settleAs(false) }

// settleAs is settle, where what was held may be approved.
func (m *model) settleAs(approved bool) {
	asked := m.asks(m.accepted)
	for id, c := range m.clusters {
		if c.kept = false; asked[id] != nil {
			continue
		}
		c.held = false
		_, _, found := m.claim(m.accepted, id, c)
		switch {
		case c.good == nil:
		case c.good.access == unmanaged && !found:
			c.good = nil
		default: // kept
			c.good.claimed = false
		}
	}
	for id := range m.holds(asked, approved) {
		m.clusters[id].keep(asked[id])
		delete(asked, id)
	}
	for id, good := range asked {
		m.clusters[id].good, m.clusters[id].held = good, false
	}
}

// asks are the lists that files ask for, by cluster, where they are right.
func (m *model) asks(files tree) map[string]*mGood {
	out := map[string]*mGood{}
	for id, c := range m.clusters {
		if path, f, found := m.claim(files, id, c); found && !files.wrong(f) {
			out[id] = &mGood{path, f.access, files.entriesOf(f), true}
		}
	}
	return out
}

const unmanaged = "unmanaged"

// wrong tells whether nothing can be made of a file: a value is none, or the
// group that it names is not to be had.
func (files tree) wrong(f mFile) bool {
	if f.uses != tenantGroup {
		return f.broken
	}
	g, there := files[groupPath(f.tenant)]
	return f.broken || !there || g.broken
}

// entriesOf are a file's own, and those of the group that it names.
func (files tree) entriesOf(f mFile) []mEntry {
	switch f.uses {
	case tenantGroup:
		return slices.Concat(f.entries, files[groupPath(f.tenant)].entries)
	case providerGroup:
		return slices.Concat(f.entries, []mEntry{{prefix: netip.MustParsePrefix(modelProviders)}})
	}
	return f.entries
}

const (
	tenantGroup    = "vpn"
	providerGroup  = "provider/noc"
	modelProviders = "192.0.2.64/28" // what that is
)

func groupPath(tenant string) string { return "tenants/" + tenant + "/group.yaml" }

// claim finds the file that has a cluster: one that names it, else one that
// selects it; one that is wrong only if it had it before.
func (m *model) claim(files tree, id string, c *mCluster) (string, mFile, bool) {
	var found []string
	for path, f := range files {
		names := slices.Contains(f.clusters, id) || f.selects && (f.env == "" || f.env == c.env)
		if f.tenant == c.tenant && names && (!files.wrong(f) || hadBy(c, path) > 0) {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		return "", mFile{}, false
	}
	slices.SortFunc(found, func(a, b string) int {
		return cmp.Or(rankOf(files[a])-rankOf(files[b]), hadBy(c, b)-hadBy(c, a), strings.Compare(a, b))
	})
	return found[0], files[found[0]], true
}

func hadBy(c *mCluster, path string) int {
	if c.good != nil && c.good.path == path || c.good == nil && c.had == path {
		return 1
	}
	return 0
}

func rankOf(f mFile) int {
	if f.selects {
		return 1
	}
	return 0
}

// expectation is what a cluster may carry; nothing of it is written where it is
// loose, and then its list stays what it is.
type expectation struct {
	lists [][]string // nil: absent
	loose bool
}

// expect is what a cluster is to carry now. Where the clock was set back, what
// had expired may be in force again, or not yet.
func (m *model) expect(c *mCluster) expectation {
	switch {
	case c.byHand != nil:
		return expectation{lists: [][]string{c.byHand}}
	case c.good == nil, c.good.access == unmanaged, !c.exposed && c.good.access != "open", c.good.access == "open" && !c.good.claimed:
		return expectation{loose: true}
	case c.good.access == "open":
		if c.set && len(c.live) == 0 {
			return expectation{loose: true} // as open as it gets
		}
		return expectation{lists: [][]string{stage.Nothing()}}
	}
	return expectation{lists: m.sinceBack(c.good.entries)}
}

// sinceBack are the lists of some entries: that of now, and where the clock was
// set back those of all times until the latest that it showed.
func (m *model) sinceBack(entries []mEntry) [][]string {
	times := []time.Time{m.now}
	for _, e := range entries {
		if m.now.Before(e.expires) && !m.latest.Before(e.expires) {
			times = append(times, e.expires)
		}
	}
	var out [][]string
	for _, at := range times {
		list := inForceAt(entries, at)
		if !slices.ContainsFunc(out, func(other []string) bool { return slices.Equal(other, list) }) {
			out = append(out, list)
		}
	}
	return out
}

// inForceAt is the list of some entries: those of today, without what wider
// ones cover, and the platform's.
func inForceAt(entries []mEntry, now time.Time) []string {
	all := []netip.Prefix{netip.MustParsePrefix(modelPlatform)}
	for _, e := range entries {
		if e.expires.IsZero() || now.Before(e.expires) {
			all = append(all, e.prefix)
		}
	}
	out := map[string]bool{}
	for _, p := range all {
		covered := slices.ContainsFunc(all, func(q netip.Prefix) bool { return q.Bits() < p.Bits() && q.Contains(p.Addr()) })
		if !covered {
			out[p.String()] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// carries tells whether a cluster carries what it may.
func (m *model) carries(c *mCluster, live []string, set bool) error {
	e := m.expect(c)
	lists := e.lists
	if e.loose {
		lists = [][]string{liveOf(c)}
	}
	for _, list := range lists {
		if set == (list != nil) && slices.Equal(slices.Sorted(slices.Values(live)), slices.Sorted(slices.Values(list))) {
			return nil
		}
	}
	return fmt.Errorf("its list is %v (set: %t), not %v (left alone: %t)", live, set, lists, e.loose)
}

func liveOf(c *mCluster) []string {
	if !c.set {
		return stage.Nothing()
	}
	return append(stage.Empty(), c.live...)
}

// String is a file in a few words.
func (f mFile) String() string {
	what := strings.Join(f.clusters, " ")
	if f.selects {
		what = "all " + f.env
	}
	if f.uses != "" {
		what += " group " + f.uses
	}
	if f.broken {
		what += ", wrong"
	}
	for _, e := range f.entries {
		what += " " + e.prefix.String()
		if !e.expires.IsZero() {
			what += e.expires.Format("(01-02T15:04)")
		}
	}
	return "{" + what + " " + f.access + "}"
}

// text is a file as a tenant would write it.
func (f mFile) text(path string) string {
	name := strings.NewReplacer("/", "-", ".yaml", "", ".", "-").Replace(path)
	var b strings.Builder
	if f.group {
		fmt.Fprintf(&b, "apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: %s}\nspec:\n  entries:\n", tenantGroup)
		f.writeEntries(&b)
		return b.String()
	}
	fmt.Fprintf(&b, "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: %s}\nspec:\n  seed: eu-west\n", name)
	switch {
	case f.selects && f.env != "":
		fmt.Fprintf(&b, "  clusterSelector: {matchLabels: {env: %s}}\n", f.env)
	case f.selects:
		b.WriteString("  clusterSelector: {}\n")
	default:
		fmt.Fprintf(&b, "  clusters: [%s]\n", strings.Join(f.clusters, ", "))
	}
	if f.access != "restricted" {
		fmt.Fprintf(&b, "  access: %s\n", f.access)
		if f.broken {
			b.WriteString("  nodeEgress: [10.0.0.1/8]\n")
		}
		return b.String()
	}
	b.WriteString("  nodeEgress: none\n  entries:\n")
	if f.uses != "" {
		fmt.Fprintf(&b, "    - group: %s\n", f.uses)
	}
	f.writeEntries(&b)
	return b.String()
}

func (f mFile) writeEntries(b *strings.Builder) {
	for _, e := range f.entries {
		if e.expires.IsZero() {
			fmt.Fprintf(b, "    - {description: entry, cidr: \"%s\"}\n", e.prefix)
		} else {
			fmt.Fprintf(b, "    - {description: entry, cidr: \"%s\", expires: %s}\n", e.prefix, e.expires.Format(time.RFC3339))
		}
	}
	if f.broken {
		b.WriteString("    - {description: a mistake, cidr: 10.0.0.1/8}\n")
	}
}
