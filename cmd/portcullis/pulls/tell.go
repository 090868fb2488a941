package pulls

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// tell offers the checks of the heads. A commit has one check: of pull requests
// with the same head the worst is told, and the branch's own verdict beats all.
func (d *Desk) tell() {
	d.shed()
	d.offered = d.Now()
	worst, open := map[string]*entry{}, map[string]bool{}
	for _, e := range d.open {
		switch other := worst[e.pr.Head]; {
		case e.away:
		case e.judged == "" || e.judged != e.pr.Head:
			open[e.pr.Head] = open[e.pr.Head] || d.awaited(e)
		case other == nil || worse(e.made, other.made):
			worst[e.pr.Head] = e
		}
	}
	for _, e := range d.open {
		w := worst[e.pr.Head]
		if w == nil || e.away || open[e.pr.Head] || e.check == w.hash {
			continue
		}
		d.own(w.hash)
		if d.Offer(w.made) {
			e.check = w.hash
		}
	}
}

// awaited tells whether what will be said of a pull request that is not judged
// yet may be worse than what is said of others with the same head: such as
// after a restart, when it had a check already.
func (d *Desk) awaited(e *entry) bool {
	return e.pr.Number != 0 && (e.failures == 0 || e.Head == e.pr.Head && e.Check != "")
}

// mostTold bounds the checks that were offered and are not known to have
// arrived: those that were overtaken never do.
const mostTold = 10_000

// own makes a check's delivery known as one of ours.
func (d *Desk) own(hash string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, there := d.told[hash]; there {
		return
	}
	if len(d.told) >= mostTold {
		clear(d.told)
	}
	d.told[hash] = false
}

func worse(a, b forge.Check) bool {
	if (a.State == forge.Failure) != (b.State == forge.Failure) {
		return a.State == forge.Failure
	}
	return a.PullRequest < b.PullRequest
}

func (d *Desk) check(e *entry) forge.Check {
	c := forge.Check{Commit: e.pr.Head, Context: d.Context, State: forge.Success, Title: e.result.Title, Summary: e.result.Comment,
		Identity: e.said, URL: e.pr.URL, PullRequest: e.number, Ref: e.pr.HeadBranch}
	if e.result.Failure {
		c.State = forge.Failure
	}
	for _, f := range e.result.Findings {
		c.Annotations = append(c.Annotations, forge.Annotation{Path: f.Path, Line: f.Line, Column: f.Column, Failure: f.Severity == lint.Error,
			Title: fmt.Sprintf("%s[%s]", f.Severity, f.Rule), Message: f.Message})
	}
	return c
}

// unsaid tells whether the comment of a judged pull request is to be seen to.
func (d *Desk) unsaid(e *entry) bool {
	return e.judged == e.pr.Head && e.Comment != e.said || e.away
}

// commentAll brings comments up to date: of the merged ones first, for they are
// few and waited for. It stops where there is news to judge, for checks go
// before; each pass gets one further at least.
func (d *Desk) commentAll(ctx context.Context) {
	for _, say := range d.sayings() {
		if ctx.Err() != nil || d.Now().Before(latest(d.quiet, d.saying)) {
			return
		}
		asked, err := say(ctx)
		switch {
		case err != nil:
			if d.unsayable++; d.unsayable >= mostFailures {
				d.unsayable, d.saying = 0, d.Now().Add(firstPause)
			}
		case asked:
			d.unsayable = 0
		}
		if asked && len(d.wake) > 0 {
			return // the next round goes on
		}
	}
}

// sayings are the comments to see to. Each answers whether the Git host was
// asked.
func (d *Desk) sayings() []func(context.Context) (bool, error) {
	var out []func(context.Context) (bool, error)
	now := d.Now()
	for _, e := range byNumber(d.merged) {
		if !now.Before(e.retry) {
			out = append(out, func(ctx context.Context) (bool, error) { return d.follow(ctx, e) })
		}
	}
	for _, e := range byNumber(d.open) {
		if e.judged != "" && d.unsaid(e) && !now.Before(e.retry) {
			out = append(out, func(ctx context.Context) (bool, error) { return d.sayOpen(ctx, e) })
		}
	}
	return out
}

func byNumber(all map[int]*entry) []*entry {
	var out []*entry
	for _, e := range all {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *entry) int { return a.number - b.number })
	return out
}

func (d *Desk) sayOpen(ctx context.Context, e *entry) (bool, error) {
	asked, err := d.comment(ctx, e, e.said, e.result.Comment, e.result.Nothing)
	if err == nil && e.away {
		d.remove(e)
	}
	return asked, err
}

// comment sees to it that the pull request carries a text; with onlyEdit only
// where it carries one already.
func (d *Desk) comment(ctx context.Context, e *entry, identity, text string, onlyEdit bool) (asked bool, err error) {
	if e.Comment == identity {
		e.worked()
		return false, nil
	}
	_, err = d.Forge.Comment(ctx, forge.Comment{PullRequest: e.number, Mark: forge.Mark(d.Context), Body: text, OnlyEdit: onlyEdit})
	switch {
	case isGone(err): // locked, or deleted: it will not be otherwise the next time
		d.Log.Error(err, "A comment is refused", "pullRequest", e.number)
	case err != nil:
		d.Log.Error(err, "Cannot comment on a pull request, trying again later", "pullRequest", e.number)
		e.failed(d, err)
		d.heed(err)
		return true, err
	}
	e.Comment = identity
	e.worked()
	return true, nil
}

// follow says on a merged pull request how its commit went, as long as there is
// news of it.
func (d *Desk) follow(ctx context.Context, e *entry) (bool, error) {
	v, known := d.Verdict(ctx, e.Merged)
	if !known || !v.Final {
		e.worked()
		return false, nil
	}
	text := afterMerge(d.Seed, v)
	asked, err := d.comment(ctx, e, digest(text), text, false)
	if v.Good && err == nil {
		delete(d.merged, e.number)
	}
	return asked, err
}

func afterMerge(seed string, v Verdict) string {
	words := "in force on"
	if !v.Good {
		words = "not in force on"
	}
	text := fmt.Sprintf("**%s %s**: %s (%s)\n", words, code(seed), code(v.Title), code(short(v.Commit)))
	if v.Body != "" {
		text += "\n" + block(v.Body)
	}
	return text
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}
