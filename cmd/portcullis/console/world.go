package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// World is the reconciler at one moment. Nothing in it is changed once made.
type World struct {
	Version, Seed string
	// Plan is the one in force; Files are what it was made of, of all sources.
	Plan      *render.Plan
	Files     []render.File
	Policy    *policy.Policy
	Inventory render.Inventory
	States    map[string]apply.ClusterState
	Sources   []Source
	Notices   []string
	// PolicyStale says that the policy file is not what is in force.
	PolicyStale bool
	// Standby says that the replica does not lead: it shows what the one that does
	// wrote down, as it was At that time. Else At is zero: it is as it is now.
	Standby bool
	At      time.Time

	scope   scope                    // whom it was narrowed for
	tenancy *tenancy                 // by the policy
	whose   map[render.FileID]string // tenant of each file
}

// ready has what is looked up again and again in maps.
func (w World) ready() *World {
	w.scope, w.tenancy, w.whose = everything(), newTenancy(w.Policy), make(map[render.FileID]string, len(w.Files))
	for i := range w.Files {
		w.whose[w.Files[i].ID()] = w.Files[i].Tenant
	}
	return &w
}

// Source is one source at that moment.
type Source struct {
	Conf  policy.Source
	State apply.SourceState
	// Head is where the branch is; empty where it was not polled yet.
	Head string
	// Gone says that the Config does not have it any more: it only holds, and of
	// Conf there is the name alone.
	Gone bool
}

// Pages are made of sources by name, as the state has them.
func byName(a, b Source) int { return strings.Compare(a.Conf.Name, b.Conf.Name) }

func (w *World) source(name string) (Source, bool) {
	i := slices.IndexFunc(w.Sources, func(s Source) bool { return s.Conf.Name == name })
	if i < 0 {
		return Source{}, false
	}
	return w.Sources[i], true
}

// summary is what `portcullis status` shows, without the clusters.
func (w *World) summary(now time.Time) Status {
	s := NewStatus(w.Seed)
	for _, source := range slices.SortedFunc(slices.Values(w.Sources), byName) {
		state := source.State
		state.Notices = w.Notices
		s.Add(state, now)
	}
	if !w.scope.all { // it takes a right on the seed
		for i := range s.Holds {
			s.Holds[i].Approve = ""
		}
	}
	return s
}

// narrow is the world as a viewer of some projects may know it: clusters of
// those projects, what claims them, files of tenants that are his altogether,
// and nothing that counts or names others. Everything a limited viewer is shown
// is made from one of these.
func (w *World) narrow(s scope) *World {
	if s.all {
		return w
	}
	out := &World{Version: w.Version, Seed: w.Seed, Standby: w.Standby, At: w.At, scope: s, Policy: w.Policy, tenancy: w.tenancy, whose: w.whose,
		Inventory: w.clustersOf(s.seesCluster), States: map[string]apply.ClusterState{}}
	out.Plan = w.narrowPlan(s, out.Inventory)
	for id := range out.Plan.Clusters {
		if state, known := w.States[id]; known {
			out.States[id] = discreet(out.Plan.Clusters[id], state)
		}
	}
	for _, f := range w.Files {
		if s.owns(f.Tenant, w.tenancy) {
			out.Files = append(out.Files, f)
		}
	}
	out.Sources = w.narrowSources(s, out)
	return out
}

// clustersOf is the inventory with some of its clusters.
func (w *World) clustersOf(sees func(render.Cluster) bool) render.Inventory {
	out := render.Inventory{Known: w.Inventory.Known, Seed: w.Inventory.Seed, Clusters: map[string]render.Cluster{}}
	for id, c := range w.Inventory.Clusters {
		if sees(c) {
			out.Clusters[id] = c
		}
	}
	return out
}

// narrowPlan has the clusters that the viewer may see. One that is not on the
// seed is whose file names it. Findings are of files that are all his.
func (w *World) narrowPlan(s scope, inventory render.Inventory) *render.Plan {
	out := &render.Plan{Now: w.Plan.Now, Clusters: map[string]*render.Wanted{}, ByHand: w.Plan.ByHand}
	for id, wanted := range w.Plan.Clusters {
		c, seen := inventory.Clusters[id]
		_, exists := w.Inventory.Clusters[id]
		switch {
		case seen && wanted.Claim.Tenant == w.tenancy.tenant(c.Project), !exists && s.owns(wanted.Claim.Tenant, w.tenancy):
			out.Clusters[id] = discreetly(wanted)
		}
	}
	for _, f := range w.Plan.Findings {
		if s.owns(w.whose[render.FileID{Source: f.Source, Path: f.Path}], w.tenancy) {
			out.Findings = append(out.Findings, discreetFinding(f))
		}
	}
	return out
}

