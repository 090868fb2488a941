package apply

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/render"
)

func TestWiderListsAreFound(t *testing.T) {
	t.Parallel()
	both := []string{"198.51.100.0/24", "2001:db8::/48"}
	seed := render.SeedRanges{Known: true, Source: []string{"192.0.2.0/24"}, Default: []string{"10.0.0.0/8"}}
	for name, c := range map[string]struct {
		live []string // nil: absent
		seed render.SeedRanges
		want bool
	}{
		"the same":                   {both, render.SeedRanges{}, false},
		"absent":                     {nil, seed, true},
		"empty":                      {[]string{}, seed, true},
		"a part":                     {[]string{"198.51.100.0/25", "2001:db8::/64"}, render.SeedRanges{}, false},
		"one more":                   {append([]string{"192.0.2.1/32"}, both...), render.SeedRanges{}, true},
		"one more that the Seed has": {append([]string{"192.0.2.1/32", "10.1.0.0/16"}, both...), seed, false},
		"one wider":                  {[]string{"198.51.0.0/16", "2001:db8::/48"}, render.SeedRanges{}, true},
		"no prefix":                  {append([]string{"office"}, both...), render.SeedRanges{}, true},
		"not masked":                 {[]string{"198.51.100.1/24", "2001:db8::/48"}, render.SeedRanges{}, true},
		"a family less":              {both[:1], render.SeedRanges{}, true},
		"the other family less":      {both[1:], render.SeedRanges{}, true},
		"a family that the Seed has": {both[1:], seed, false},
	} {
		w := &render.Wanted{Access: render.Restricted, List: render.Prefixes(both)}
		if got := wider(w, render.Live{Set: c.live != nil, CIDRs: c.live}, c.seed); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if wider(&render.Wanted{Access: render.Open}, render.Live{Set: true, CIDRs: both}, seed) {
		t.Error("a list is wider than none")
	}
}

// Whatever is not wider lets in no address that the wanted list does not, one
// by one.
func TestWhatIsNotWiderLetsInNoMore(t *testing.T) {
	t.Parallel()
	prefix := rapid.Custom(func(t *rapid.T) netip.Prefix {
		a := netip.AddrFrom4([4]byte{203, 0, 113, byte(rapid.IntRange(0, 31).Draw(t, "address"))})
		return netip.PrefixFrom(a, rapid.IntRange(27, 32).Draw(t, "length")).Masked()
	})
	list := rapid.SliceOfN(prefix, 1, 5)
	in := func(ps []netip.Prefix, a netip.Addr) bool {
		return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	rapid.Check(t, func(t *rapid.T) {
		wanted, live, added := list.Draw(t, "wanted"), list.Draw(t, "live"), list.Draw(t, "Seed")
		seed := render.SeedRanges{Known: true, Default: render.Strings(added)}
		more := false
		for i := range 32 {
			a := netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
			more = more || in(live, a) && !in(wanted, a) && !in(added, a)
		}
		w := &render.Wanted{Access: render.Restricted, List: wanted}
		if got := wider(w, render.Live{Set: true, CIDRs: render.Strings(live)}, seed); got != more {
			t.Fatalf("%v beside %v and %v: got %v, want %v", live, wanted, added, got, more)
		}
	})
}
