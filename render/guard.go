package render

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// The rules by which a guard holds a cluster: no file is at fault then.
const (
	RuleBlastRadius = "blast-radius" // lifted by an operator's approval
	RuleFreeze      = "freeze"       // ends by itself
)

// Guard keeps a plan from doing much harm at once. It holds what goes too far
// against what is live, and what is frozen; what was accepted before stays, and
// is put right.
//
// What counts is a cluster that is opened, restricted for the first time, or
// that takes access away from anybody: both against what is live and against
// what was accepted for it. So a list that is put back does not count, neither
// does one that only grows, and neither does expiry. More of them than the
// policy's blastRadius hold the tenant's whole plan; and where no tenant is to
// blame alone, all of them together hold what they are of.
type Guard struct {
	// Approved are those that go ahead this time, whatever they do.
	Approved []Approved
	// Freeze are the clusters that get nothing new for now.
	Freeze []policy.Freeze
}

// Approved names one tenant of a source, or with no tenant all of it; with Rest
// only what none of its tenants is to blame for alone.
type Approved struct {
	Source, Tenant string
	Rest           bool
}

// MassHold is a tenant's plan, or what all tenants change together, that is
// held because it goes too far.
type MassHold struct {
	// Source and Tenant are empty where all tenants together go too far.
	Source, Tenant string
	// Reason is one line: how many clusters, of how many, against what limit.
	Reason string
	// Clusters are those held, sorted.
	Clusters []string
}

// OfSeed tells whether all tenants together went too far, none alone.
func (h MassHold) OfSeed() bool { return h.Tenant == "" }

// SeedHold is that of the whole seed; false where there is none.
func (p *Plan) SeedHold() (MassHold, bool) {
	i := slices.IndexFunc(p.Holds, MassHold.OfSeed)
	if i < 0 {
		return MassHold{}, false
	}
	return p.Holds[i], true
}

func (g *Guard) approves(source, tenant string) bool {
	return slices.ContainsFunc(g.Approved, func(a Approved) bool {
		return a.Source == source && !a.Rest && (a.Tenant == "" || a.Tenant == tenant)
	})
}

func (g *Guard) approvesRest(source string) bool {
	return slices.Contains(g.Approved, Approved{Source: source, Rest: true})
}

// guard replaces what goes too far by what was accepted before.
func (r *rendering) guard(p *Plan) {
	if r.Guard == nil {
		return
	}
	r.trusted = r.inForce(p)
	r.freeze(p)
	hit := map[Approved][]string{}
	for id, w := range p.Clusters {
		owner := Approved{Source: w.Claim.Source, Tenant: w.Claim.Tenant}
		if !r.Guard.approves(owner.Source, owner.Tenant) && (r.counts(id, w) || r.stillHeld(id, w)) {
			hit[owner] = append(hit[owner], id)
		}
	}
	rest := r.guardTenants(p, hit)
	if of := r.balanced(slices.Collect(maps.Keys(r.Inventory.Clusters))); r.Policy.BlastRadius.Exceeded(len(rest), of) {
		reason := r.radius(len(rest), of, "the seed's clusters")
		p.Holds = append(p.Holds, MassHold{Reason: reason, Clusters: r.keepBefore(p, rest, RuleBlastRadius, reason)})
		return
	}
	r.holdOn(p, rest)
}

// stillHeld tells whether a cluster was held, and its files ask for what was
// not approved still: neither what is live nor how many clusters there are
// lifts a hold.
func (r *rendering) stillHeld(id string, w *Wanted) bool {
	if _, held := r.Base.massHeld[id]; !held || !w.Writes() || !r.isNew(id, w) {
		return false
	}
	before := r.accepted(id, w)
	return before == nil || before.Access == Unmanaged || harms(r.admits(before, r.listNow(before)), r.admits(w, w.List), r.lapsed(before))
}

// holdOn goes on holding what was held before and is not too many any more,
// for its tenants.
func (r *rendering) holdOn(p *Plan, ids []string) {
	held := map[Approved][]string{}
	for _, id := range ids {
		if w := p.Clusters[id]; r.stillHeld(id, w) {
			owner := Approved{Source: w.Claim.Source, Tenant: w.Claim.Tenant}
			held[owner] = append(held[owner], id)
		}
	}
	for _, owner := range slices.SortedFunc(maps.Keys(held), compareOwners) {
		ids := held[owner]
		slices.Sort(ids)
		reason := r.Base.massHeld[ids[0]]
		p.Holds = append(p.Holds, MassHold{owner.Source, owner.Tenant, reason, r.keepBefore(p, ids, RuleBlastRadius, reason)})
	}
}

func compareOwners(a, b Approved) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Tenant, b.Tenant))
}

