package render

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// share is what one cluster takes of a load balancer's budget, in entries:
// by what it has, and by what its file asks for.
type share struct {
	key           string // of the cluster in the plan
	claim         *claim
	wanted        *Wanted
	before, after int
}

// grows tells whether the cluster's list takes more than it did.
func (s share) grows() bool { return s.after > s.before }

// holdToBudget keeps lists within what the load balancers take. What shrinks
// goes first, then file by file what grows, as far as it fits: a file that asks
// for too much takes nothing from the others, and what was too much before
// waits behind what is new.
func (r *rendering) holdToBudget() {
	severity := lint.SeverityOf("rule-budget", r.Policy.Rules)
	if severity == lint.Off {
		return
	}
	for _, seed := range r.plannedSeeds() {
		p := r.Policy.Seeds[seed].Profile
		if !p.Budget.Known() {
			continue
		}
		shares, others := r.shares(seed)
		if p.Budget.SharedBy == profile.PerCluster {
			r.budgetOfEach(seed, shares, severity)
		} else {
			r.budgetOfAll(seed, shares, others, severity)
		}
	}
}

func (r *rendering) plannedSeeds() []string {
	if r.Seed != "" {
		return []string{r.Seed}
	}
	return r.Policy.SeedNames()
}

func (r *rendering) budgetOfEach(seed string, shares []share, severity lint.Severity) {
	b := r.Policy.Seeds[seed].Profile.Budget
	for _, s := range shares {
		if s.grows() && b.Used(s.after) > b.Rules {
			r.overBudget(seed, s, b.Rules-b.Used(s.before), b.Rules-b.Used(s.after), severity)
		}
	}
}

func (r *rendering) budgetOfAll(seed string, shares []share, others int, severity lint.Severity) {
	b, total := r.Policy.Seeds[seed].Profile.Budget, others
	for _, s := range shares {
		total += min(s.before, s.after)
	}
	for _, file := range r.byFile(shares) {
		growth := growthOf(file)
		if b.Used(total+growth) <= b.Rules {
			total += growth
			continue
		}
		for _, s := range file {
			r.overBudget(seed, s, b.Rules-b.Used(total), b.Rules-b.Used(total+growth), severity)
		}
	}
}

func growthOf(shares []share) (sum int) {
	for _, s := range shares {
		sum += s.after - s.before
	}
	return sum
}

// byFile are the clusters that grow by the file that makes them: those held for
// it before last, then by how much they ask for.
func (r *rendering) byFile(shares []share) [][]share {
	files := map[FileID][]share{}
	for _, s := range shares {
		if s.grows() {
			id := s.claim.list.file.ID()
			files[id] = append(files[id], s)
		}
	}
	return slices.SortedFunc(maps.Values(files), func(a, b []share) int {
		return cmp.Or(cmp.Compare(r.waited(a), r.waited(b)), cmp.Compare(growthOf(a), growthOf(b)),
			cmp.Compare(a[0].claim.list.file.Path, b[0].claim.list.file.Path))
	})
}

func (r *rendering) waited(shares []share) int {
	for _, s := range shares {
		if before := r.Base.wanted[s.key]; before != nil && before.Held != nil && before.Held.Rule == "rule-budget" {
			return 1
		}
	}
	return 0
}

// overBudget reports a cluster's list and, where that is an error, keeps the
// last one.
func (r *rendering) overBudget(seed string, s share, before, after int, severity lint.Severity) {
	p := r.Policy.Seeds[seed].Profile
	cluster := s.wanted.Cluster
	if s.claim.rank != explicit {
		cluster = "" // said once of all that the selector picks
	}
	whose := "all clusters of the seed together have"
	if p.Budget.SharedBy == profile.PerCluster {
		whose = "each cluster has"
	}
	message := fmt.Sprintf("%s takes %d of its rules for each prefix, and %s %d: %s",
		p.Name, max(p.Budget.PerEntry, 1), whose, p.Budget.Rules, r.room(p.Budget.Rules, before, after))
	r.reportAs(s.claim.list.file.ID(), document.Problem{Pos: s.claim.at, Rule: "rule-budget",
		Message: message + "; beyond that the load balancer refuses the list", Fix: "remove prefixes, or write adjacent ones as one; or ask the provider for room"}, severity, cluster)
	if severity == lint.Error {
		r.keepLast(s.key, s.wanted, &Hold{Rule: "rule-budget", Message: message})
	}
}

