package prefixes

import "net/netip"

// Subset tells whether b lets in every address that a does.
func Subset(a, b []netip.Prefix) bool {
	all := UnionOf(b)
	for _, p := range a {
		if !all.Covers(p) {
			return false
		}
	}
	return true
}