// balanced counts the clusters with a load balancer of their own: others have
// nothing to lose.
func (r *rendering) balanced(ids []string) int {
	n := 0
	for _, id := range ids {
		if r.Inventory.Clusters[id].ExposeStrategy == ExposeLoadBalancer {
			n++
		}
	}
	return n
}

// guardTenants holds each tenant that goes too far by itself, and answers what
// counts of the others.
func (r *rendering) guardTenants(p *Plan, hit map[Approved][]string) (rest []string) {
	for _, owner := range slices.SortedFunc(maps.Keys(hit), compareOwners) {
		ids, of := hit[owner], r.balanced(r.clustersOf(owner.Tenant))
		if !r.Policy.BlastRadius.Exceeded(len(ids), of) {
			if !r.Guard.approvesRest(owner.Source) {
				rest = append(rest, ids...)
			}
			continue
		}
		reason := r.radius(len(ids), of, "the clusters of "+owner.Tenant)
		slices.Sort(ids)
		all := append(ids, r.changedOf(p, owner, ids)...)
		p.Holds = append(p.Holds, MassHold{owner.Source, owner.Tenant, reason, r.keepBefore(p, all, RuleBlastRadius, reason)})
	}
	return rest
}

// changedOf are a tenant's clusters, but for sorted ones, that would get something
// new: what belongs together is held together.
func (r *rendering) changedOf(p *Plan, owner Approved, but []string) []string {
	var out []string
	for id, w := range p.Clusters {
		if w.Claim.Source != owner.Source || w.Claim.Tenant != owner.Tenant || !w.Writes() || !r.isNew(id, w) {
			continue
		}
		if _, known := slices.BinarySearch(but, id); !known {
			out = append(out, id)
		}
	}
	return out
}

func (r *rendering) radius(n, of int, whose string) string {
	return fmt.Sprintf("opens, restricts for the first time or takes access away on %d of %s (%d), more than %d and more than %d %%",
		n, whose, of, r.Policy.BlastRadius.Clusters, r.Policy.BlastRadius.Percent)
}

// keepBefore gives clusters what was accepted for them before, the provider's
// part too: taking a platform range away may be the very harm. Answers their
// IDs, sorted.
func (r *rendering) keepBefore(p *Plan, ids []string, rule, why string) []string {
	for _, id := range ids {
		w := p.Clusters[id]
		kept := &Wanted{Cluster: id, UID: w.UID, Project: w.Project, Title: w.Title, Claim: w.Claim, Exposed: w.Exposed,
			Held: &Hold{Rule: rule, Message: why}, Asked: w}
		if before := r.accepted(id, w); before != nil {
			kept.Access, kept.Claim.Line, kept.only = before.Access, w.Claim.Line, before.only
			if before.Access == Restricted {
				res := r.compute(before.Entries, r.Seed)
				kept.Entries, kept.List = res.entries, res.list
			}
		}
		p.Clusters[id] = kept
	}
	slices.Sort(ids)
	return ids
}

// accepted is what the cluster was to carry before; nil where nothing was, where
// it was another tenant's, or stayed on an earlier Cluster of that ID alone.
func (r *rendering) accepted(id string, w *Wanted) *Wanted {
	before := r.Base.wanted[id]
	if before == nil || before.Access == "" || before.Claim.Tenant != w.Claim.Tenant || before.goneWith(w.UID) {
		return nil
	}
	if before.Held != nil && before.List == nil && !r.Base.guarded[id] {
		// A restart left what a file's fault keeps: the tenant's entries alone.
		whole := *before
		whole.Entries = r.renewPlatform(before.Entries, r.Seed, id)
		return &whole
	}
	return before
}

// isNew tells whether a cluster is to carry something else than was accepted.
// What was found was, by an earlier process.
func (r *rendering) isNew(id string, w *Wanted) bool {
	if w.found {
		return false
	}
	before := r.accepted(id, w)
	if before == nil {
		return !r.trusts(id, w.Claim) && !carries(r.Inventory.Clusters[id].Live, w)
	}
	if before.Access != w.Access {
		return true
	}
	return !slices.Equal(before.List, w.List) && !slices.Equal(r.listNow(before), w.List)
}

// carries tells whether what is live is just what is wanted.
func carries(live Live, w *Wanted) bool {
	if w.Access == Restricted {
		return live.Set && slices.Equal(prefixes.Canonical(Prefixes(live.CIDRs)), w.List)
	}
	return w.Access == Open && !live.Set
}

