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
}

// tree are the files of a commit by path.
type tree map[string]mFile

// mFile is an allowlist. It names clusters, or selects by a label; "" is all.
type mFile struct {
	tenant   string
	broken   bool // one of its values is no prefix
	access   string
	clusters []string
	selects  bool
	env      string
	entries  []mEntry
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
	foreign     int // writes of others, since it was made
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

// accept is a commit that is followed.
func (m *model) accept(files tree) {
	m.accepted = files
	m.settle()
}

// settle works out which list each cluster has now. A file that is wrong, that
// is gone, or that lets go of a cluster leaves the last good list.
func (m *model) settle() {
	for id, c := range m.clusters {
		path, f, found := m.claim(id, c)
		switch {
		case found && !f.broken:
			c.good = &mGood{path, f.access, f.entries, true}
		case c.good == nil:
		case c.good.access == unmanaged && !found:
			c.good = nil
		default: // kept
			c.good.claimed = false
		}
	}
}

const unmanaged = "unmanaged"

// claim finds the file that has a cluster: one that names it, else one that
// selects it; one that is wrong only if it had it before.
func (m *model) claim(id string, c *mCluster) (string, mFile, bool) {
	var found []string
	for path, f := range m.accepted {
		names := slices.Contains(f.clusters, id) || f.selects && (f.env == "" || f.env == c.env)
		if f.tenant == c.tenant && names && (!f.broken || hadBy(c, path) > 0) {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		return "", mFile{}, false
	}
	slices.SortFunc(found, func(a, b string) int {
		return cmp.Or(rankOf(m.accepted[a])-rankOf(m.accepted[b]), hadBy(c, b)-hadBy(c, a), strings.Compare(a, b))
	})
	return found[0], m.accepted[found[0]], true
}

func hadBy(c *mCluster, path string) int {
	if c.good != nil && c.good.path == path {
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
	case c.good == nil, c.good.access == unmanaged, !c.exposed && c.good.access != "open", c.good.access == "open" && !c.good.claimed:
		return expectation{loose: true}
	case c.good.access == "open":
		if c.set && len(c.live) == 0 {
			return expectation{loose: true} // as open as it gets
		}
		return expectation{lists: [][]string{stage.Nothing()}}
	}
	return expectation{lists: [][]string{inForceAt(c.good.entries, m.now), inForceAt(c.good.entries, m.latest)}}
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
	for _, e := range f.entries {
		if e.expires.IsZero() {
			fmt.Fprintf(&b, "    - {description: entry, cidr: \"%s\"}\n", e.prefix)
		} else {
			fmt.Fprintf(&b, "    - {description: entry, cidr: \"%s\", expires: %s}\n", e.prefix, e.expires.Format(time.RFC3339))
		}
	}
	if f.broken {
		b.WriteString("    - {description: a mistake, cidr: 10.0.0.1/8}\n")
	}
	return b.String()
}
