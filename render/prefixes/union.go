package prefixes

import (
	"net/netip"
	"slices"
)

// Union is what a list lets in, made ready for many questions: each takes a
// search, whatever the length of the list. A tenant's file may hold tens of
// thousands of prefixes, and as many tests of them.
type Union struct{ merged []netip.Prefix }

// UnionOf makes a list ready.
func UnionOf(list []netip.Prefix) Union { return Union{MergeAdjacent(Canonical(list))} }

// Covers tells whether every address of p is let in.
func (u Union) Covers(p netip.Prefix) bool {
	i := u.upTo(p.Addr())
	return i > 0 && within(p, u.merged[i-1])
}

// Overlaps tells whether any address of p is let in.
func (u Union) Overlaps(p netip.Prefix) bool {
	i := u.upTo(p.Addr())
	return i > 0 && u.merged[i-1].Overlaps(p) || i < len(u.merged) && u.merged[i].Overlaps(p)
}

// upTo counts the prefixes that begin at or before an address. They are sorted,
// and none overlaps another.
func (u Union) upTo(a netip.Addr) int {
	i, _ := slices.BinarySearchFunc(u.merged, a, func(q netip.Prefix, a netip.Addr) int {
		if q.Addr().Compare(a) <= 0 {
			return -1
		}
		return 1
	})
	return i
}