// counts tells whether what a cluster is to carry counts against the limit.
func (r *rendering) counts(id string, w *Wanted) bool {
	c, exists := r.Inventory.Clusters[id]
	if !exists || c.ExposeStrategy != ExposeLoadBalancer || !w.Writes() || !r.isNew(id, w) {
		return false
	}
	to, before := r.admits(w, w.List), r.accepted(id, w)
	if before == nil || before.Access == Unmanaged {
		return harms(r.liveOf(c), to, r.lapsed(w))
	}
	lapsed := r.lapsed(before)
	return harms(r.liveOf(c), to, lapsed) && harms(r.admits(before, r.listNow(before)), to, lapsed)
}

// lapsed are the prefixes that a list let in for a time which is over, and not
// by another entry too.
func (r *rendering) lapsed(w *Wanted) []netip.Prefix {
	var over, still []netip.Prefix
	for _, e := range w.Entries {
		if e.Expired(r.Now) {
			over = append(over, e.Prefix)
		} else {
			still = append(still, e.Prefix)
		}
	}
	if len(over) == 0 {
		return nil
	}
	return slices.DeleteFunc(over, prefixes.UnionOf(still).Covers)
}

// listNow is a list without what expired since: that closes by itself. After a
// restart there are entries, and no list yet.
func (r *rendering) listNow(w *Wanted) []netip.Prefix {
	if w.Access != Restricted {
		return nil
	}
	return r.compute(w.Entries, r.Seed).list
}

// admission is who is let in.
type admission struct {
	everyone bool
	list     []netip.Prefix
}

// admits is who is let in by what is wanted, with what KKP adds.
func (r *rendering) admits(w *Wanted, list []netip.Prefix) admission {
	a := admission{list: Prefixes(r.Inventory.Seed.Source)}
	if w.Access == Restricted {
		a.list = append(append(a.list, list...), Prefixes(r.Inventory.Seed.Default)...)
	}
	a.everyone = len(a.list) == 0
	return a
}

// liveOf is who is let in by what a cluster carries now. A list of which
// nothing can be read lets in nobody, as far as known.
func (r *rendering) liveOf(c Cluster) admission {
	ranges := slices.Clone(r.Inventory.Seed.Source)
	if c.Live.Set {
		ranges = append(append(ranges, c.Live.CIDRs...), r.Inventory.Seed.Default...)
	}
	return admission{everyone: len(ranges) == 0, list: Prefixes(ranges)}
}

// harms tells whether the way from one to the other opens, restricts for the
// first time, or takes access away. What lapsed is no harm, as it stood and
// nothing else below it: an old line must not excuse whatever it covers. Nor
// does it excuse that its family has no entry left.
func harms(from, to admission, lapsed []netip.Prefix) bool {
	if from.everyone || to.everyone {
		return from.everyone != to.everyone
	}
	left := slices.DeleteFunc(slices.Clone(from.list), func(p netip.Prefix) bool {
		return slices.Contains(lapsed, p) && !prefixes.LosesFamily([]netip.Prefix{p}, to.list)
	})
	return !prefixes.Subset(left, to.list)
}

// freeze holds what is new and no mere tightening, while a freeze lasts.
func (r *rendering) freeze(p *Plan) {
	for id, w := range p.Clusters {
		if f := r.frozen(id); f != nil && r.isNew(id, w) && !r.tightens(id, w) {
			r.keepBefore(p, []string{id}, RuleFreeze, fmt.Sprintf("frozen until %s: %s", f.Until.UTC().Format(time.RFC3339), f.Reason))
		}
	}
}

// frozen is the freeze of a cluster that lasts longest.
func (r *rendering) frozen(id string) *policy.Freeze {
	var longest *policy.Freeze
	for i := range r.Guard.Freeze {
		f := &r.Guard.Freeze[i]
		if (f.Cluster == id || f.Cluster == policy.WholeSeed) && f.Until.After(r.Now) && (longest == nil || f.Until.After(longest.Until)) {
			longest = f
		}
	}
	return longest
}

// tightens tells whether a list only lets in fewer than the accepted one. One
// that drops a family does not: a family without entries is open, unless the
// balancer is known to deny it.
func (r *rendering) tightens(id string, w *Wanted) bool {
	before := r.accepted(id, w)
	if before == nil || before.Access != Restricted || w.Access != Restricted || len(w.List) == 0 {
		return false
	}
	had := r.listNow(before)
	opens := prefixes.LosesFamily(had, r.admits(w, w.List).list) && r.Policy.Seeds[r.Seed].Profile.AbsentFamily != profile.Denied
	return !opens && prefixes.Subset(w.List, had)
}

// thaw is when the next freeze ends; zero if none lasts.
func (r *rendering) thaw() time.Time {
	var next time.Time
	if r.Guard == nil {
		return next
	}
	for _, f := range r.Guard.Freeze {
		if f.Until.After(r.Now) {
			next = earlier(next, f.Until)
		}
	}
	return next
}
