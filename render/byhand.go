package render

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// ByHand is what the policy's breakGlass grants: how long a tenant may keep a
// list that it set on a Cluster past Git, and which lists. The zero value
// grants nothing.
type ByHand struct {
	// Longest counts from the first foreign write; 0: not at all.
	Longest   time.Duration
	forbidden []policy.Forbidden
	// absentDenied: the seed's balancer lets nobody in by a family without
	// entries.
	absentDenied bool
}

// GrantedBy is what a policy grants on a seed.
func GrantedBy(p *policy.Policy, seed string) ByHand {
	return ByHand{Longest: p.BreakGlass, forbidden: p.Limits.Forbidden,
		absentDenied: p.Seeds[seed].Profile.AbsentFamily == profile.Denied}
}

// Same tells whether two policies grant the same.
func (b ByHand) Same(other ByHand) bool {
	if b.Longest != other.Longest || b.absentDenied != other.absentDenied || len(b.forbidden) != len(other.forbidden) {
		return false
	}
	for i, f := range b.forbidden {
		if f.Prefix != other.forbidden[i].Prefix {
			return false
		}
	}
	return true
}

// Refuse says why a live list may not stay for any time, where another is
// wanted (nothing: everyone); empty where it may. Whatever the time that is
// granted, these are put right:
//
//	absent, []            they let everyone in, or nobody knows whom
//	not canonical         one bad value stops KKP's whole reconcile
//	world-wide            by open-world's measure, with what the Seed adds
//	a family less         than wanted: it would be open to everyone, unless
//	                      the balancer's profile says that it is denied
//	forbidden             by the policy's limits
//
// What the Seed lets in by itself is not held against the list.
func (b ByHand) Refuse(live Live, wanted []netip.Prefix, seed SeedRanges) string {
	switch {
	case !live.Set:
		return "without a list everyone may be let in"
	case len(live.CIDRs) == 0:
		return "with an empty list everyone may be let in"
	}
	var list []netip.Prefix
	for _, text := range live.CIDRs {
		p, ok := CanonicalPrefix(text)
		if !ok {
			return fmt.Sprintf("%.60q is not a canonical prefix", text)
		}
		list = append(list, p)
	}
	added := Prefixes(append(append([]string(nil), seed.Source...), seed.Default...))
	if world := lint.WorldWide(append(added, list...)); world != "" && lint.WorldWide(added) == "" {
		return "it lets in at least half of " + world
	}
	if !b.absentDenied && prefixes.LosesFamily(wanted, append(added, list...)) {
		return "it has no entry of an address family that the list in Git filters, which may let everyone in by it"
	}
	for _, f := range b.forbidden {
		if prefixes.Overlap(list, f.Prefix) {
			return fmt.Sprintf("the policy forbids %s", f.Prefix)
		}
	}
	return ""
}

// CanonicalPrefix parses a prefix that is written as this program writes it:
// masked, without zone, no IPv4 in IPv6, in the one spelling.
func CanonicalPrefix(text string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	ok := err == nil && p == p.Masked() && !p.Addr().Is4In6() && p.String() == text
	return p, ok
}
