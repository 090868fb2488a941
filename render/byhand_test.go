package render_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

func TestHandMadeListsThatMayStay(t *testing.T) {
	t.Parallel()
	p := policy.Default()
	p.BreakGlass = 2 * time.Hour
	p.Limits.Forbidden = []policy.Forbidden{{Prefix: netip.MustParsePrefix("10.66.0.0/16")}}
	half := render.SeedRanges{Known: true, Default: []string{"0.0.0.0/2"}}
	most := render.SeedRanges{Known: true, Source: []string{"0.0.0.0/1"}}
	for name, c := range map[string]struct {
		live   string // space-separated; "-": absent
		wanted string // in Git
		seed   render.SeedRanges
		want   string // a part of the words; empty: it may stay
	}{
		"a list":                           {live: "198.51.100.0/24 2001:db8::/48"},
		"wide, and not the world":          {live: "128.0.0.0/2"},
		"absent":                           {live: "-", want: "without a list"},
		"empty":                            {live: "", want: "empty list"},
		"a family less":                    {live: "2001:db8::/48", wanted: "198.51.100.0/24 2001:db8::/48", want: "no entry of an address family"},
		"the other family less":            {live: "198.51.100.0/24", wanted: "198.51.100.0/24 2001:db8::/48", want: "no entry of an address family"},
		"another family":                   {live: "2001:db8::/48", wanted: "198.51.100.0/24", want: "no entry of an address family"},
		"a family less that the Seed has":  {live: "2001:db8::/48", wanted: "198.51.100.0/24 2001:db8::/48", seed: half},
		"a family more":                    {live: "198.51.100.0/24 2001:db8::/48", wanted: "198.51.100.0/24"},
		"one family as before":             {live: "192.0.2.0/24", wanted: "198.51.100.0/24"},
		"the world":                        {live: "0.0.0.0/0", want: "at least half of IPv4"},
		"the world in pieces":              {live: "0.0.0.0/2 128.0.0.0/2", want: "at least half of IPv4"},
		"the world with the Seed's":        {live: "64.0.0.0/2", seed: half, want: "at least half of IPv4"},
		"beside a Seed that is open":       {live: "198.51.100.0/24", seed: most},
		"IPv6, all there is":               {live: "2000::/4", want: "2000::/3"},
		"forbidden":                        {live: "198.51.100.0/24 10.66.3.0/24", want: "forbids 10.66.0.0/16"},
		"wider than what is forbidden":     {live: "10.0.0.0/8", want: "forbids 10.66.0.0/16"},
		"no prefix":                        {live: "office", want: `"office" is not a canonical prefix`},
		"a bare address":                   {live: "198.51.100.7", want: "not a canonical prefix"},
		"host bits":                        {live: "198.51.100.7/24", want: "not a canonical prefix"},
		"another spelling":                 {live: "2001:0db8::/48", want: "not a canonical prefix"},
		"IPv4 in IPv6":                     {live: "::ffff:198.51.100.0/120", want: "not a canonical prefix"},
		"good ones beside one that is not": {live: "198.51.100.0/24 0300.0.0.0/8", want: "not a canonical prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live := render.Live{Set: c.live != "-", CIDRs: strings.Fields(strings.Trim(c.live, "-"))}
			got := render.GrantedBy(p, "").Refuse(live, prefixesOf(t, c.wanted), c.seed)
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Where the balancer denies a family without entries, a list by hand may drop
// one; where it does not, or nobody knows, it may not.
func TestFamilyThatMayBeDroppedByHand(t *testing.T) {
	t.Parallel()
	for name, mayStay := range map[string]bool{"cilium": true, "gke": false, "metallb": false, "generic": false} {
		p := policy.Default()
		balancer, _ := profile.Get(name)
		p.BreakGlass, p.Seeds = time.Hour, map[string]policy.Seed{"eu-west": {Profile: balancer}}
		granted := render.Render(render.Input{Policy: p, Seed: "eu-west"}).ByHand
		live := render.Live{Set: true, CIDRs: []string{"2001:db8::/48"}}
		if got := granted.Refuse(live, prefixesOf(t, "198.51.100.0/24 2001:db8::/48"), render.SeedRanges{}); (got == "") != mayStay {
			t.Errorf("%s: got %q", name, got)
		}
		if granted.Same(render.GrantedBy(p, "us-east")) == mayStay {
			t.Errorf("%s: as much is granted as where nothing is known", name)
		}
	}
}

func prefixesOf(t *testing.T, texts string) (out []netip.Prefix) {
	t.Helper()
	if out = render.Prefixes(strings.Fields(texts)); len(out) != len(strings.Fields(texts)) {
		t.Fatalf("not all are prefixes: %s", texts)
	}
	return out
}

func TestPlanCarriesWhatThePolicyGrants(t *testing.T) {
	t.Parallel()
	p := policy.Default()
	if got := render.Render(render.Input{Policy: p}).ByHand; got.Longest != 0 {
		t.Errorf("by default %s are granted", got.Longest)
	}
	p.BreakGlass = time.Hour
	plan := render.Render(render.Input{Policy: p})
	if plan.ByHand.Longest != time.Hour || !plan.ByHand.Same(render.GrantedBy(p, "")) {
		t.Errorf("granted: %+v", plan.ByHand)
	}
	p.Limits.Forbidden = []policy.Forbidden{{Prefix: netip.MustParsePrefix("10.0.0.0/8")}}
	if plan.ByHand.Same(render.GrantedBy(p, "")) {
		t.Error("a policy that forbids more grants the same")
	}
}
