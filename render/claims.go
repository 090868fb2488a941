package render

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// claim is one list's claim to one cluster.
type claim struct {
	list *list
	at   document.Pos // the cluster's ID, or the selector
	rank int          // explicit before a selector with labels before one of all
}

// The ranks of claims: an explicit one beats a selector.
const (
	explicit = iota
	selectedByLabel
	selectedAll
)

// claim settles who has each cluster: among valid claims of the best rank the
// one that had it before, else the first by path.
func (r *rendering) claim() {
	claims := map[string][]*claim{}
	for _, l := range r.lists {
		if r.elsewhere(l) {
			continue
		}
		r.claimExplicit(claims, l)
		r.claimSelected(claims, l)
	}
	r.claims = make(map[string]*claim, len(claims))
	for id, all := range claims {
		if c := r.settle(id, all); c != nil {
			r.claims[id] = c
		}
	}
}

func (r *rendering) claimExplicit(claims map[string][]*claim, l *list) {
	seen := map[string]bool{}
	for _, c := range l.doc.Spec.Clusters.Items {
		if !c.Set || seen[c.V] {
			continue
		}
		seen[c.V] = true
		if r.valid(l, c) {
			key := r.key(l, c.V)
			claims[key] = append(claims[key], &claim{l, c.Pos, explicit})
		}
	}
}

// key tells clusters apart where lists of several seeds are judged at once.
func (r *rendering) key(l *list, cluster string) string {
	if r.Seed != "" {
		return cluster
	}
	return l.seed + "/" + cluster
}

// valid tells whether the tenant may have the cluster, and reports why not.
func (r *rendering) valid(l *list, c document.Value[string]) bool {
	if !r.Inventory.Known {
		return true
	}
	cluster, exists := r.Inventory.Clusters[c.V]
	if !exists {
		severity := lint.SeverityOf("unknown-cluster", r.Policy.Rules)
		if r.had(l, c.V) {
			severity = r.milder("unknown-cluster")
		}
		r.reportAs(l.file.ID(), document.Problem{Pos: c.Pos, Rule: "unknown-cluster",
			Message: fmt.Sprintf("there is no cluster %q on seed %s", c.V, r.Seed), Fix: r.similar(l, c.V)}, severity, c.V)
		return true
	}
	if !r.owns(l.tenant.name, cluster.Project) {
		r.reportAs(l.file.ID(), document.Problem{Pos: c.Pos, Rule: "foreign-cluster",
			Message: fmt.Sprintf("the cluster %q is not in a project of tenant %s", c.V, l.tenant.name)}, lint.Error, c.V)
		return false
	}
	return true
}

func (r *rendering) had(l *list, cluster string) bool {
	before, ok := r.Base.claim(cluster)
	return r.Base.restored[l.file.Source] || ok && before.Tenant == l.tenant.name
}

func (r *rendering) owns(tenant, project string) bool {
	return slices.Contains(r.projects(tenant), project)
}

// projects are the tenant's, asked of the policy once.
func (r *rendering) projects(tenant string) []string {
	known, ok := r.ofTenant[tenant]
	if !ok {
		known = r.Policy.Projects(tenant)
		r.ofTenant[tenant] = known
	}
	return known
}

// similar offers the tenant's own clusters only: others' IDs are not its
// business.
func (r *rendering) similar(l *list, id string) string {
	own := r.clustersOf(l.tenant.name)
	if !l.tenant.mayCompare(1, len(own)) {
		return ""
	}
	best, _ := document.Nearest(id, own)
	return best
}

// mostSelected is how often the selectors of a tenant together may pick a
// cluster, where many pick the same: a hundred times what the largest customers
// have, and little enough that nobody waits for a tenant who has them by the
// thousand.
//
// mostLookedAt is how often they may look at one, whether they pick it or not:
// 5,000 lists of a tenant with 1,000 clusters.
const (
	mostSelected = 500_000
	mostLookedAt = 5_000_000
)

func (r *rendering) claimSelected(claims map[string][]*claim, l *list) {
	s := l.doc.Spec.Selector
	if !s.Set || r.Seed == "" || r.elsewhere(l) {
		return
	}
	good := r.good(l) // else it keeps what it had, and gets nothing new
	rank := selectedAll
	if len(s.MatchLabels) > 0 {
		rank = selectedByLabel
	}
	own := &claim{l, s.Place(), rank}
	ids, all := r.withinReach(l, &l.tenant.claimed)
	switch {
	case !all:
		r.selectsTooMuch(own, fmt.Sprintf("look at clusters more than %d times", mostLookedAt))
	case l.tenant.selected > mostSelected:
		r.selectsTooMuch(own, fmt.Sprintf("pick clusters more than %d times", mostSelected))
		ids = r.hadOf(l)
	}
	for _, id := range ids {
		if good && matches(r.Inventory.Clusters[id], s.MatchLabels) || !good && r.hadBy(id, own) == 2 {
			claims[id] = append(claims[id], own)
			l.tenant.selected++
		}
	}
}

