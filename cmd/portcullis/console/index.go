package console

import (
	"cmp"
	"encoding/json"
	"html/template"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// row is a cluster as the fleet shows it.
type row struct {
	apply.Observed
	Project, Datacenter string
	Rule                string    // by which it is held
	Expires             time.Time // the next entry to; zero: none does
	Used                int       // rules of the load balancer; 0 where no limit is known
	find                string    // what a search looks through, in small letters

	once sync.Once // makes html
	html template.HTML
	err  error
}

// soon is for how long ahead what expires is shown.
const soon = 30 * 24 * time.Hour

// index is a world in the order in which it is shown. It is not changed once
// made; what of it takes time is made when it is first asked for.
type index struct {
	*World
	made        time.Time
	rows        []*row // worst first
	byID        map[string]*row
	tenantNames []string
	datacenters []string
	counts      map[apply.State]int
	soon        []*row // of which an entry expires soon, the first of them first
	used, limit int    // rules of the load balancers that all clusters share, or of the fullest

	once     sync.Once
	document []byte
	err      error
}

func newIndex(w *World, now time.Time) *index {
	x := &index{World: w, made: now, byID: make(map[string]*row, len(w.Plan.Clusters))}
	ends := map[*render.Entry]time.Time{} // clusters of one list share its entries
	profile := w.Policy.Seeds[w.Seed].Profile
	accepted := map[string]string{}
	for _, s := range w.Sources {
		accepted[s.Conf.Name] = s.State.Accepted
	}
	for id, wanted := range w.Plan.Clusters {
		r := w.row(id, wanted, profile.Budget)
		r.Revision, r.Expires = accepted[wanted.Claim.Source], expiring(wanted, now, ends)
		x.rows = append(x.rows, r)
		x.byID[id] = r
	}
	slices.SortFunc(x.rows, func(a, b *row) int {
		return cmp.Or(cmp.Compare(Badness(a.State), Badness(b.State)), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	x.count(now)
	x.tenantNames, x.datacenters = distinct(x.rows, func(r *row) string { return r.Tenant }), distinct(x.rows, func(r *row) string { return r.Datacenter })
	if profile.Budget.Known() && w.scope.all {
		x.used, x.limit = w.Plan.BudgetUse(profile.Budget, w.Inventory), profile.Budget.Rules
	}
	return x
}

// count gathers what stands above the clusters.
func (x *index) count(now time.Time) {
	x.counts = map[apply.State]int{}
	for _, r := range x.rows {
		x.counts[r.State]++
		if !r.Expires.IsZero() && r.Expires.Sub(now) < soon {
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

func (w *World) row(id string, wanted *render.Wanted, b profile.Budget) *row {
	c, state := w.Inventory.Clusters[id], w.States[id]
	r := &row{Project: c.Project, Datacenter: c.Datacenter, Observed: apply.Observed{ID: id, Name: c.Name, Tenant: wanted.Claim.Tenant,
		State: cmp.Or(state.State, apply.Pending), Message: state.Words(), Since: state.Since.UTC().Truncate(time.Second)}}
	if state.State == "" {
		r.Message = "not looked at yet"
	}
	if wanted.Held != nil {
		r.Rule = wanted.Held.Rule
	}
	if b.Known() {
		r.Used = b.Used(entriesOf(wanted, w.Inventory.Seed))
	}
	r.find = strings.ToLower(strings.Join([]string{id, r.Name, r.Tenant, r.Project, r.Datacenter, r.Message, wanted.Claim.Path, wanted.Claim.Name}, "\x00"))
	return r
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

func distinct(rows []*row, of func(*row) string) []string {
	seen := map[string]bool{"": true}
	var out []string
	for _, r := range rows {
		if s := of(r); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// json is the whole status as JSON; the same bytes for all who ask.
func (x *index) json() ([]byte, error) {
	x.once.Do(func() {
		if x.document, x.err = json.MarshalIndent(x.status(x.rows, x.made), "", "  "); x.err == nil {
			x.document = append(x.document, '\n')
		}
	})
	return x.document, x.err
}
