package console

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
)

// row is a cluster as the fleet shows it. It goes on to the next index as long as
// nothing of the cluster is another thing, and what was made of it with it.
type row struct {
	facts
	find string // what a search looks through, in small letters

	html atomic.Pointer[markup]
	json atomic.Pointer[[]byte]
}

// facts are all that a row is made of.
type facts struct {
	apply.Observed
	Project, Datacenter string
	Source, path, list  string    // the claim's
	Rule                string    // by which it is held
	Expires             time.Time // the next entry to; zero: none does
}

// soon is for how long ahead what expires is shown.
const soon = 30 * 24 * time.Hour

// index is a world in the order in which it is shown. It is not changed once
// made; what of it takes time is made when it is first asked for.
type index struct {
	*World
	made        time.Time
	rows        []*row // worst first
	ordered     []*row // by tenant, name and ID
	sorted      []*row // by ID
	byID        map[string]*row
	tenantNames choices
	datacenters choices
	counts      map[apply.State]int
	soon        []*row // of which an entry expires soon, the first of them first
	used, limit int    // rules of the load balancers that all clusters share, or of the fullest

	status status // as JSON
	pages  shelf  // as HTML
}

// newIndex makes the index of a world. What the one before had for the same
// viewers, which may be nil, is taken over as far as it is the same: of a large
// seed little changes at a time.
func newIndex(w *World, now time.Time, before *index) *index {
	if before == nil {
		before = &index{}
	}
	x := &index{World: w, made: now, byID: make(map[string]*row, len(w.Plan.Clusters))}
	x.gather(before)
	x.ordered = arranged(before.ordered, x.byID, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	x.sorted = arranged(before.sorted, x.byID, func(a, b *row) int { return cmp.Compare(a.ID, b.ID) })
	x.worst()
	x.count()
	x.tenantNames = choicesOf(x.ordered, before.tenantNames, func(r *row) string { return r.Tenant })
	x.datacenters = choicesOf(x.ordered, before.datacenters, func(r *row) string { return r.Datacenter })
	if budget := w.Policy.Seeds[w.Seed].Profile.Budget; budget.Known() && w.scope.all {
		x.used, x.limit = w.Plan.BudgetUse(budget, w.Inventory), budget.Rules
	}
	return x
}

// gather makes the rows, or takes those of the index before.
func (x *index) gather(before *index) {
	ends := map[*render.Entry]time.Time{} // clusters of one list share its entries
	accepted := map[string]string{}
	for _, s := range x.Sources {
		accepted[s.Conf.Name] = s.State.Accepted
	}
	for id, wanted := range x.Plan.Clusters {
		f := x.facts(id, wanted)
		f.Revision, f.Expires = accepted[wanted.Claim.Source], expiring(wanted, x.made, ends)
		r := before.byID[id]
		if r == nil || r.facts != f {
			r = newRow(f, r)
		}
		x.byID[id] = r
	}
}

// arranged are all rows in an order. Those that were there before are in it but
// for the few that moved, and such are sorted in next to no time.
func arranged(before []*row, all map[string]*row, order func(a, b *row) int) []*row {
	out := make([]*row, 0, len(all))
	for _, old := range before {
		if r := all[old.ID]; r != nil {
			out = append(out, r)
		}
	}
	if len(out) < len(all) {
		out = slices.AppendSeq(out[:0], maps.Values(all))
	}
	if !slices.IsSortedFunc(out, order) {
		slices.SortFunc(out, order)
	}
	return out
}

// worst puts the worst states first, and leaves the order else.
func (x *index) worst() {
	of := map[apply.State][]*row{}
	for _, r := range x.ordered {
		of[r.State] = append(of[r.State], r)
	}
	x.rows = make([]*row, 0, len(x.ordered))
	for _, state := range slices.SortedFunc(maps.Keys(of), func(a, b apply.State) int { return cmp.Or(cmp.Compare(Badness(a), Badness(b)), cmp.Compare(a, b)) }) {
		x.rows = append(x.rows, of[state]...)
	}
}

// count gathers what stands above the clusters.
func (x *index) count() {
	x.counts = map[apply.State]int{}
	for _, r := range x.rows {
		x.counts[r.State]++
		if !r.Expires.IsZero() && r.Expires.Sub(x.made) < soon {
			x.soon = append(x.soon, r)
		}
	}
	slices.SortFunc(x.soon, func(a, b *row) int { return a.Expires.Compare(b.Expires) })
}

// asOf is of when what the index shows is.
func (x *index) asOf() time.Time {
	if x.At.IsZero() {
		return x.made
	}
	return x.At
}

func (w *World) facts(id string, wanted *render.Wanted) facts {
	c, state := w.Inventory.Clusters[id], w.States[id]
	f := facts{Project: c.Project, Datacenter: c.Datacenter, Source: wanted.Claim.Source, path: wanted.Claim.Path, list: wanted.Claim.Name,
		Observed: apply.Observed{ID: id, Name: c.Name, Tenant: wanted.Claim.Tenant,
			State: cmp.Or(state.State, apply.Pending), Message: state.Words(), Since: state.Since.UTC().Truncate(time.Second)}}
	if state.State == "" {
		f.Message = "not looked at yet"
	}
	if wanted.Held != nil {
		f.Rule = wanted.Held.Rule
	}
	return f
}

// newRow makes a row. The one before of the same cluster, which may be nil, has
// what a search looks through where that is the same.
func newRow(f facts, before *row) *row {
	r := &row{facts: f}
	if before != nil && before.searched() == f.searched() {
		r.find = before.find
		return r
	}
	s := f.searched()
	r.find = strings.ToLower(strings.Join(s[:], "\x00"))
	return r
}

func (f *facts) searched() [8]string {
	return [8]string{f.ID, f.Name, f.Tenant, f.Project, f.Datacenter, f.Message, f.path, f.list}
}

// entriesOf is what a list and the ranges that KKP adds to it are, each once.
func entriesOf(w *render.Wanted, seed render.SeedRanges) int {
	if w.Access != render.Restricted || len(w.List) == 0 {
		return 0
	}
	n, counted := len(w.List), map[netip.Prefix]bool{}
	for _, p := range slices.Concat(render.Prefixes(seed.Source), render.Prefixes(seed.Default)) {
		if !counted[p] && !slices.Contains(w.List, p) {
			n++
		}
		counted[p] = true
	}
	return n
}

// expiring is when the next entry of a list expires.
func expiring(w *render.Wanted, now time.Time, known map[*render.Entry]time.Time) time.Time {
	if len(w.Entries) == 0 {
		return time.Time{}
	}
	if at, ok := known[&w.Entries[0]]; ok {
		return at
	}
	var next time.Time
	for _, e := range w.Entries {
		if !e.Expires.IsZero() && !e.Expired(now) && (next.IsZero() || e.Expires.Before(next)) {
			next = e.Expires
		}
	}
	known[&w.Entries[0]] = next
	return next
}
