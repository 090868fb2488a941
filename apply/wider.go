package apply

import (
	"net/netip"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// wider tells whether a live list may let in an address that the wanted one
// does not, what the Seed adds counted on both sides. These count as wider
// without a look at addresses:
//
//	absent, []      nobody knows for certain whom they let in
//	not canonical   KKP stops at it, and the old list may be all there is
//	a family less   kube-proxy filters each family for itself: the one that
//	                the list no longer has is open
func wider(w *render.Wanted, live render.Live, seed render.SeedRanges) bool {
	if w.Access == render.Open {
		return false // nothing lets in more than that
	}
	if !live.Set || len(live.CIDRs) == 0 {
		return true
	}
	added := append(render.Prefixes(seed.Source), render.Prefixes(seed.Default)...)
	wanted := union(append(added, w.List...))
	var list []netip.Prefix
	for _, text := range live.CIDRs {
		p, ok := render.CanonicalPrefix(text)
		if !ok || !prefixes.Covers(wanted, p) {
			return true
		}
		list = append(list, p)
	}
	return prefixes.LosesFamily(w.List, append(list, added...))
}
