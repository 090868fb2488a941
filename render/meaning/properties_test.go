package meaning_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/meaning"
)

// The model of what is let in is a set of single addresses of two small
// families: 10.0.0.0/27 and 2001:db8::/123. It knows nothing of prefixes.
const world = 32

type model map[string]bool

func address(v4 bool, i int) netip.Addr {
	if v4 {
		return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
	}
	a := netip.MustParseAddr("2001:db8::").As16()
	a[15] = byte(i)
	return netip.AddrFrom16(a)
}

// block is 2^bits addresses from a multiple of as many on.
type block struct {
	v4          bool
	start, bits int
}

func (b block) String() string {
	length := 32 - b.bits
	if !b.v4 {
		length = 128 - b.bits
	}
	return fmt.Sprintf("%s/%d", address(b.v4, b.start), length)
}

func (m model) add(b block) {
	for i := b.start; i < b.start+1<<b.bits; i++ {
		m[address(b.v4, i).String()] = true
	}
}

func drawBlocks(t *rapid.T, label string) []block {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) block {
		bits := rapid.IntRange(0, 5).Draw(t, "bits")
		return block{rapid.Bool().Draw(t, "v4"), rapid.IntRange(0, world>>bits-1).Draw(t, "at") << bits, bits}
	}), 1, 8).Draw(t, label)
}

func (m model) minus(other model) []string {
	var out []string
	for a := range m {
		if !other[a] {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return out
}

func addresses(list []netip.Prefix) []string {
	var out []string
	for _, p := range list {
		for a := p.Addr(); p.Contains(a); a = a.Next() {
			out = append(out, a.String())
		}
	}
	slices.Sort(out)
	return out
}

func listFile(blocks []block) tree {
	var entries []string
	for _, b := range blocks {
		entries = append(entries, fmt.Sprintf("{cidr: %q}", b))
	}
	return path(list("entries: [" + strings.Join(entries, ", ") + "]"))
}

// What is gained and lost is what single addresses say, in prefixes that are
// sorted, and none of which could be joined with another.
func TestGainedAndLostAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after := drawBlocks(t, "before"), drawBlocks(t, "after")
		was, is := model{}, model{}
		for _, b := range before {
			was.add(b)
		}
		for _, b := range after {
			is.add(b)
		}
		d := compare(listFile(before), listFile(after))
		var c meaning.Cluster
		if len(d.Clusters) > 0 {
			c = d.Clusters[0]
		}
		if got, want := addresses(c.Gained), is.minus(was); !slices.Equal(got, want) {
			t.Fatalf("gained %v, want %v", got, want)
		}
		if got, want := addresses(c.Lost), was.minus(is); !slices.Equal(got, want) {
			t.Fatalf("lost %v, want %v", got, want)
		}
		if changed := len(is.minus(was))+len(was.minus(is)) > 0; d.Changed() != changed {
			t.Fatalf("changed %v, want %v", d.Changed(), changed)
		}
		sharesCover(t, c.Gains, c.Gained)
		sharesCover(t, c.Losses, c.Lost)
		fewest(t, c.Gained)
		fewest(t, c.Lost)
	})
}

// sharesCover: whoever gains or loses adds up to what is gained or lost.
func sharesCover(t *rapid.T, shares []meaning.Share, want []netip.Prefix) {
	sum := map[string]bool{}
	for _, s := range shares {
		for _, a := range addresses(s.Prefixes) {
			sum[a] = true
		}
	}
	if all := addresses(want); len(sum) != len(all) || slices.ContainsFunc(all, func(a string) bool { return !sum[a] }) {
		t.Fatalf("shares %+v do not add up to %v", shares, want)
	}
}

func fewest(t *rapid.T, list []netip.Prefix) {
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		if a.Compare(b) >= 0 || a.Overlaps(b) {
			t.Fatalf("%v: not sorted, or overlapping", list)
		}
		wide := netip.PrefixFrom(a.Addr(), max(a.Bits()-1, 0)).Masked()
		if a.Bits() == b.Bits() && wide.Addr() == a.Addr() && wide.Contains(b.Addr()) {
			t.Fatalf("%v: %v and %v are one", list, a, b)
		}
	}
}

