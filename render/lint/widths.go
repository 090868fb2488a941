package lint

import (
	"fmt"
	"math/big"
	"net/netip"
	"slices"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// nobodyLetIn finds the list whose entries bring no address in, because they
// name groups without any: platform ranges and node egress do not count. A list
// without entries is a fault of form, which is found before.
func nobodyLetIn(a *Allowlist) []document.Problem {
	if !a.complete() || len(a.Doc.Spec.Entries.Items) == 0 || slices.ContainsFunc(a.Entries, Entry.Own) {
		return nil
	}
	return []document.Problem{{Pos: a.entriesKey(), Message: "the list's entries bring no address in: it would let in the platform alone", Fix: "add an entry; or say access: unmanaged"}}
}

// expiresToOpen looks at each family by itself: kube-proxy filters each for
// itself too, and a family whose last entry went would be open.
func expiresToOpen(a *Allowlist) []document.Problem {
	if !a.whole() {
		return nil
	}
	var out []document.Problem
	for _, family := range []string{"IPv4", "IPv6"} {
		widest, forGood := -1, false
		for i, e := range a.Entries {
			if familyOf(e.Prefix) != family {
				continue
			}
			forGood = forGood || e.Expires.IsZero()
			if widest < 0 || e.Prefix.Bits() < a.Entries[widest].Prefix.Bits() {
				widest = i
			}
		}
		if widest >= 0 && !forGood {
			out = append(out, document.Problem{Pos: a.Entries[widest].At, Message: fmt.Sprintf(
				"every %s prefix of this list expires: a filter without entries is no filter, and lets everyone in", family),
				Fix: "give at least one " + family + " prefix that stays, such as nodeEgress"})
		}
	}
	return out
}

func familyOf(p netip.Prefix) string {
	if p.Addr().Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// openWorld looks at the union of everything admitted, so that a world in two
// halves is a world too; the file's own entries decide.
func openWorld(a *Allowlist) []document.Problem {
	if !a.restricted() {
		return nil
	}
	own := a.inFile()
	list := prefixesOf(own)
	var out []document.Problem
	for _, world := range []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("2000::/3")} {
		if !halfOf(list, world) {
			continue
		}
		e := widestIn(own, world)
		out = append(out, document.Problem{Pos: e.At, Message: fmt.Sprintf(
			"the list lets in at least half of %s: that is open, not restricted", worldName(world)),
			Fix: "narrow it; or say access: open where the policy permits it"})
	}
	return out
}

func worldName(world netip.Prefix) string {
	if world.Addr().Is4() {
		return "IPv4"
	}
	return "the IPv6 Internet (2000::/3)"
}

func halfOf(list []netip.Prefix, world netip.Prefix) bool {
	size := prefixes.Size(list, world)
	half := new(big.Int).Lsh(big.NewInt(1), uint(world.Addr().BitLen()-world.Bits()-1))
	return size.Cmp(half) >= 0
}

func widestIn(entries []Entry, world netip.Prefix) Entry {
	widest := Entry{Prefix: netip.PrefixFrom(world.Addr(), world.Addr().BitLen())}
	for _, e := range entries {
		if e.Prefix.Overlaps(world) && (e.Prefix.Bits() < widest.Prefix.Bits() || widest.At == document.Pos{}) {
			widest = e
		}
	}
	return widest
}

// testFailed asks the addresses of the file's tests of what is admitted. What is
// let in by the entries that are known is let in whatever the others are.
func testFailed(a *Allowlist) []document.Problem {
	if !a.JudgeTests || !a.restricted() && !a.open() {
		return nil
	}
	admitted := prefixes.UnionOf(a.admitted())
	var out []document.Problem
	for _, t := range a.Doc.Spec.Tests.Items {
		if t.Allow.Set && a.whole() && !admitted.Covers(t.Allow.V) {
			out = append(out, document.Problem{Pos: t.Allow.Pos, Message: fmt.Sprintf("%s should be let in, and is not", t.Allow.Raw)})
		}
		if t.Deny.Set && admitted.Overlaps(t.Deny.V) {
			out = append(out, document.Problem{Pos: t.Deny.Pos, Message: fmt.Sprintf("%s should be kept out, and is let in", t.Deny.Raw)})
		}
	}
	return out
}

// admitted is what is let in now: everyone, or the list and what KKP adds.
func (a *Allowlist) admitted() []netip.Prefix {
	if a.open() {
		return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	}
	out := append([]netip.Prefix(nil), a.Extra...)
	for _, e := range a.Entries {
		if e.counts(a.Now) {
			out = append(out, e.Prefix)
		}
	}
	return out
}
