package pulls

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/report"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// tell offers the checks of the heads. A commit has one check: of pull requests
// with the same head the worst is told, and the branch's own verdict beats all.
func (d *Desk) tell(ctx context.Context) {
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
	news := map[*entry]*entry{}
	for _, e := range d.open {
		if w := worst[e.pr.Head]; w != nil && !e.away && !open[e.pr.Head] && e.check != w.hash {
			news[e] = w
		}
	}
	d.storeFirst(ctx, news)
	for e, w := range news {
		d.own(w.hash)
		if d.Offer(w.made) {
			e.check = w.hash
		}
	}
}

// storeFirst writes down, of heads that were told a check and are to be told
// another, that what they say is not known: a process that begins before the new
// one is known to have arrived would take it for the old one. What cannot be
// written down is no news yet.
func (d *Desk) storeFirst(ctx context.Context, news map[*entry]*entry) {
	reopened := false
	for e, w := range news {
		if d.says(e) != "" && d.says(e) != w.hash {
			e.Head, e.Check, e.check, reopened = e.pr.Head, "", "", true
		}
	}
	if !reopened {
		return
	}
	d.save(ctx)
	maps.DeleteFunc(news, func(e, w *entry) bool { return d.says(e) != "" && d.says(e) != w.hash })
}

// says is the content of the check that the head says, for all that is written
// down.
func (d *Desk) says(e *entry) string {
	r := d.saved[strconv.Itoa(e.number)]
	if r.Head != e.pr.Head {
		return ""
	}
	return r.Check
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
		Identity: e.said, URL: d.link(e), PullRequest: e.number, Ref: e.pr.HeadBranch, Annotations: Annotations(e.result.Findings)}
	if e.result.Failure {
		c.State = forge.Failure
	}
	return c
}

// link is where a check leads: to the console, else to the comment, else to the
// page that the comment is to be on.
func (d *Desk) link(e *entry) string {
	if d.Page != nil {
		if url := d.Page(e.pr.Head); url != "" {
			return url
		}
	}
	return cmp.Or(e.URL, e.pr.URL)
}

// mostAnnotations bounds those of one check: hosts take 50 a request, and one
// file can have faults by the thousand.
const mostAnnotations = 1000

// Annotations are findings as a host shows them at their lines, errors first.
func Annotations(findings []lint.Finding) []forge.Annotation {
	var out []forge.Annotation
	for _, severity := range []lint.Severity{lint.Error, lint.Warning} {
		for _, f := range findings {
			if f.Severity == severity && len(out) < mostAnnotations {
				out = append(out, forge.Annotation{Path: f.Path, Line: f.Line, Column: f.Column, Failure: f.Severity == lint.Error,
					Title: fmt.Sprintf("%s[%s]", f.Severity, f.Rule), Message: f.Message})
			}
		}
	}
	return out
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
	url, err := d.Forge.Comment(ctx, forge.Comment{PullRequest: e.number, Mark: forge.Mark(d.Context), Body: text, OnlyEdit: onlyEdit})
	switch {
	case isGone(err): // locked, or deleted: it will not be otherwise the next time
		d.Log.Error(err, "A comment is refused", "pullRequest", e.number)
	case err != nil:
		d.Log.Error(err, "Cannot comment on a pull request, trying again later", "pullRequest", e.number)
		e.failed(d, err)
		d.heed(err)
		return true, err
	}
	if e.Comment = identity; url != "" {
		e.URL = url
		d.place(e)
	}
	e.worked()
	return true, nil
}

// follow says on a merged pull request how its commit went, as long as there is
// news of it: what is in force may fail later, and recover.
func (d *Desk) follow(ctx context.Context, e *entry) (bool, error) {
	v, known := d.Verdict(ctx, e.Merged, e.Told)
	switch {
	case known && v.Over && v.Commit == "":
		d.end(e)
		return false, nil
	case !known || !v.Final:
		e.worked()
		return false, nil
	}
	asked, err := d.comment(ctx, e, v.news(), afterMerge(d.Seed, v), false)
	if err != nil {
		return asked, err
	}
	if !v.Held {
		e.Told = v.Commit
	}
	if e.fine = v.Good && !v.Waits; v.Over {
		d.end(e)
	}
	return asked, nil
}

// end forgets a merged pull request. By itself that is not worth a write.
func (d *Desk) end(e *entry) {
	delete(d.merged, e.number)
	d.over[strconv.Itoa(e.number)] = e.Record
}

// news identifies what is told of a merged pull request. That all is in force
// is the same however it is counted.
func (v Verdict) news() string {
	if v.Good && !v.Waits {
		return digest("in force")
	}
	return digest(fmt.Sprint(v.Good, v.Waits, "\n", cmp.Or(v.Identity, v.Title)))
}

func afterMerge(seed string, v Verdict) string {
	words := "in force on"
	switch {
	case !v.Good:
		words = "not in force on"
	case v.Waits:
		words = "not yet in force on"
	}
	text := fmt.Sprintf("**%s %s**: %s (%s)\n%s", words, code(seed), code(v.Title), code(short(v.Commit)), report.MarkdownFindings(v.Findings))
	if v.Lines != "" {
		text += "\n" + Block(v.Lines)
	}
	return text
}

// mostPlaces bounds the commits of which is known where they are spoken of.
const mostPlaces = 1000

// place notes where the commits of a pull request are spoken of.
func (d *Desk) place(e *entry) {
	if e.URL == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.places) >= mostPlaces {
		clear(d.places)
	}
	for _, commit := range []string{e.pr.Head, e.Head, e.Merged} {
		if commit != "" {
			d.places[commit] = e.URL
		}
	}
}

// Spoken is the address of the comment that a commit is spoken of in: a pull
// request's head, or the commit that brought it in. Empty where none is known.
func (d *Desk) Spoken(commit string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.places[commit]
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}
