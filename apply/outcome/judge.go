// Package outcome says how a commit went: what its check should say.
//
// A judgement is what can be said of a commit from the files alone, once: the
// errors it is answerable for, and the clusters whose list it changed. A
// verdict is what follows from a judgement and from the states of those
// clusters at one moment. Both are values, and nothing here does I/O.
package outcome

import (
	"slices"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// Judgement is what a commit is answerable for.
type Judgement struct {
	// Hold is set where the commit is not followed at all, and says why.
	Hold string
	// Errors that decide, for good: a later commit has a check of its own.
	Errors []lint.Finding
	// SeedErrors are those that the seed can make go away: they count while a
	// cluster's state says so.
	SeedErrors []lint.Finding
	// Warnings counts those in the files that it changes.
	Warnings int
	// Standing counts the errors that are not from this change.
	Standing int
	// Set are the clusters whose list, or access, it changed, sorted, and Tenants
	// whose those are, sorted too.
	Set, Tenants []string
	// Files counts the files that it changes for this seed's source.
	Files int
	// Warned are the first warnings in the files that it changes.
	Warned []lint.Finding
	// Meaning is what it means for each cluster, in Markdown; empty where no
	// check shows that.
	Meaning string
}

// mostWarned bounds the warnings of a commit that are kept.
const mostWarned = 200

// Judge compares the plans before and after a commit of one source, both made
// with the same policy, inventory and time, so that the commit alone makes the
// difference. changed are the paths that it changes.
func Judge(before, after *render.Plan, source string, changed []string) Judgement {
	j := Judgement{Files: len(changed), Set: changedClusters(before, after, source)}
	touched := map[string]bool{}
	for _, path := range changed {
		touched[path] = true
	}
	old := map[lint.Finding]int{}
	for _, f := range before.Findings {
		old[place(f)]++
	}
	for _, f := range after.Findings {
		if f.Source != source {
			continue
		}
		j.add(f, touched[f.Path], old[place(f)] > 0)
		old[place(f)]--
	}
	j.addHeld(after, source, touched)
	j.Tenants = tenantsOf(after, j.Set)
	return j
}

// place is a finding without its words. Those may name another file, or a line
// in it, that the commit moves: that makes no new fault of an old one.
func place(f lint.Finding) lint.Finding {
	f.Message, f.Fix = "", ""
	return f
}

// addHeld adds the clusters that a changed file cannot have, though nothing is
// wrong with that file: a group that it needs is refused, say.
func (j *Judgement) addHeld(after *render.Plan, source string, touched map[string]bool) {
	blamed := map[string]bool{}
	for _, f := range j.Errors {
		blamed[f.Path] = true
	}
	for _, w := range after.Clusters {
		w = asked(w)
		if w.Held == nil || w.Claim.Source != source || !touched[w.Claim.Path] || blamed[w.Claim.Path] {
			continue
		}
		j.Errors = append(j.Errors, lint.Finding{Source: source, Path: w.Claim.Path, Line: max(1, w.Claim.Line), Column: 1,
			Severity: lint.Error, Rule: w.Held.Rule, Message: w.Title + " keeps its last list: " + w.Held.Message, Cluster: w.Cluster})
	}
	lint.Sort(j.Errors)
}

// add files a finding: what a file that the commit changes has, the commit
// answers for; and what was not there before, it caused.
func (j *Judgement) add(f lint.Finding, touched, old bool) {
	answers := touched || !old
	switch {
	case f.Severity == lint.Error && !answers:
		j.Standing++
	case f.Severity == lint.Error && seedDecides(f):
		j.SeedErrors = append(j.SeedErrors, f)
	case f.Severity == lint.Error:
		j.Errors = append(j.Errors, f)
	case answers:
		if j.Warnings++; len(j.Warned) < mostWarned {
			j.Warned = append(j.Warned, f)
		}
	}
}

// seedDecides tells of findings that the seed can make go away: they are read
// off the clusters' states, so that a check turns green by itself.
func seedDecides(f lint.Finding) bool {
	return f.Rule == "unsupported-expose-strategy" || f.Rule == "unknown-cluster"
}

func changedClusters(before, after *render.Plan, source string) []string {
	var out []string
	for id, w := range after.Clusters {
		w = asked(w)
		if w.Claim.Source != source || w.Access == render.Unmanaged {
			continue
		}
		if old := before.Clusters[id]; old == nil || !same(asked(old), w) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return boundMissing(after, out)
}

func tenantsOf(p *render.Plan, ids []string) []string {
	var out []string
	for _, id := range ids {
		out = append(out, p.Clusters[id].Claim.Tenant)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// asked is what the files ask for of a cluster, whatever a guard makes of it:
// who asked answers for it until it is in force.
func asked(w *render.Wanted) *render.Wanted {
	if w.Asked != nil {
		return w.Asked
	}
	return w
}

// mostMissing bounds the clusters that are not there of which a commit is told:
// a file can name any number of IDs.
const mostMissing = 100

func boundMissing(after *render.Plan, ids []string) []string {
	missing := 0
	return slices.DeleteFunc(ids, func(id string) bool {
		if after.Clusters[id].UID == "" {
			missing++
		}
		return after.Clusters[id].UID == "" && missing > mostMissing
	})
}

// same tells whether a cluster is to carry the same. That it is held by now
// changes nothing of what it carries; that it no longer is puts the list in
// force that the commit says.
func same(a, b *render.Wanted) bool {
	return a.Access == b.Access && slices.Equal(a.List, b.List) && (a.Held == nil || b.Held != nil)
}
