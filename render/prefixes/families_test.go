package prefixes_test

import (
	"net/netip"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

func TestLosesFamily(t *testing.T) {
	t.Parallel()
	v4, v6 := netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/48")
	for name, c := range map[string]struct {
		from, to []netip.Prefix
		want     bool
	}{
		"nothing of nothing": {nil, nil, false},
		"all":                {[]netip.Prefix{v4}, nil, true},
		"IPv4":               {[]netip.Prefix{v4, v6}, []netip.Prefix{v6}, true},
		"IPv6":               {[]netip.Prefix{v4, v6}, []netip.Prefix{v4}, true},
		"one for the other":  {[]netip.Prefix{v4}, []netip.Prefix{v6}, true},
		"one more":           {[]netip.Prefix{v4}, []netip.Prefix{v6, v4}, false},
		"from nothing":       {nil, []netip.Prefix{v6}, false},
	} {
		if got := prefixes.LosesFamily(c.from, c.to); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
