// Package prefixes calculates with lists of prefixes: what is written to a
// load balancer, and what a list lets in.
//
// All prefixes given must be valid and masked; the functions change none of
// the slices they are given.
package prefixes

import (
	"math/big"
	"net/netip"
	"slices"
)

// Canonical is the list without those that another one covers, sorted: IPv4
// first, by address, the wider first. It covers exactly what list covers.
func Canonical(list []netip.Prefix) []netip.Prefix {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, netip.Prefix.Compare)
	out := sorted[:0]
	for _, p := range sorted {
		if len(out) > 0 && within(p, out[len(out)-1]) {
			continue
		}
		out = append(out, p)
	}
	return out
}

// MergeAdjacent joins halves of one prefix, again and again. The list must be
// canonical; the result is, and covers the same addresses.
func MergeAdjacent(list []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, p)
		for len(out) > 1 {
			joined, ok := join(out[len(out)-2], out[len(out)-1])
			if !ok {
				break
			}
			out = append(out[:len(out)-2], joined)
		}
	}
	return out
}

func join(a, b netip.Prefix) (netip.Prefix, bool) {
	if a.Bits() != b.Bits() || a.Bits() == 0 || a == b {
		return netip.Prefix{}, false
	}
	wide := netip.PrefixFrom(a.Addr(), a.Bits()-1).Masked()
	return wide, wide.Addr() == a.Addr() && wide.Contains(b.Addr())
}

// within tells whether wide covers all of p.
func within(p, wide netip.Prefix) bool {
	return wide.Bits() <= p.Bits() && wide.Contains(p.Addr())
}

// Covers tells whether the list lets in every address of p. For many of them
// there is Union.
func Covers(list []netip.Prefix, p netip.Prefix) bool { return UnionOf(list).Covers(p) }

// Overlap tells whether the list lets in any address of p.
func Overlap(list []netip.Prefix, p netip.Prefix) bool {
	return slices.ContainsFunc(list, p.Overlaps)
}

// Size is how many addresses of world the list covers.
func Size(list []netip.Prefix, world netip.Prefix) *big.Int {
	total := new(big.Int)
	for _, p := range Canonical(list) {
		if !p.Overlaps(world) {
			continue
		}
		bits := max(p.Bits(), world.Bits())
		total.Add(total, new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-bits)))
	}
	return total
}