// room tells how much of the budget is left before a change and after it, which
// is below nothing; where nothing is known from before, how much is asked for.
func (r *rendering) room(rules, before, after int) string {
	switch {
	case !r.Inventory.Known && len(r.Base.accepted) == 0:
		return fmt.Sprintf("the files ask for %d, which is %d too many", rules-after, -after)
	case before < 0:
		return fmt.Sprintf("none is left before this change, with %d too many taken already, and %d too many would be after it", -before, -after)
	}
	return fmt.Sprintf("%d are left before this change, and none would be after it, with %d too many", before, -after)
}

// keepLast takes back what was wanted of a cluster: it keeps its last good list.
func (r *rendering) keepLast(key string, w *Wanted, why *Hold) *Wanted {
	w.Access, w.Entries, w.List, w.Unresolved = "", nil, nil, nil
	return r.held(key, w, why)
}

// shares are the seed's clusters whose lists files ask for, in order, and what
// all its others take.
func (r *rendering) shares(seed string) (shares []share, others int) {
	counted := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(r.claims)) {
		c, w := r.claims[key], r.wanted[key]
		if w == nil || c.list.seed != seed || !r.takesRules(w.Cluster) {
			continue
		}
		counted[w.Cluster] = true
		if w.Held != nil || w.Access != Restricted {
			others += r.entriesNow(w, w.Cluster)
			continue
		}
		shares = append(shares, share{key, c, w, r.entriesIn(r.lastGood(c.list, key, w)), r.entriesIn(w.List)})
	}
	for id := range r.Inventory.Clusters {
		if !counted[id] && r.takesRules(id) {
			others += r.entriesNow(r.wanted[id], id)
		}
	}
	return shares, others
}

// takesRules: a cluster that is not there, or not exposed by a load balancer of
// its own, takes none yet. Without a seed all count.
func (r *rendering) takesRules(id string) bool {
	return !r.Inventory.Known || r.Inventory.Clusters[id].ExposeStrategy == ExposeLoadBalancer
}

// entriesNow is what a cluster takes whose list does not change.
func (r *rendering) entriesNow(w *Wanted, id string) int {
	switch {
	case w != nil && w.Access == Restricted && len(w.List) > 0:
		return r.entriesIn(w.List)
	case w != nil && w.Access == Open && w.Held == nil:
		return r.entriesIn(nil)
	}
	return r.entriesIn(Prefixes(r.Inventory.Clusters[id].Live.CIDRs))
}

// entriesIn counts a list with what KKP adds to it: the Seed's source ranges
// always, its default ranges where there is a list.
func (r *rendering) entriesIn(list []netip.Prefix) int {
	all := map[netip.Prefix]bool{}
	for _, p := range list {
		all[p] = true
	}
	for _, p := range Prefixes(r.Inventory.Seed.Source) {
		all[p] = true
	}
	if len(list) > 0 {
		for _, p := range Prefixes(r.Inventory.Seed.Default) {
			all[p] = true
		}
	}
	return len(all)
}

// lastGood is the list that a cluster has by what was accepted, with the
// platform of today: what the provider adds is no change of the tenant's. After
// a restart a file that stands as it was accepted has what it asks for, where
// the cluster has a list at all.
func (r *rendering) lastGood(l *list, key string, w *Wanted) []netip.Prefix {
	if before := r.Base.wanted[key]; before != nil && before.Access == Restricted && len(before.List) > 0 {
		return r.compute(r.renewPlatform(before.Entries, l.seed, w.Cluster), l.seed).list
	}
	live := r.Inventory.Clusters[w.Cluster].Live
	if len(live.CIDRs) > 0 && r.Base.accepted[l.file.ID()] == r.fingerprint(l.file) {
		return w.List
	}
	return prefixes.Canonical(Prefixes(live.CIDRs))
}

// refusedFamily keeps a list from a load balancer that would refuse all of it,
// unless the cluster has it already: then it is a standing problem.
func (r *rendering) refusedFamily(l *list, key string, w *Wanted) *Wanted {
	p := r.Policy.Seeds[l.seed].Profile
	if p.IPv6 != profile.No || lint.SeverityOf("family-unsupported", r.Policy.Rules) != lint.Error {
		return w
	}
	own := slices.DeleteFunc(slices.Clone(w.Entries), func(e Entry) bool { return e.Expired(r.Now) })
	e, refused := lint.RefusesIPv6(p, own)
	if !refused || slices.Equal(r.lastGood(l, key, w), w.List) {
		return w
	}
	return r.keepLast(key, w, &Hold{Rule: "family-unsupported", Message: fmt.Sprintf("%s is IPv6, and %s takes IPv4 alone: it would refuse the whole list", e.Prefix, p.Name)})
}
