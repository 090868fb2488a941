package prefixes_test

import (
	"math/big"
	"net/netip"

	"pgregory.net/rapid"
)

// The model: a tiny universe of 32 addresses in each family, at the very end
// of what there is, so that nothing overflows unseen. A list is the set of the
// addresses that it names, one by one.

const small = 5 // bits that are left to vary

var worlds = []netip.Prefix{
	netip.MustParsePrefix("255.255.255.224/27"),
	netip.MustParsePrefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffe0/123"),
}

// universe are all addresses of the model.
var universe = func() []netip.Addr {
	var out []netip.Addr
	for _, world := range worlds {
		for a := world.Addr(); world.Contains(a); a = a.Next() {
			out = append(out, a)
			if !a.Next().IsValid() {
				break
			}
		}
	}
	return out
}()

type set map[netip.Addr]bool

// members asks nothing of the package under test, nor of how prefixes overlap:
// an address is in a list when the first bits are the same.
func members(list []netip.Prefix) set {
	out := set{}
	for _, a := range universe {
		for _, p := range list {
			if a.BitLen() == p.Addr().BitLen() && number(a, p.Bits()).Cmp(number(p.Addr(), p.Bits())) == 0 {
				out[a] = true
			}
		}
	}
	return out
}

// number is an address's first bits.
func number(a netip.Addr, bits int) *big.Int {
	n := new(big.Int).SetBytes(a.AsSlice())
	return n.Rsh(n, uint(a.BitLen()-bits))
}

func (s set) equal(other set) bool {
	if len(s) != len(other) {
		return false
	}
	for a := range s {
		if !other[a] {
			return false
		}
	}
	return true
}

// common counts what s and other have in common.
func (s set) common(other set) int {
	n := 0
	for a := range s {
		if other[a] {
			n++
		}
	}
	return n
}

// aPrefix is any prefix of the universe.
func aPrefix() *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		a := rapid.SampledFrom(universe).Draw(t, "address")
		return netip.PrefixFrom(a, a.BitLen()-rapid.IntRange(0, small).Draw(t, "wide")).Masked()
	})
}

func aList() *rapid.Generator[[]netip.Prefix] { return rapid.SliceOfN(aPrefix(), 0, 24) }
