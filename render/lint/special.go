package lint

import (
	"fmt"
	"net/netip"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// special is the closest entry of IANA's registries that holds all of p.
func special(p netip.Prefix) (registered, bool) {
	best, found := registered{}, false
	for _, r := range registry {
		if r.prefix.Bits() <= p.Bits() && r.prefix.Contains(p.Addr()) && (!found || r.prefix.Bits() > best.prefix.Bits()) {
			best, found = r, true
		}
	}
	return best, found
}

func specialAt(p document.Value[netip.Prefix]) []document.Problem {
	r, found := special(p.V)
	if !found {
		return nil
	}
	return []document.Problem{{Pos: p.Pos, Message: fmt.Sprintf(
		"%s is within %s, %q (%s): nobody comes from there through the Internet, so that this lets in either nobody or whoever uses those addresses on the way",
		p.V, r.prefix, r.name, r.source), Fix: "the public address, as the load balancer sees it"}}
}

// specialRange looks at what the document itself states: groups are judged
// where they stand, and the provider's ranges are the provider's.
func specialRange(a *Allowlist) []document.Problem {
	var out []document.Problem
	for _, p := range a.Doc.Spec.NodeEgress.Else.Items {
		if p.Set {
			out = append(out, specialAt(p)...)
		}
	}
	for i := range a.Doc.Spec.Entries.Items {
		for _, p := range a.Doc.Spec.Entries.Items[i].Prefixes() {
			out = append(out, specialAt(p)...)
		}
	}
	return out
}
