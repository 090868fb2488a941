package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/pulls"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/report"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// check is what a commit of the branch is told: the verdict, and where the host
// shows more than a line, what the commit means and its findings at their lines.
func (f *follower) check(commit string, v outcome.Verdict, j outcome.Judgement) forge.Check {
	c := forge.Check{Commit: commit, Context: f.context, State: forge.State(v.State), Title: v.Title, Body: bounded(v.Body),
		Identity: v.Identity, URL: f.link(commit)}
	if f.detailed && c.Final() { // annotations cannot be taken back
		c.Summary = bounded(summary(v, j))
		c.Annotations = pulls.Annotations(slices.Concat(v.Findings, j.Warned))
	}
	return c
}

// summary is Markdown: how it went with each cluster, then what the commit
// means. Empty where there is nothing to say but the title.
func summary(v outcome.Verdict, j outcome.Judgement) string {
	var b strings.Builder
	if j.Hold != "" && j.Meaning != "" { // the title may be cut
		b.WriteString(pulls.Block(v.Title) + "\n")
	}
	if v.Lines != "" {
		fmt.Fprintf(&b, "**Clusters**\n\n%s\n", pulls.Block(v.Lines))
	}
	if j.Meaning == "" { // it has the findings
		b.WriteString(strings.TrimPrefix(report.MarkdownFindings(v.Findings), "\n"))
	}
	return b.String() + j.Meaning
}

// link is where a check of the branch leads: to the console, else to the comment
// of the pull request that the commit came by; "" where there is neither.
func (f *follower) link(commit string) string {
	if page := f.page(commit); page != "" {
		return page
	}
	if desk := f.pullDesk(); desk != nil {
		return desk.Spoken(commit)
	}
	return ""
}

// page is where the console shows a commit; "" where it has no address.
func (f *follower) page(commit string) string {
	if f.console == "" {
		return ""
	}
	return strings.TrimRight(f.console, "/") + "/revisions/" + url.PathEscape(f.conf.Name) + "/" + commit
}

// step is a commit of the branch beside the one that was judged before it.
type step struct {
	base, head            string // commits
	before, after         *render.Plan
	beforeFiles, newFiles []render.File
}

// explain adds what a commit means to its judgement, where checks show that.
func (r *reconciler) explain(f *follower, s step, p *policy.Policy, j outcome.Judgement) outcome.Judgement {
	if !f.detailed || j.Files == 0 {
		return j
	}
	j.Meaning = bounded(pulls.Meaning(pulls.Input{Seed: r.config.Seed, Source: f.conf.Name, Target: f.conf.Branch, Base: s.base, Head: s.head,
		Before: s.before, After: s.after, BeforeFiles: s.beforeFiles, AfterFiles: s.newFiles, Holds: s.after.Holds,
		Policy: p, Inventory: r.inventory, Now: r.now()}, slices.Concat(j.Errors, j.SeedErrors)))
	return j
}

// heldMeaning is what a commit that is not followed would mean, as it was found
// against what is.
type heldMeaning struct{ commit, accepted, text string }

// explainHeld is what following a commit would mean that is held as a whole:
// whoever is to approve it reads that first. Empty where that is not shown, or
// cannot be told.
func (r *reconciler) explainHeld(ctx context.Context, f *follower, record apply.CommitRecord) string {
	accepted := f.known().Accepted
	switch {
	case !f.detailed || record.SHA != f.held || !f.repo.Has(record.SHA), accepted != "" && !f.repo.Has(accepted):
		return ""
	case f.meant.commit == record.SHA && f.meant.accepted == accepted:
		return f.meant.text
	}
	j, err := r.judgeHeld(ctx, f, record, accepted)
	if err != nil {
		f.log.Error(err, "Cannot tell what a commit that is held would mean", "commit", record.SHA)
		return ""
	}
	f.meant = heldMeaning{record.SHA, accepted, j.Meaning}
	return j.Meaning
}

func (r *reconciler) judgeHeld(ctx context.Context, f *follower, record apply.CommitRecord, accepted string) (outcome.Judgement, error) {
	before, old, oldFiles, err := r.past(ctx, f, accepted, nil)
	if err != nil {
		return outcome.Judgement{}, err
	}
	after, new, newFiles, err := r.past(ctx, f, record.SHA, before.Base())
	if err != nil {
		return outcome.Judgement{}, err
	}
	after.Holds = []render.MassHold{{Source: f.conf.Name, Reason: record.Held}}
	return r.explain(f, step{accepted, record.SHA, before, after, oldFiles, newFiles}, r.policy.current,
		outcome.Judge(before, after, f.conf.Name, source.Changed(old, new))), nil
}
