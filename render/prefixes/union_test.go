package prefixes_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

func TestUnionAnswersAsItsListDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list, p := aList().Draw(t, "list"), aPrefix().Draw(t, "p")
		u := prefixes.UnionOf(list)
		within, touched := members([]netip.Prefix{p}), false
		all := members(list)
		covered := true
		for a := range within {
			covered, touched = covered && all[a], touched || all[a]
		}
		if u.Covers(p) != covered || prefixes.Covers(list, p) != covered {
			t.Fatalf("%v covers %v: %v, want %v", list, p, u.Covers(p), covered)
		}
		if u.Overlaps(p) != touched || prefixes.Overlap(list, p) != touched {
			t.Fatalf("%v overlaps %v: %v, want %v", list, p, u.Overlaps(p), touched)
		}
	})
}
