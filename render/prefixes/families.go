package prefixes

import "net/netip"

// LosesFamily tells whether one list has prefixes of an address family that
// another has none of. Balancers that filter each family for itself let
// everyone in by a family without entries.
func LosesFamily(from, to []netip.Prefix) bool {
	v4, v6 := families(from)
	still4, still6 := families(to)
	return v4 && !still4 || v6 && !still6
}

func families(list []netip.Prefix) (v4, v6 bool) {
	for _, p := range list {
		if p.Addr().Is4() {
			v4 = true
		} else {
			v6 = true
		}
	}
	return v4, v6
}
