package policy

import (
	"net/netip"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// most is the largest number that means anything in a Policy.
const most = 1_000_000

func (r *policyReader) limits() {
	d, out := &r.doc.Limits, &r.out.Limits
	out.MaxEntries = r.between("maxEntries", d.MaxEntries, 1, most, out.MaxEntries)
	out.Widest = r.lengths(d.Widest, out.Widest)
	out.Routine = r.lengths(d.Routine, out.Routine)
	for _, f := range d.Forbidden.Items {
		if f.CIDR.Set {
			out.Forbidden = append(out.Forbidden, Forbidden{Prefix: f.CIDR.V, Description: f.Description.V})
		}
	}
}

func (r *policyReader) lengths(d LengthsDocument, otherwise Lengths) Lengths {
	return Lengths{
		IPv4: r.between("ipv4", d.IPv4, 0, 32, otherwise.IPv4),
		IPv6: r.between("ipv6", d.IPv6, 0, 128, otherwise.IPv6),
	}
}

func (r *policyReader) requirements() {
	d, out := &r.doc.Require, &r.out.Require
	take(&out.NodeEgress, d.NodeEgress)
	take(&out.Owner, d.Owner)
	out.ExpiryWiderThan = r.lengths(d.ExpiryWiderThan, out.ExpiryWiderThan)
	take(&r.out.AllowOpen, r.doc.AllowOpen)
	take(&r.out.Selectors, r.doc.Selectors)
	take(&r.out.BreakGlass, r.doc.BreakGlass)
}

func (r *policyReader) blastRadius() {
	d, out := &r.doc.BlastRadius, &r.out.BlastRadius
	out.Clusters = r.between("clusters", d.Clusters, 0, most, out.Clusters)
	out.Percent = r.between("percent", d.Percent, 0, 100, out.Percent)
}

// take takes a value over where the file has one.
func take[T any](to *T, v document.Value[T]) {
	if v.Set {
		*to = v.V
	}
}

// worlds are the families with what counts as the whole of each: of IPv6 only
// 2000::/3 is handed out (RFC 4291).
var worlds = []struct {
	family string
	whole  netip.Prefix
}{
	{"IPv4", netip.MustParsePrefix("0.0.0.0/0")},
	{"IPv6", netip.MustParsePrefix("2000::/3")},
}

// widestOf is the first of the widest platform ranges that hold some of a whole.
func widestOf(items []PlatformDocument, whole netip.Prefix) document.Value[netip.Prefix] {
	var widest document.Value[netip.Prefix]
	for _, p := range items {
		if p.CIDR.Set && p.CIDR.V.Overlaps(whole) && (!widest.Set || p.CIDR.V.Bits() < widest.V.Bits()) {
			widest = p.CIDR
		}
	}
	return widest
}

// share is how much of the whole the prefixes hold, from 0 to 1. Two prefixes
// are apart, or one is within the other: only the outer ones count.
func share(prefixes []netip.Prefix, whole netip.Prefix) float64 {
	sum, counted := 0.0, map[netip.Prefix]bool{}
	for _, p := range prefixes {
		if p.Overlaps(whole) && p.Bits() <= whole.Bits() {
			return 1
		}
		if !p.Overlaps(whole) || counted[p] || within(p, prefixes) {
			continue
		}
		counted[p] = true
		sum += 1 / float64(uint64(1)<<min(p.Bits()-whole.Bits(), 63))
	}
	return sum
}

func within(p netip.Prefix, others []netip.Prefix) bool {
	for _, o := range others {
		if o.Bits() < p.Bits() && o.Overlaps(p) {
			return true
		}
	}
	return false
}
