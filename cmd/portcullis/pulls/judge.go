// Package pulls judges pull requests: what merging one would do to this seed,
// and what its check and comment say about that.
//
// A judgement is a value, made from two plans: of the branch as it is now, and
// of the branch with the pull request's change laid over it. What is judged is
// the change: files that it touches, and clusters whose list it makes another.
// Nothing here does I/O.
package pulls

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/report"
)

// Input is what a pull request is judged by.
type Input struct {
	Seed   string // name
	Source string // name of the source, as lines to approve spell it

	// Target is the branch and Base its commit, Head the pull request's.
	Target, Base, Head string

	// Plans are made from these, the second one on the base of the first; both
	// without a guard. BeforeFiles and AfterFiles are the source's own.
	Before, After           *render.Plan
	BeforeFiles, AfterFiles []render.File
	// Merged is set for a commit that is on the branch already.
	Merged bool
	// Holds are what the seed's guard would hold of the change.
	Holds []render.MassHold
	// Changed are the paths, from the repository's root, that the change makes
	// others of what this seed reads; Conflicts those that the branch changed
	// too since both parted.
	Changed, Conflicts []string
	// Refused are clusters of which KKP, asked without consequences, would not
	// take the list; its words by ID.
	Refused map[string]string
	// Untried counts the clusters that KKP was not asked about for they are too
	// many, Unanswered those about which it did not answer.
	Untried, Unanswered int

	Policy    *policy.Policy
	Inventory render.Inventory
	Now       time.Time
}

// Result is what is said of a pull request.
type Result struct {
	// Failure is set where it must not be merged; else it is a success.
	Failure bool
	// Title is one line: the class first.
	Title string
	// Comment is Markdown, without a mark.
	Comment string
	// Same is equal for results that say the same: the branch that the change
	// was laid over may have moved in between.
	Same string
	// Nothing is set where no file that this seed reads is touched: then there
	// is no comment unless there is one already.
	Nothing bool
	// Unanswered is set where KKP did not answer about a list: it is to be judged
	// again later.
	Unanswered bool
	// Refused is set where KKP would not take a list: it may refuse a cluster for
	// what others mend, and nobody tells of that.
	Refused bool
	// OfSeed is set where an error is about a cluster, which can be otherwise by
	// what is done on the seed: it is to be judged again when clusters change.
	OfSeed bool
	// Findings that decided, and those that come with them: all of the files
	// that it touches.
	Findings []lint.Finding
	// Diff is what it means, for the pages; nil where nothing was compared. Base
	// is the branch's commit that the change was laid over.
	Diff *meaning.Diff
	Base string
}

// Nothing is said of a pull request that touches nothing here.
func nothing(in Input) Result {
	return said(Result{Nothing: true, Title: "nothing here",
		Comment: fmt.Sprintf("**nothing here**: seed %s reads none of the files that this pull request changes.\n", code(in.Seed))})
}

// Judge says what becomes of a pull request.
func Judge(in Input) Result {
	if len(in.Changed) == 0 && len(in.Conflicts) == 0 {
		return nothing(in)
	}
	j := outcome.Judge(in.Before, in.After, in.Source, in.Changed)
	refused := in.refused(j.Set)
	errors := slices.Concat(in.conflicts(), j.Errors, j.SeedErrors, refused)
	lint.Sort(errors)
	d := in.compare()
	if len(errors) == 0 && !d.Changed() && len(d.Findings) == 0 && !reaches(d) && !in.speaks() {
		return nothing(in)
	}
	decide(d, errors)
	r := Result{Failure: len(errors) > 0, Title: title(d, errors), Comment: in.comment(d, short(in.Base)), Findings: d.Findings, Diff: d, Base: in.Base,
		Unanswered: in.Unanswered > 0, Refused: len(refused) > 0, OfSeed: slices.ContainsFunc(errors, func(f lint.Finding) bool { return f.Cluster != "" })}
	in.Untried, in.Unanswered = min(in.Untried, 1), min(in.Unanswered, 1)
	r.Same = fmt.Sprintf("%v\n%s\n%s", r.Failure, r.Title, in.comment(lasting(d), ""))
	return r
}

func (in Input) compare() *meaning.Diff {
	return meaning.Compare(meaning.Input{
		Before: meaning.Of(in.Seed, in.Before, in.BeforeFiles, nil), After: meaning.Of(in.Seed, in.After, in.AfterFiles, in.Holds),
		Policy: in.Policy, Inventory: in.Inventory, Now: in.Now})
}

// decide has errors decide what is said of a change.
func decide(d *meaning.Diff, errors []lint.Finding) {
	d.Findings = withErrors(d.Findings, errors)
	if len(errors) > 0 && d.Class == meaning.Routine {
		d.Class = meaning.Review
	}
}

// Meaning is the Markdown of a commit of the branch that was judged already:
// the same as of a pull request. Its plans may have been made with a guard;
// errors are those that decide.
func Meaning(in Input, errors []lint.Finding) string {
	in.Merged = true
	d := in.compare()
	decide(d, errors)
	return in.comment(d, short(in.Base))
}

// lasting is what is said without what varies while the same is said: the words
// of KKP and of webhooks, what others leave of a budget, and how many of what is
// live a hold is about.
func lasting(d *meaning.Diff) *meaning.Diff {
	out := *d
	out.Findings = slices.Clone(d.Findings)
	for i := range out.Findings {
		if f := &out.Findings[i]; f.Rule == RuleRefused || f.Rule == "rule-budget" {
			f.Message = apply.Gist(f.Message)
		}
	}
	out.Why = slices.Clone(d.Why)
	for i := range out.Why {
		out.Why[i].Text = apply.Gist(out.Why[i].Text)
	}
	out.Budgets, out.Standing = nil, 0
	return &out
}