// withinReach are the clusters that a list's selector looks at: the tenant's; once
// its lists have looked too often, those that this one had.
func (r *rendering) withinReach(l *list, looked *int) (ids []string, all bool) {
	ids = r.clustersOf(l.tenant.name)
	if *looked += len(ids); *looked > mostLookedAt {
		return r.hadOf(l), false
	}
	return ids, true
}

// selectsTooMuch reports a selector that gets nothing new.
func (r *rendering) selectsTooMuch(c *claim, what string) {
	r.reportAs(c.list.file.ID(), document.Problem{Pos: c.at, Rule: "cluster-claimed-twice",
		Message: "the selectors of the tenant's lists " + what + ": this one gets none that it does not have",
		Fix:     "have fewer lists with selectors"}, lint.Error, "")
}

// hadOf are the clusters that this very document had.
func (r *rendering) hadOf(l *list) []string {
	t := l.tenant
	if t.had == nil {
		t.had = map[Claim][]string{}
		for _, id := range r.clustersOf(t.name) {
			if before, ok := r.Base.claim(id); ok && before.Tenant == t.name {
				of := Claim{Path: before.Path, Name: before.Name}
				t.had[of] = append(t.had[of], id)
			}
		}
	}
	return t.had[Claim{Path: l.file.Path, Name: l.doc.Metadata.Name.V}]
}

// clustersOf are the tenant's clusters on the seed.
func (r *rendering) clustersOf(tenant string) []string {
	if known, ok := r.clusters[tenant]; ok {
		return known
	}
	if r.byProject == nil {
		r.byProject = map[string][]string{}
		for id, c := range r.Inventory.Clusters {
			r.byProject[c.Project] = append(r.byProject[c.Project], id)
		}
	}
	var out []string
	for _, project := range r.projects(tenant) {
		out = append(out, r.byProject[project]...)
	}
	slices.Sort(out)
	r.clusters[tenant] = out
	return out
}

func matches(c Cluster, labels map[string]document.Value[string]) bool {
	for name, want := range labels {
		if name == "project-id" && c.Project == want.V {
			continue
		}
		if have, ok := c.Labels[name]; !ok || have != want.V || name == "project-id" {
			return false
		}
	}
	return true
}

// settle picks the claim that counts and reports the others of its rank. It is
// nil where a file that cannot be read now still has the cluster.
func (r *rendering) settle(id string, all []*claim) *claim {
	slices.SortStableFunc(all, func(a, b *claim) int {
		return cmp.Or(cmp.Compare(r.weight(id, a), r.weight(id, b)), cmp.Compare(a.rank, b.rank), -r.compareHad(id, a, b))
	})
	if before, kept := r.keptUnread(id, all); kept {
		for _, other := range all {
			r.claimedTwice(id, before, other)
		}
		return nil
	}
	winner := all[0]
	for _, other := range all[1:] {
		if other.rank == winner.rank && r.good(other.list) && other.list != winner.list { // files that say the same share their documents
			r.claimedTwice(id, winner.list.claim(winner.at), other)
		}
	}
	return winner
}

// keptUnread finds the file that had the cluster, is refused, and cannot be
// read far enough to tell whether it gave the cluster up.
func (r *rendering) keptUnread(id string, all []*claim) (Claim, bool) {
	before, had := r.Base.claim(id)
	return before, had && !r.givenUp(clusterOf(id)) && r.hadBy(id, all[0]) == 0 && r.unreadable(before)
}

// weight puts the claims of refused files last: unless such a file had the
// cluster before, they are no valid claims.
func (r *rendering) weight(id string, c *claim) int {
	if r.good(c.list) || r.hadBy(id, c) > 0 {
		return 0
	}
	return 1
}

func (r *rendering) compareHad(id string, a, b *claim) int {
	return cmp.Compare(r.hadBy(id, a), r.hadBy(id, b))
}

// hadBy is 2 for the very document that had the cluster, 1 for another of its
// file, so that a document can be renamed without losing it.
func (r *rendering) hadBy(id string, c *claim) int {
	before, ok := r.Base.claim(id)
	switch {
	case !ok || before.Path != c.list.file.Path || before.Tenant != c.list.tenant.name:
		return 0
	case before.Name != c.list.doc.Metadata.Name.V:
		return 1
	}
	return 2
}

func (r *rendering) claimedTwice(id string, winner Claim, other *claim) {
	if _, exists := r.Inventory.Clusters[clusterOf(id)]; exists { // a file can name any number of IDs
		r.contested[clusterOf(id)] = winner
	}
	where := "a list of another tenant"
	if winner.Tenant == other.list.tenant.name {
		where = fmt.Sprintf("%s, line %d", winner.Path, winner.Line)
	}
	r.reportAs(other.list.file.ID(), document.Problem{Pos: other.at, Rule: "cluster-claimed-twice",
		Message: fmt.Sprintf("the cluster %q is claimed already by %s, which keeps it", clusterOf(id), where),
		Fix:     "name it in one of the two"}, lint.Error, "")
}
