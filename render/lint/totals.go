package lint

import (
	"cmp"
	"fmt"
	"math/big"
	"net/netip"
	"slices"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// inFile are the entries that count as the file's own: all but the platform's,
// as far as they are in force. Rules share them, and change nothing.
func (a *Allowlist) inFile() []Entry {
	if a.own != nil {
		return a.own
	}
	counts := func(e Entry) bool { return e.Kind != FromPlatform && e.counts(a.Now) }
	n := 0
	for n < len(a.Entries) && counts(a.Entries[n]) {
		n++
	}
	a.own = a.Entries[:n:n] // mostly all there are, for the platform's come last; they are large, and copied only where they must be
	for _, e := range a.Entries[n:] {
		if counts(e) {
			a.own = append(a.own, e)
		}
	}
	return a.own
}

func prefixesOf(entries []Entry) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(entries))
	for _, e := range entries {
		out = append(out, e.Prefix)
	}
	return out
}

// tooWide measures the union, so that a wide prefix in two halves is as wide.
// Half the world is open-world's to report, whatever the limit.
func tooWide(a *Allowlist) []document.Problem {
	if !a.restricted() {
		return nil
	}
	own := a.inFile()
	list := prefixesOf(own)
	var out []document.Problem
	for _, world := range worlds {
		limit := a.Policy.Limits.Widest.Of(world.all)
		most := new(big.Int).Lsh(big.NewInt(1), uint(world.all.Addr().BitLen()-limit))
		size := prefixes.Size(list, world.all)
		if size.Cmp(most) <= 0 || halfOf(list, world.open) {
			continue
		}
		out = append(out, document.Problem{Pos: widestIn(own, world.all).At, Message: fmt.Sprintf(
			"the list lets in %s%s, where one /%d%s is the most that the provider's policy permits: whoever is among them can try the API server",
			amount(size, most, limit, world.name), a.inAll(size, most, limit, world.all, world.name), limit, counted(most)),
			Fix: "narrow it to the addresses that are used"})
	}
	return out
}

// worlds are the families, with what counts as the whole of each: of IPv6 only
// 2000::/3 is handed out (RFC 4291).
var worlds = []struct {
	name      string
	all, open netip.Prefix
}{
	{"IPv4", netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("0.0.0.0/0")},
	{"IPv6", netip.MustParsePrefix("::/0"), netip.MustParsePrefix("2000::/3")},
}

// readable is how many bits a number can have that is written out: all of IPv4
// is 2^32.
const readable = 34

// counted is a number in brackets, where it can be read.
func counted(n *big.Int) string {
	if n.BitLen() > readable {
		return ""
	}
	return " (" + grouped(n.String()) + ")"
}

// amount is a number of addresses, exactly where that can be read: counted, or
// as so many prefixes of the greatest size of which it is a multiple. Else it is
// as many of the permitted ones as are in it.
func amount(n, most *big.Int, limit int, family string) string {
	if n.BitLen() <= readable {
		return grouped(n.String()) + " " + family + " addresses"
	}
	zeros := n.TrailingZeroBits()
	if odd := new(big.Int).Rsh(n, zeros); odd.BitLen() <= readable {
		return fmt.Sprintf("%s x /%d of %s", grouped(odd.String()), 128-zeros, family)
	}
	return fmt.Sprintf("more than %s x /%d of %s", grouped(new(big.Int).Div(n, most).String()), limit, family)
}

// grouped puts commas between thousands.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// inAll says what is let in altogether, where others contribute.
func (a *Allowlist) inAll(own, most *big.Int, limit int, world netip.Prefix, family string) string {
	all := prefixes.Size(a.admitted(), world)
	if all.Cmp(own) <= 0 {
		return ""
	}
	return " (with what the provider adds: " + amount(all, most, limit, family) + ")"
}

// tooManyEntries counts prefixes as they are written, groups resolved: that is
// what somebody has to read.
func tooManyEntries(a *Allowlist) []document.Problem {
	own, most := a.inFile(), a.Policy.Limits.MaxEntries
	if !a.restricted() || len(own) <= most {
		return nil
	}
	own = slices.SortedStableFunc(slices.Values(own), func(x, y Entry) int {
		return cmp.Or(cmp.Compare(x.At.Line, y.At.Line), cmp.Compare(x.At.Column, y.At.Column))
	})
	return []document.Problem{{Pos: own[most].At, Message: fmt.Sprintf(
		"the list has %d prefixes, groups resolved, and the provider's policy permits %d: load balancers have limits, and this is the first too many", len(own), most),
		Fix: "remove what is not needed, or write adjacent prefixes as one"}}
}
