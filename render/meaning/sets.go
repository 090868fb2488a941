package meaning

import (
	"net/netip"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// subtract is what a covers and b does not, in the fewest prefixes.
func subtract(a, b []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range union(a) {
		out = without(out, p, union(b))
	}
	return union(out)
}

// without adds to out what is left of p, halving it where holes are in it.
func without(out []netip.Prefix, p netip.Prefix, holes []netip.Prefix) []netip.Prefix {
	var within []netip.Prefix
	for _, h := range holes {
		if !h.Overlaps(p) {
			continue
		}
		if h.Bits() <= p.Bits() {
			return out
		}
		within = append(within, h)
	}
	if len(within) == 0 {
		return append(out, p)
	}
	low, high := halves(p)
	return without(without(out, low, within), high, within)
}

// halves are the two prefixes that p consists of. p must not be one address.
func halves(p netip.Prefix) (low, high netip.Prefix) {
	low = netip.PrefixFrom(p.Addr(), p.Bits()+1)
	bytes := p.Addr().AsSlice()
	bytes[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	addr, _ := netip.AddrFromSlice(bytes)
	return low, netip.PrefixFrom(addr, p.Bits()+1)
}

// union is a set of addresses in the fewest prefixes: equal sets are equal
// slices.
func union(list []netip.Prefix) []netip.Prefix {
	return prefixes.MergeAdjacent(prefixes.Canonical(list))
}

// common is what p and the set have in common.
func common(p netip.Prefix, set []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range set {
		switch {
		case !s.Overlaps(p):
		case s.Bits() < p.Bits():
			return []netip.Prefix{p}
		default:
			out = append(out, s)
		}
	}
	return union(out)
}

// prefixesOf are the prefixes of the entries that are in force.
func prefixesOf(entries []render.Entry, now time.Time) []netip.Prefix {
	var out []netip.Prefix
	for _, e := range entries {
		if !e.Expired(now) {
			out = append(out, e.Prefix)
		}
	}
	return out
}

// until is the moment from which the entries no longer cover all of p; zero
// where they always do. They must cover it now.
func until(p netip.Prefix, entries []render.Entry, now time.Time) time.Time {
	var ends []time.Time
	for _, e := range entries {
		if !e.Expires.IsZero() && !e.Expired(now) && e.Prefix.Overlaps(p) {
			ends = append(ends, e.Expires)
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	for _, end := range ends {
		if !prefixes.Covers(prefixesOf(entries, end), p) {
			return end
		}
	}
	return time.Time{}
}
