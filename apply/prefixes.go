package apply

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// blocks turns a list into what is written: canonical text, in the order of
// the list. It refuses whatever must never reach a Cluster, wherever it came
// from: one bad value stops KKP's whole reconcile of that cluster, and an
// empty list lets everyone in.
func blocks(list []netip.Prefix) ([]string, error) {
	if len(list) == 0 {
		return nil, errors.New("refusing to write an empty list: it would let everyone in")
	}
	out := make([]string, 0, len(list))
	for _, p := range list {
		if !canonical(p) {
			return nil, fmt.Errorf("refusing to write %q: not a canonical prefix", p)
		}
		out = append(out, p.String())
	}
	return out, nil
}

func canonical(p netip.Prefix) bool {
	return p.IsValid() && p == p.Masked() && p.Addr().Zone() == "" && !p.Addr().Is4In6()
}

// sameAddresses tells whether live values are all canonical and let in exactly
// the addresses of the list.
func sameAddresses(live []string, list []netip.Prefix) bool {
	if wordForWord(live, list) { // nearly always, and asked several times a write
		return true
	}
	parsed := make([]netip.Prefix, 0, len(live))
	for _, s := range live {
		p, err := netip.ParsePrefix(s)
		if err != nil || !canonical(p) || p.String() != s {
			return false
		}
		parsed = append(parsed, p)
	}
	return slices.Equal(union(parsed), union(list))
}

// wordForWord tells whether live values are the very text of a list.
func wordForWord(live []string, list []netip.Prefix) bool {
	var text [64]byte
	return slices.EqualFunc(live, list, func(s string, p netip.Prefix) bool {
		return canonical(p) && s == string(p.AppendTo(text[:0]))
	})
}

// union is the one smallest list of prefixes that lets in the same addresses.
func union(list []netip.Prefix) []netip.Prefix {
	return prefixes.MergeAdjacent(prefixes.Canonical(list))
}