// drawTree is a tenant's folder of several lists and groups, some of them
// refused, taken twice, open, unmanaged, selecting or held.
func drawTree(t *rapid.T, label string) tree {
	out := tree{}
	for i := range rapid.IntRange(1, 4).Draw(t, label+" files") {
		name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
		clusters := rapid.SampledFrom([]string{"one", "one, two", "three"}).Draw(t, "clusters")
		spec := rapid.SampledFrom([]string{"access: open", "access: unmanaged", "entries: []", "entries: [{group: vpn}]",
			"entries: [{group: gone}]", "entries: [{cidr: 10.0.0.1/8}]", "entries: [{cidr: 10.0.0.0/24, expires: 2020-01-01}]", "entries: [{cidr: 10.0.0.0/24}, {cidr: 10.1.0.0/24, expires: 2031-01-01}]"}).Draw(t, "spec")
		text := listOf(name, clusters, spec)
		if rapid.Bool().Draw(t, "selects") {
			text = strings.Replace(text, "clusters: ["+clusters+"]", "clusterSelector: {}", 1)
		}
		out[fmt.Sprintf("%s/%d.yaml", rapid.SampledFrom([]string{"acme", "globex"}).Draw(t, "tenant"), i)] = text
	}
	out["acme/g.yaml"] = group("vpn", rapid.SampledFrom([]string{"{cidr: 10.2.0.0/24}", "{cidr: 10.2.0.1/24}", "{cidr: 10.3.0.0/24}"}).Draw(t, "group"))
	return out
}

// A commit compared with itself changes nothing, whatever is in it; nor do
// comments and white space.
func TestNothingChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		files := drawTree(t, "tree")
		if d := compare(files, files); d.Changed() || len(d.Clusters)+len(d.Groups)+len(d.Budgets) > 0 {
			t.Fatalf("the same commit: %+v", d.Clusters)
		}
		shifted := tree{}
		for name, text := range files {
			shifted[name] = "\n# a word\n" + strings.ReplaceAll(text, ", ", " ,   ")
		}
		if d := compare(files, shifted); d.Changed() || len(d.Clusters) > 0 {
			t.Fatalf("reformatting: %+v", d.Clusters)
		}
	})
}

// Whatever becomes of the files, comparing them does not panic, and an opening
// or a loss is a change.
func TestAnyChange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := compare(drawTree(t, "before"), drawTree(t, "after"))
		for i := range d.Clusters {
			c := &d.Clusters[i]
			if (c.Opened() || len(c.Lost) > 0) && !c.Changed() {
				t.Fatalf("no change: %+v", c)
			}
			if c.Held != nil && c.After == render.Open && c.Before != render.Open {
				t.Fatalf("held, and opened: %+v", c)
			}
		}
	})
}

// Explain agrees with the model for every address of the small world.
func TestExplainAgreesWithTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		blocks := drawBlocks(t, "list")
		in := model{}
		for _, b := range blocks {
			in.add(b)
		}
		v4, i := rapid.Bool().Draw(t, "v4"), rapid.IntRange(0, world-1).Draw(t, "address")
		a := address(v4, i)
		got := explain(listFile(blocks), render.Inventory{}, "prod", a.String())
		if (got.Verdict == meaning.In) != in[a.String()] || got.Verdict == meaning.CannotTell {
			t.Fatalf("%s: %s, want in: %v", a, got.Verdict, in[a.String()])
		}
		if (len(got.By) > 0) != in[a.String()] {
			t.Fatalf("%s: by %+v", a, got.By)
		}
		if !in[a.String()] {
			nearestAgrees(t, blocks, v4, i, got)
		}
	})
}

func nearestAgrees(t *rapid.T, blocks []block, v4 bool, i int, got meaning.Answer) {
	least := world
	for _, b := range blocks {
		if b.v4 == v4 {
			least = min(least, max(b.start-i, i-(b.start+1<<b.bits-1)))
		}
	}
	if (got.Nearest == nil) != (least == world) {
		t.Fatalf("nearest %+v, at a distance of %d", got.Nearest, least)
	}
	if got.Nearest == nil {
		return
	}
	for _, step := range []int{-least, least} {
		if i+step >= 0 && i+step < world && got.Nearest.Prefix.Contains(address(v4, i+step)) {
			return
		}
	}
	t.Fatalf("nearest %s is not %d away", got.Nearest.Prefix, least)
}
