package meaning

import (
	"net/netip"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// same tells whether two entries are one in what they mean: where they stand
// and how they are described does not matter.
func same(a, b render.Entry) bool {
	return a.Prefix == b.Prefix && a.Kind == b.Kind && a.Group == b.Group && a.Expires.Equal(b.Expires)
}

func sameEntries(a, b []render.Entry) bool { return slices.EqualFunc(a, b, same) }

// shares are the parts that entries in force have of a set of addresses, in
// the order of the entries.
func shares(entries []render.Entry, set []netip.Prefix, now time.Time) []Share {
	out := []Share{}
	for _, e := range entries {
		if part := common(e.Prefix, set); len(part) > 0 && !e.Expired(now) {
			out = append(out, Share{part, e})
		}
	}
	return out
}

// lostShares are shares, with what is from no entry that is known: that of a
// list that was live, or of an entry kept beyond its time.
func lostShares(entries []render.Entry, lost []netip.Prefix, now time.Time) []Share {
	out := shares(entries, lost, now)
	if rest := subtract(lost, prefixesOf(entries, now)); len(rest) > 0 {
		out = append(out, Share{Prefixes: rest})
	}
	return out
}

// stillIn are the entries that were removed to no effect, or not to all, because
// others let in the same: those that were there before, and wider ones that
// came. A prefix that was split, merged, widened or moved to a group is no
// removal.
func stillIn(from, to state, now time.Time) []Still {
	out := []Still{}
	for _, e := range from.entries {
		if e.Expired(now) || present(e, to.entries) || !e.Own() && e.Kind != lint.FromNodeEgress {
			continue
		}
		var by []render.Entry
		for _, other := range to.entries {
			if other.Prefix.Overlaps(e.Prefix) && !other.Expired(now) && (present(other, from.entries) || takesIn(other, e, from)) {
				by = append(by, other)
			}
		}
		if part := common(e.Prefix, union(prefixesOf(by, now))); len(part) > 0 {
			if len(part) == 1 && part[0] == e.Prefix {
				part = nil
			}
			out = append(out, Still{e, part, by})
		}
	}
	return out
}

// takesIn tells whether an entry that came is another's, in which the one that
// was removed lies by the way: it lets in more than was let in, by other words.
func takesIn(other, removed render.Entry, from state) bool {
	wider := other.Prefix.Bits() < removed.Prefix.Bits() && len(subtract([]netip.Prefix{other.Prefix}, from.admitted)) > 0
	return wider && (other.Description != removed.Description || other.Owner != removed.Owner)
}

func present(e render.Entry, entries []render.Entry) bool {
	return slices.ContainsFunc(entries, func(o render.Entry) bool {
		return o.Prefix == e.Prefix && o.Kind == e.Kind && o.Group == e.Group
	})
}

// expiries are the prefixes that are let in on both sides, until another time.
func expiries(from, to state, now time.Time) []Expiry {
	out := []Expiry{}
	seen := map[netip.Prefix]bool{}
	for _, e := range slices.Concat(to.entries, from.entries) {
		if seen[e.Prefix] || e.Expired(now) {
			continue
		}
		seen[e.Prefix] = true
		if !covered(e.Prefix, from.entries, now) || !covered(e.Prefix, to.entries, now) {
			continue
		}
		was, is := until(e.Prefix, from.entries, now), until(e.Prefix, to.entries, now)
		if !was.Equal(is) {
			out = append(out, Expiry{e.Prefix, was, is, e})
		}
	}
	return out
}

func covered(p netip.Prefix, entries []render.Entry, now time.Time) bool {
	return prefixes.Covers(prefixesOf(entries, now), p)
}