// said is a result that says the same wherever the branch is.
func said(r Result) Result {
	r.Same = fmt.Sprintf("%v\n%s\n%s", r.Failure, r.Title, r.Comment)
	return r
}

// reaches tells whether a group is edited that a list for this seed names.
func reaches(d *meaning.Diff) bool {
	return slices.ContainsFunc(d.Groups, func(g meaning.Group) bool { return g.Clusters > 0 })
}

// speaks tells whether a changed file has a list for this seed: others of a
// shared repository are for other seeds.
func (in Input) speaks() bool {
	for _, f := range slices.Concat(in.BeforeFiles, in.AfterFiles) {
		if slices.Contains(in.Changed, f.Path) && slices.ContainsFunc(f.Parsed.Allowlists, in.isOurs) {
			return true
		}
	}
	return false
}

func (in Input) isOurs(a *document.Allowlist) bool {
	return !a.Spec.Seed.Set || a.Spec.Seed.V == in.Seed
}

// conflicts are findings of merge-conflict: which of both sides would win is
// not known before somebody decided it.
func (in Input) conflicts() []lint.Finding {
	var out []lint.Finding
	for _, path := range in.Conflicts {
		out = append(out, lint.Finding{Source: in.Source, Path: path, Line: 1, Column: 1, Severity: lint.Error, Rule: "merge-conflict",
			Message: fmt.Sprintf("both this pull request and %s changed the file since they parted", in.Target),
			Fix:     fmt.Sprintf("merge %s into this branch, or rebase it", in.Target)})
	}
	return out
}

// refused are findings of what KKP said, at the place that claims the cluster.
func (in Input) refused(set []string) []lint.Finding {
	var out []lint.Finding
	for _, id := range set {
		words, no := in.Refused[id]
		w := in.After.Clusters[id]
		if !no || w == nil {
			continue
		}
		out = append(out, lint.Finding{Source: in.Source, Path: w.Claim.Path, Line: max(1, w.Claim.Line), Column: 1, Severity: lint.Error,
			Rule: RuleRefused, Message: w.Title + ": " + words, Cluster: id})
	}
	return out
}

// withErrors are the findings of a change with those that decide at their
// severity: one that is milder where it was there before is not here.
func withErrors(findings, errors []lint.Finding) []lint.Finding {
	out := slices.DeleteFunc(slices.Clone(findings), func(f lint.Finding) bool { return f.Severity == lint.Error })
	out = append(out, errors...)
	lint.Sort(out)
	return slices.CompactFunc(out, func(a, b lint.Finding) bool { return a == b })
}

// title is the class and what changes; of a failure the first error's place.
func title(d *meaning.Diff, errors []lint.Finding) string {
	if len(errors) == 0 {
		return fmt.Sprintf("%s: %s", d.Class, report.Headline(d))
	}
	f, more := errors[0], ""
	if n := len(errors) - 1; n > 0 {
		more = fmt.Sprintf(", and %d more", n)
	}
	return fmt.Sprintf("%s: %s:%d:%d: %s%s", d.Class, report.Escape(f.Path), f.Line, f.Column, f.Rule, more)
}

func (in Input) comment(d *meaning.Diff, base string) string {
	var b strings.Builder
	head := short(in.Head) + " on " + in.Seed
	if err := report.Markdown(&b, report.Compared{Base: fmt.Sprintf("%s (%s)", in.Target, base), Head: head, Merged: in.Merged, Diff: d}); err != nil {
		return "" // a strings.Builder takes everything
	}
	if in.Untried > 0 {
		fmt.Fprintf(&b, "\nKKP was not asked about %d of the clusters: they are too many to try at once.\n", in.Untried)
	}
	if in.Unanswered > 0 {
		fmt.Fprintf(&b, "\nKKP did not answer about %d of the clusters; it is asked again.\n", in.Unanswered)
	}
	return b.String()
}

// RuleRefused is the name of a finding that KKP would not take a list.
const RuleRefused = "refused-by-kkp"

// Denied is said of a fork's pull request where the Config says `forks: deny`.
func Denied() Result {
	const words = "not judged: a maintainer must push this branch"
	return said(Result{Failure: true, Title: words, Comment: "**" + words + "**: pull requests of forks are not judged here.\n"})
}

// Unjudged is said of one that could not be judged, such as for its size; why
// is one line.
func Unjudged(why string) Result {
	return said(Result{Failure: true, Title: "not judged: " + why, Comment: "**not judged**: " + code(why) + "\n"})
}

func short(commit string) string { return commit[:min(len(commit), 12)] }

// code is a text in a code span: nothing in it is Markdown.
func code(s string) string {
	return "`" + strings.ReplaceAll(report.Escape(s), "`", "'") + "`"
}

// Block is a text of several lines in a fence that nothing in it can close.
func Block(s string) string {
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + "\n" + strings.TrimRight(s, "\n") + "\n" + fence + "\n"
}

// Holds are what a guard would hold of a change: mass changes, and what a
// freeze keeps back of it.
func Holds(after, guarded *render.Plan) []render.MassHold {
	out := slices.Clone(guarded.Holds)
	frozen := map[string]int{} // place in out, by words
	for _, id := range slices.Sorted(maps.Keys(guarded.Clusters)) {
		w := guarded.Clusters[id]
		if w.Asked == nil || w.Held.Rule != render.RuleFreeze || after.Clusters[id] == nil {
			continue
		}
		i, known := frozen[w.Held.Message]
		if !known {
			i = len(out)
			frozen[w.Held.Message] = i
			out = append(out, render.MassHold{Source: w.Claim.Source, Tenant: w.Claim.Tenant, Reason: w.Held.Message})
		}
		out[i].Clusters = append(out[i].Clusters, id)
	}
	return out
}
