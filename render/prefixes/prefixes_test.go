package prefixes_test

import (
	"math/big"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

func TestCanonicalCoversTheSameAndNothingTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := aList().Draw(t, "list")
		given := slices.Clone(list)
		got := prefixes.Canonical(list)
		if !slices.Equal(list, given) {
			t.Fatalf("the list given was changed: %v, was %v", list, given)
		}
		if !members(got).equal(members(list)) {
			t.Fatalf("%v lets in others than %v", got, list)
		}
		wantCanonical(t, got)
		if again := prefixes.Canonical(got); !slices.Equal(again, got) {
			t.Fatalf("canonical again: %v, was %v", again, got)
		}
		for _, p := range got {
			if !slices.Contains(list, p) {
				t.Fatalf("%v is in nobody's list %v", p, list)
			}
		}
		if other := prefixes.Canonical(rapid.Permutation(list).Draw(t, "order")); !slices.Equal(other, got) {
			t.Fatalf("in another order: %v, want %v", other, got)
		}
	})
}

func TestMergeAdjacentCoversTheSameInFewer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := aList().Draw(t, "list")
		canonical := prefixes.Canonical(list)
		given := slices.Clone(canonical)
		got := prefixes.MergeAdjacent(canonical)
		if !slices.Equal(canonical, given) {
			t.Fatalf("the list given was changed: %v, was %v", canonical, given)
		}
		if !members(got).equal(members(list)) {
			t.Fatalf("%v lets in others than %v", got, list)
		}
		wantCanonical(t, got)
		for i, p := range got {
			for _, q := range got[i+1:] {
				if halves(p, q) {
					t.Fatalf("%v and %v are halves of one prefix, in %v", p, q, got)
				}
			}
		}
	})
}

func TestCoversOverlapAndSizeAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list, p := aList().Draw(t, "list"), aPrefix().Draw(t, "prefix")
		in, of := members(list), members([]netip.Prefix{p})
		both := in.common(of)
		if got, want := prefixes.Covers(list, p), both == len(of); got != want {
			t.Fatalf("%v covers %v: got %v, want %v", list, p, got, want)
		}
		if got, want := prefixes.Overlap(list, p), both > 0; got != want {
			t.Fatalf("%v overlaps %v: got %v, want %v", list, p, got, want)
		}
		if got, want := prefixes.Size(list, p), big.NewInt(int64(both)); got.Cmp(want) != 0 {
			t.Fatalf("size of %v in %v: got %v, want %v", list, p, got, want)
		}
	})
}

func TestOfWholeWorlds(t *testing.T) {
	t.Parallel()
	halves := parse("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1")
	if got, want := prefixes.MergeAdjacent(prefixes.Canonical(halves)), parse("0.0.0.0/0", "::/0"); !slices.Equal(got, want) {
		t.Errorf("merged: got %v, want %v", got, want)
	}
	if !prefixes.Covers(halves, netip.MustParsePrefix("0.0.0.0/0")) || !prefixes.Covers(halves, netip.MustParsePrefix("2000::/3")) {
		t.Error("two halves do not cover the whole")
	}
	if prefixes.Covers(parse("0.0.0.0/0"), netip.MustParsePrefix("::/0")) {
		t.Error("IPv4 covers IPv6")
	}
	all := new(big.Int).Lsh(big.NewInt(1), 128)
	if got := prefixes.Size(halves, netip.MustParsePrefix("::/0")); got.Cmp(all) != 0 {
		t.Errorf("size: got %v, want 2^128", got)
	}
	if got := prefixes.Size(parse("::/0"), netip.MustParsePrefix("2001:db8::/127")); got.Cmp(big.NewInt(2)) != 0 {
		t.Errorf("size within a narrower one: got %v, want 2", got)
	}
}

func TestOfNothing(t *testing.T) {
	t.Parallel()
	p := netip.MustParsePrefix("192.0.2.0/24")
	if got := prefixes.Canonical(nil); len(got) != 0 {
		t.Errorf("canonical: %v", got)
	}
	if got := prefixes.MergeAdjacent(nil); len(got) != 0 {
		t.Errorf("merged: %v", got)
	}
	if prefixes.Covers(nil, p) || prefixes.Overlap(nil, p) || prefixes.Size(nil, p).Sign() != 0 {
		t.Error("an empty list lets somebody in")
	}
}

// What is written is compared as text by others, so the order is fixed.
func TestOrder(t *testing.T) {
	t.Parallel()
	got := prefixes.Canonical(parse("2001:db8::/32", "203.0.113.0/24", "::/128", "9.0.0.0/8", "198.51.100.7/32", "10.0.0.0/8"))
	if want := parse("9.0.0.0/8", "10.0.0.0/8", "198.51.100.7/32", "203.0.113.0/24", "::/128", "2001:db8::/32"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func parse(in ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range in {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// wantCanonical: sorted, IPv4 first, and none within another.
func wantCanonical(t *rapid.T, list []netip.Prefix) {
	for i, p := range list {
		for j, q := range list {
			if i != j && members([]netip.Prefix{p}).common(members([]netip.Prefix{q})) > 0 {
				t.Fatalf("%v and %v overlap, in %v", p, q, list)
			}
		}
		if i == 0 {
			continue
		}
		before := list[i-1]
		if before.Addr().Is4() == p.Addr().Is4() && !before.Addr().Less(p.Addr()) || before.Addr().Is6() && p.Addr().Is4() {
			t.Fatalf("%v before %v, in %v", before, p, list)
		}
	}
}

// halves tells whether two prefixes make up one.
func halves(p, q netip.Prefix) bool {
	if p.Bits() != q.Bits() || p.Addr().BitLen() != q.Addr().BitLen() {
		return false
	}
	a, b := number(p.Addr(), p.Bits()), number(q.Addr(), q.Bits())
	return a.Rsh(a, 1).Cmp(b.Rsh(b, 1)) == 0
}
