package render

import (
	"net/netip"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// resolved is a list with the platform of one datacenter, shared by all
// clusters that it holds for.
type resolved struct {
	entries []Entry
	list    []netip.Prefix
	kept    bool // an expired entry was kept, so that nothing opens
}

// plan puts together what every cluster gets.
func (r *rendering) plan() *Plan {
	p := &Plan{Now: r.Now, ByHand: GrantedBy(r.Policy, r.Seed), Clusters: make(map[string]*Wanted, len(r.claims)), Refused: r.refused,
		accepted: map[FileID]string{}, names: map[docName]string{}, contested: r.contested, lines: lines{}, known: map[string]bool{}, found: map[string]*Wanted{}, overdue: r.overdue}
	r.wanted = p.Clusters
	for key, c := range r.claims {
		if w := r.want(key, c); w != nil {
			p.Clusters[key] = w
		}
	}
	r.keepRemoved()
	r.holdToBudget()
	r.keepFound(p)
	r.guard(p)
	p.Findings = r.allFindings()
	p.Next = r.wake(earlier(r.next(), r.thaw()))
	r.remember(p)
	return p
}

func clusterOf(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }

// seedOf is the seed of a cluster, by its key in the plan.
func (r *rendering) seedOf(key string) string {
	if r.Seed != "" {
		return r.Seed
	}
	seed, _, _ := strings.Cut(key, "/")
	return seed
}

// want is what a claimed cluster gets.
func (r *rendering) want(key string, c *claim) *Wanted {
	id := clusterOf(key)
	l, cluster := c.list, r.Inventory.Clusters[id]
	w := &Wanted{Cluster: id, UID: cluster.UID, Project: cluster.Project, Title: Cluster{ID: id, Name: cluster.Name}.Title(), Claim: l.claim(c.at),
		Exposed: cluster.ExposeStrategy == ExposeLoadBalancer}
	if !r.good(l) {
		return r.held(key, r.stillOf(key, w, c), r.refusal(l))
	}
	if l.access() == Open && !r.Policy.AllowOpen {
		return r.keptFromOpening(key, w)
	}
	w.Access = l.access()
	r.strategy(l, c.at, cluster)
	if w.Access == Restricted {
		res := r.restricted(l, cluster.Datacenter)
		w.Entries, w.List, w.Unresolved = res.entries, res.list, l.unresolved
		if res.kept {
			w.Held = keptExpired()
		}
		return r.refusedFamily(l, key, w)
	}
	return w
}

// stillOf leaves a cluster, which a refused file asks for, to the file that had
// it: being refused is no way to come by one, and would keep it from the next
// file that is right.
func (r *rendering) stillOf(key string, w *Wanted, c *claim) *Wanted {
	before, had := r.Base.claim(key)
	if had && before.Tenant == w.Claim.Tenant && r.hadBy(key, c) == 0 && !r.givenUp(key) {
		w.Claim = before
	}
	return w
}

// keptFromOpening is for a file that was accepted once, and says what is not
// permitted any more: nothing opens by it, and a list that there was is kept.
func (r *rendering) keptFromOpening(key string, w *Wanted) *Wanted {
	w = r.held(key, w, &Hold{Rule: "open-not-allowed", Message: "the policy does not permit access: open any more; what is there stays"})
	if w.Access == "" {
		w.Access = Open
	}
	return w
}

func (l *list) claim(at document.Pos) Claim {
	return Claim{Source: l.file.Source, Tenant: l.tenant.name, Path: l.file.Path, Name: l.doc.Metadata.Name.V, Line: int(at.Line)}
}

func (l *list) access() Access {
	if a := l.doc.Spec.Access.V; a != "" {
		return Access(a)
	}
	return Restricted
}

// strategy reports a cluster that KKP would not restrict. Its list waits.
func (r *rendering) strategy(l *list, at document.Pos, c Cluster) {
	if c.ID == "" || c.ExposeStrategy == ExposeLoadBalancer || l.access() != Restricted {
		return
	}
	r.reportAs(l.file.ID(), document.Problem{Pos: at, Rule: "unsupported-expose-strategy",
		Message: "the cluster " + c.Title() + " is exposed by " + orElse(c.ExposeStrategy, "an unknown strategy") +
			": KKP restricts clusters with expose strategy LoadBalancer only, and the list waits for that",
		Fix: "make the cluster anew with that strategy; or have the provider migrate it (label unsafe-expose-strategy-migration), which makes its kubeconfigs invalid and replaces its nodes, and the list is written then; or say access: unmanaged"},
		lint.SeverityOf("unsupported-expose-strategy", r.Policy.Rules), c.ID)
}

func (r *rendering) restricted(l *list, datacenter string) *resolved {
	if res := l.byDC[datacenter]; res != nil {
		return res
	}
	res := r.compute(r.withPlatform(l, datacenter), l.seed)
	l.byDC[datacenter] = res
	return res
}

// compute is the list of some entries: what is in force, canonical. A family
// that had entries never loses its last one: what expired last stays.
func (r *rendering) compute(entries []Entry, seed string) *resolved {
	res := &resolved{entries: entries}
	var in []netip.Prefix
	for _, v4 := range []bool{true, false} {
		family, kept := inForce(entries, v4, r.Now)
		in, res.kept = append(in, family...), res.kept || kept
	}
	res.list = prefixes.Canonical(in)
	if r.Policy.Seeds[seed].Profile.Merge == "adjacent" {
		res.list = prefixes.MergeAdjacent(res.list)
	}
	return res
}

func inForce(entries []Entry, v4 bool, now time.Time) (out []netip.Prefix, kept bool) {
	var last *Entry
	for i := range entries {
		e := &entries[i]
		if e.Prefix.Addr().Is4() != v4 {
			continue
		}
		if !e.Expired(now) {
			out = append(out, e.Prefix)
		} else if last == nil || e.Expires.After(last.Expires) {
			last = e
		}
	}
	if len(out) == 0 && last != nil {
		return []netip.Prefix{last.Prefix}, true
	}
	return out, false
}

func keptExpired() *Hold {
	return &Hold{Rule: "expires-to-open", Message: "every prefix of a family has expired: the last one is kept, because a filter without entries lets everyone in"}
}

// next is when the first entry of all expires after now.
func (r *rendering) next() time.Time {
	var next time.Time
	seen := map[*Entry]bool{}
	for _, w := range r.wanted {
		if len(w.Entries) == 0 || seen[&w.Entries[0]] {
			continue
		}
		seen[&w.Entries[0]] = true
		for _, e := range w.Entries {
			if !e.Expires.IsZero() && !e.Expired(r.Now) {
				next = earlier(next, e.Expires)
			}
		}
	}
	return next
}

// leastGap is how far apart two plans are, by time alone, at the least: every
// tenant chooses when its entries expire, and could keep all others waiting.
const leastGap = time.Second

// wake is when to plan anew for something that ends at a moment: at the next
// whole second, and not at once after this plan. What ends may last up to a
// second longer for that; a plan made in between for another reason judges by
// its own moment.
func (r *rendering) wake(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	if whole := at.Truncate(time.Second); whole.Before(at) {
		at = whole.Add(time.Second)
	}
	if soonest := r.Now.Add(leastGap); at.Before(soonest) {
		return soonest
	}
	return at
}

// refusal is why a list may not say what its clusters get.
func (r *rendering) refusal(l *list) *Hold {
	if why := r.blocked[l.file.ID()]; why != nil && !r.refused[l.file.ID()] {
		return why
	}
	if l.missing && !r.refused[l.file.ID()] {
		return &Hold{Rule: "unknown-group", Message: "a group of the list is not there any more"}
	}
	return &Hold{Rule: r.severe[l.file.ID()].Rule, Message: "the file is refused: " + r.severe[l.file.ID()].String()}
}
