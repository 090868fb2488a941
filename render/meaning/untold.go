package meaning

import (
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// addUntold adds to a side what becomes of clusters that its base had, where
// the plan alone does not tell.
//
//	maybe selected   a selector may have it now: which it selects is not known
//	maybe named      it stood for a selector's; lists name some of them now
//	refused, gone    what it carried by a file that was refused is not known,
//	                 and the file goes: that takes it from whatever it carries
func (t Trees) addUntold(s *Side, seed string, was *render.Plan) {
	plan := s.plans[seed]
	for id, before := range was.Clusters {
		after := plan.Clusters[id]
		switch {
		case after == nil && before.Access == "" && before.Held != nil && !selects(plan, before.Claim.Tenant):
			if t.mayCarry(id) {
				s.Clusters[seed+"/"+id] = gone(before)
				s.Findings = append(s.Findings, t.removed(s.Files, before)...)
			}
		case after == nil && before.Access != render.Unmanaged && !t.Inventory.Known,
			after != nil && isTarget(id) && namedAnew(plan, was, after):
			s.Clusters[seed+"/"+id] = &render.Wanted{Cluster: before.Cluster, Title: before.Title, Claim: before.Claim}
		}
	}
}

// selects tells whether something stands for the clusters of a tenant's
// selector.
func selects(plan *render.Plan, tenant string) bool {
	for id, w := range plan.Clusters {
		if isTarget(id) && w.Claim.Tenant == tenant && w.Held == nil {
			return true
		}
	}
	return false
}

// mayCarry tells whether a cluster has a list, as far as known.
func (t Trees) mayCarry(id string) bool {
	if !t.Inventory.Known {
		return !isTarget(id)
	}
	return t.Inventory.Clusters[id].Live.Set
}

const ruleRemoved = "removed-allowlist"

func gone(before *render.Wanted) *render.Wanted {
	w := *before
	w.Held = &render.Hold{Rule: ruleRemoved, Message: "no file claims the cluster any more; what it carries is kept"}
	return &w
}

// removed is the finding, where the list was, or in its file where that is.
func (t Trees) removed(files []render.File, before *render.Wanted) []lint.Finding {
	severity := lint.SeverityOf(ruleRemoved, t.Policy.Rules)
	if severity == lint.Off {
		return nil
	}
	at := document.Start
	for _, f := range files {
		for _, a := range f.Parsed.Allowlists {
			if f.ID() == before.Claim.File() && a.Metadata.Name.V == before.Claim.Name && a.Spec.Clusters.Set {
				at = a.Spec.Clusters.Key
			}
		}
	}
	return []lint.Finding{{Source: before.Claim.Source, Path: before.Claim.Path, Line: int(at.Line), Column: int(at.Column), Severity: severity, Rule: ruleRemoved, Cluster: before.Cluster,
		Message: "the cluster " + before.Title + " loses its list, whichever it carries, and keeps that: nothing opens because a file goes", Fix: "access: unmanaged, or open"}}
}

// namedAnew tells whether lists of the tenant name clusters that none named
// before, while what stood for those of a selector is held.
func namedAnew(plan, was *render.Plan, held *render.Wanted) bool {
	if held.Held == nil || held.Held.Rule != ruleRemoved {
		return false
	}
	for id, w := range plan.Clusters {
		if was.Clusters[id] == nil && !isTarget(id) && w.Claim.Tenant == held.Claim.Tenant {
			return true
		}
	}
	return false
}
