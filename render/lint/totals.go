package lint

import (
	"fmt"
	"math/big"
	"net/netip"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// inFile are the entries that count as the file's own: all but the platform's,
// as far as they are in force.
func (a *Allowlist) inFile() []Entry {
	var out []Entry
	for _, e := range a.Entries {
		if e.Kind != FromPlatform && !e.Expired(a.Now) {
			out = append(out, e)
		}
	}
	return out
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
	if !a.complete() {
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
			"the list lets in %s as many %s addresses as one /%d holds, the most that the provider's policy permits%s: whoever is among them can try the API server",
			times(size, most), world.name, limit, a.inAll(size, most, world.all)),
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

// times is a ratio as it is spoken, and never less than it is.
func times(size, most *big.Int) string {
	if size.Cmp(new(big.Int).Mul(most, big.NewInt(1000))) >= 0 {
		return "over a thousand times"
	}
	hundredths := new(big.Int).Mul(size, big.NewInt(100))
	hundredths.Add(hundredths, most).Sub(hundredths, big.NewInt(1)).Div(hundredths, most)
	return new(big.Rat).SetFrac64(hundredths.Int64(), 100).FloatString(2) + " times"
}

// inAll says what is let in altogether, where others contribute.
func (a *Allowlist) inAll(own, most *big.Int, world netip.Prefix) string {
	all := prefixes.Size(a.admitted(), world)
	if all.Cmp(own) <= 0 {
		return ""
	}
	return " (" + times(all, most) + " with what the provider adds)"
}

// tooManyEntries counts prefixes as they are written, groups resolved: that is
// what somebody has to read.
func tooManyEntries(a *Allowlist) []document.Problem {
	own, most := a.inFile(), a.Policy.Limits.MaxEntries
	if !a.restricted() || len(own) <= most {
		return nil
	}
	return []document.Problem{{Pos: own[most].At, Message: fmt.Sprintf(
		"the list has %d prefixes, groups resolved, and the provider's policy permits %d: load balancers have limits, and this is the first too many", len(own), most),
		Fix: "remove what is not needed, or write adjacent prefixes as one"}}
}
