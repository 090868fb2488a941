package lint

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// balancer is the profile of the seed's load balancer; nil where no policy, or
// no seed, says which that is.
func (a *Allowlist) balancer() *profile.Profile {
	if s, ok := a.Policy.Seeds[a.Seed]; ok && a.restricted() {
		return &s.Profile
	}
	return nil
}

// clustersPlace is where the document says which clusters it is for.
func (a *Allowlist) clustersPlace() document.Pos {
	spec := &a.Doc.Spec
	for _, c := range spec.Clusters.Items {
		if c.Set {
			return c.Pos
		}
	}
	if spec.Selector.Key != (document.Pos{}) {
		return spec.Selector.Place()
	}
	return spec.Or(a.Doc.Pos)
}

// notEnforced says it once a document. The list is written all the same: the
// balancer may be another tomorrow, and the state says what it is worth.
func notEnforced(a *Allowlist) []Problem {
	b := a.balancer()
	if b == nil || b.Enforces == profile.Yes {
		return nil
	}
	p := Problem{Severity: Warning, Problem: document.Problem{Pos: a.clustersPlace(), Message: fmt.Sprintf(
		"whether the load balancer of seed %s (%s) filters by this list is not known: what it does not filter, everyone reaches", a.Seed, b.Name),
		Fix: "ask the provider, who can name the load balancer in the policy"}}
	if b.Enforces == profile.No {
		p.Severity = Error
		p.Message = fmt.Sprintf("the load balancer of seed %s (%s) ignores the list: it is written, and everyone reaches the API server all the same", a.Seed, b.Name)
		p.Fix = "do not rely on it; access: unmanaged says so"
	}
	return []Problem{p}
}

// RefusesIPv6 is the first prefix for which a load balancer refuses the whole
// list: an entry of the file's own.
func RefusesIPv6(p profile.Profile, entries []Entry) (Entry, bool) {
	if p.IPv6 != profile.No {
		return Entry{}, false
	}
	i := slices.IndexFunc(entries, ownIPv6)
	if i < 0 {
		return Entry{}, false
	}
	return entries[i], true
}

func ownIPv6(e Entry) bool { return e.Kind != FromPlatform && e.Prefix.Addr().Is6() }

// familyUnsupported: one entry of such a family keeps the whole list, and every
// later change of it, from the load balancer.
func familyUnsupported(a *Allowlist) []Problem {
	b := a.balancer()
	if b == nil {
		return nil
	}
	own := a.inFile()
	if e, refused := RefusesIPv6(*b, own); refused {
		return []Problem{{Problem: document.Problem{Pos: e.At, Message: fmt.Sprintf(
			"%s is IPv6, and the load balancer of seed %s (%s) takes IPv4 alone: it would refuse the whole list", e.Prefix, a.Seed, b.Name), Fix: "remove it"}}}
	}
	if i := slices.IndexFunc(own, ownIPv6); i >= 0 && b.IPv6 == profile.DualStack {
		return []Problem{{Severity: Warning, Problem: document.Problem{Pos: own[i].At, Message: fmt.Sprintf(
			"%s is IPv6: where the cluster's load balancer (%s) has no IPv6 address itself, it refuses the whole list", own[i].Prefix, b.Name),
			Fix: "ask the provider whether the clusters are dual-stack"}}}
	}
	return nil
}

// familyGap looks at everything admitted: a range of the provider's keeps a
// family filtered as well as one of the file's.
func familyGap(a *Allowlist) []document.Problem {
	b := a.balancer()
	if b == nil || !a.complete() || b.AbsentFamily != profile.Open || b.Enforces == profile.No {
		return nil
	}
	var out []document.Problem
	for _, world := range worlds {
		if slices.ContainsFunc(a.admitted(), func(p netip.Prefix) bool { return p.Addr().Is4() == world.all.Addr().Is4() }) {
			continue
		}
		out = append(out, document.Problem{Pos: a.entriesKey(), Message: fmt.Sprintf(
			"the list has no %s prefix, and %s filters only the families that are in it: where the API server has an %s address, everyone reaches it there", world.name, b.Name, world.name),
			Fix: "add an " + world.name + " prefix; one address is enough to have the family filtered"})
	}
	return out
}
