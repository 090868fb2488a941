package prefixes

import "net/netip"

// Subset tells whether b lets in every address that a does.
func Subset(a, b []netip.Prefix) bool {
	all := MergeAdjacent(Canonical(b))
	for _, p := range a {
		if !anyWithin(p, all) {
			return false
		}
	}
	return true
}

// anyWithin tells whether one of the prefixes covers all of p. Of merged ones
// no two do so together.
func anyWithin(p netip.Prefix, merged []netip.Prefix) bool {
	for _, wide := range merged {
		if within(p, wide) {
			return true
		}
	}
	return false
}