// notFollowed is what a limited viewer is told of a commit that is held: the
// reason may count or name others.
const notFollowed = "it is not followed for now"

// narrowSources are those that speak for what the viewer sees, or would for a
// list of his. Of what is held
// there are the holds of his tenants; others' are not even counted.
func (w *World) narrowSources(s scope, to *World) []Source {
	speaks := map[string]bool{}
	for _, wanted := range to.Plan.Clusters {
		speaks[wanted.Claim.Source] = true
	}
	for _, f := range to.Files {
		speaks[f.Source] = true
	}
	var out []Source
	for _, source := range w.Sources {
		if all := !source.Gone && source.Conf.Tenant == "" && len(source.Conf.Tenants) == 0 && len(to.Inventory.Clusters) > 0; !all && !speaks[source.Conf.Name] {
			continue
		}
		full := source.State
		source.State = apply.SourceState{Name: full.Name, Seed: full.Seed, Accepted: full.Accepted, Since: full.Since}
		for _, h := range full.Holds {
			if h.Tenant != "" && s.owns(h.Tenant, w.tenancy) {
				source.State.Holds = append(source.State.Holds, h)
			}
		}
		for _, path := range full.Refused {
			if s.owns(w.whose[render.FileID{Source: full.Name, Path: path}], w.tenancy) {
				source.State.Refused = append(source.State.Refused, path)
			}
		}
		if full.Held != nil {
			source.State.Held = &apply.HeldCommit{Commit: full.Held.Commit, Since: full.Held.Since, Reason: notFollowed}
		}
		for _, c := range full.Commits {
			c.Clusters, c.Held = slices.DeleteFunc(slices.Clone(c.Clusters), func(id string) bool { return to.Plan.Clusters[id] == nil }), ""
			source.State.Commits = append(source.State.Commits, c)
		}
		out = append(out, source)
	}
	return out
}

// telling are the rules whose words count or name what is others'.
var telling = map[string]string{
	render.RuleBlastRadius:  "too much changes at once: an operator of the seed has to approve it",
	"rule-budget":           "the load balancers have no room for the new list",
	render.RuleFreeze:       "the operators of the seed hold new lists back for now",
	"cluster-claimed-twice": "another list has the cluster",
	"foreign-cluster":       "the cluster is not the list's to have",
}

// discreetly is what is wanted of a cluster without words that tell of others.
func discreetly(w *render.Wanted) *render.Wanted {
	words, tells := "", false
	if w.Held != nil {
		words, tells = telling[w.Held.Rule]
	}
	if !tells {
		return w
	}
	out := *w
	out.Held = &render.Hold{Rule: w.Held.Rule, Message: words}
	return &out
}

// discreetFinding is a finding that tells as little of others: of a cluster that
// is not the tenant's, not even that it is there.
func discreetFinding(f lint.Finding) lint.Finding {
	switch f.Rule {
	case "foreign-cluster", "unknown-cluster":
		f.Rule, f.Fix = "unknown-cluster", ""
		f.Message = fmt.Sprintf("there is no cluster %q on the seed, or it is not yours", f.Cluster)
	case "rule-budget":
		f.Message = telling[f.Rule]
	}
	return f
}

// discreet is a state in those words.
func discreet(w *render.Wanted, s apply.ClusterState) apply.ClusterState {
	if w.Held != nil && s.State == apply.Held {
		if words, tells := telling[w.Held.Rule]; tells {
			s.Message = words
		}
	}
	return s
}

// tenants are those whose files the viewer can write, sorted.
func (w *World) tenants() []string {
	found := map[string]bool{}
	for _, f := range w.Files {
		found[f.Tenant] = true
	}
	for _, c := range w.Inventory.Clusters {
		if tenant := w.tenancy.tenant(c.Project); w.scope.owns(tenant, w.tenancy) {
			found[tenant] = true
		}
	}
	delete(found, "")
	return slices.Sorted(maps.Keys(found))
}
