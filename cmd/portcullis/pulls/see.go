package pulls

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

func isGone(err error) bool { return errors.Is(err, forge.ErrRefused) }

// see judges a pull request if need be, and brings its check and its comment up
// to date: first the check, then the comment.
func (d *Desk) see(ctx context.Context, e *entry) {
	if w := d.now(); e.against != w || e.judged != e.pr.Head {
		result, err := d.judge(ctx, e, w)
		if err != nil {
			d.Log.Error(err, "Cannot judge a pull request, trying again later", "pullRequest", e.number, "head", e.pr.Head)
			e.failed(d, err)
			return
		}
		if result.Nothing && !e.result.Nothing && e.Comment != "" && d.Now().Before(d.moved.Add(settling)) {
			e.retry = d.Now().Add(settling / 10) // it may just have been merged: the Git host will say so
			return
		}
		e.result, e.against, e.judged, e.judgedAt = result, w, e.pr.Head, d.Now()
	}
	d.comment(ctx, e, e.result.Same, e.result.Comment, e.result.Nothing)
}

// judge fetches what is new, lays it over the branch, and judges that. What is
// wrong with the pull request itself is a result.
func (d *Desk) judge(ctx context.Context, e *entry, w *World) (Result, error) {
	if e.pr.Fork && d.DenyForks {
		return Denied(), nil
	}
	laid, err := d.lay(ctx, e, w)
	var large *source.TooLargeError
	switch {
	case errors.As(err, &large):
		return Unjudged(large.Error()), nil
	case errors.Is(err, source.ErrUnrelated), errors.Is(err, source.ErrMalformed):
		return Unjudged(plain(err)), nil
	case errors.Is(err, source.ErrMoved), errors.Is(err, source.ErrNoPull):
		d.Hint() // the listing was older than that
		return Result{}, err
	case err != nil:
		return Result{}, err
	}
	return w.Judge(ctx, laid, e.fetched)
}

// plain is the sentinel's own words, without what was tried on what.
func plain(err error) string {
	for _, known := range []error{source.ErrUnrelated, source.ErrMalformed} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return err.Error()
}

// lay fetches what was not fetched yet. Of small pull requests that is kept: a
// branch that moves has all of them laid anew.
func (d *Desk) lay(ctx context.Context, e *entry, w *World) (*source.Laid, error) {
	if e.fetched == nil {
		pull, err := d.Repository.Pull(ctx, e.number, e.pr.Head)
		if err != nil {
			return nil, err
		}
		e.fetched = pull
	}
	laid, err := e.fetched.Lay(ctx, w.Target)
	return laid, err
}

// mostKept bounds what is kept in memory of all open pull requests together,
// in bytes.
const mostKept = 64 << 20

// shed drops what was fetched of the largest, once all are too much.
func (d *Desk) shed() {
	total := int64(0)
	for _, e := range d.open {
		if e.fetched != nil {
			total += e.fetched.Size()
		}
	}
	for total > mostKept {
		var largest *entry
		for _, e := range d.open {
			if e.fetched != nil && (largest == nil || e.fetched.Size() > largest.fetched.Size()) {
				largest = e
			}
		}
		total -= largest.fetched.Size()
		largest.drop()
	}
}

// tell offers the checks of the heads. A commit has one check: of pull requests
// with the same head the worst is told, and the branch's own verdict beats all.
func (d *Desk) tell() {
	d.shed()
	checks := map[string]forge.Check{}
	for _, e := range d.open {
		if e.judged == "" || e.judged != e.pr.Head || d.Own(e.pr.Head) {
			continue
		}
		c := d.check(e)
		if other, there := checks[c.Commit]; !there || worse(c, other) {
			checks[c.Commit] = c
		}
	}
	for _, e := range d.open {
		c, there := checks[e.pr.Head]
		if hash := c.Hash(); there && hash != e.check {
			e.check = hash
			d.offered(hash)
			d.Offer(c)
		}
	}
}

// offered makes a check's delivery known as one of ours.
func (d *Desk) offered(hash string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, there := d.told[hash]; !there {
		d.told[hash] = false
	}
}

func worse(a, b forge.Check) bool {
	if (a.State == forge.Failure) != (b.State == forge.Failure) {
		return a.State == forge.Failure
	}
	return a.PullRequest < b.PullRequest
}

func (d *Desk) check(e *entry) forge.Check {
	c := forge.Check{Commit: e.pr.Head, Context: d.Context, State: forge.Success, Title: e.result.Title, Summary: e.result.Comment,
		Identity: digest(e.result.Same), URL: e.pr.URL, PullRequest: e.number, Ref: e.pr.HeadBranch}
	if e.result.Failure {
		c.State = forge.Failure
	}
	for _, f := range e.result.Findings {
		c.Annotations = append(c.Annotations, forge.Annotation{Path: f.Path, Line: f.Line, Column: f.Column, Failure: f.Severity == lint.Error,
			Title: fmt.Sprintf("%s[%s]", f.Severity, f.Rule), Message: f.Message})
	}
	return c
}

// comment sees to it that the pull request carries a text; with onlyEdit only
// where it carries one already.
func (d *Desk) comment(ctx context.Context, e *entry, same, text string, onlyEdit bool) {
	identity := digest(same)
	if e.Comment == identity {
		e.worked()
		return
	}
	_, err := d.Forge.Comment(ctx, forge.Comment{PullRequest: e.number, Mark: forge.Mark(d.Context), Body: text, OnlyEdit: onlyEdit})
	switch {
	case isGone(err): // locked, or deleted: it will not be otherwise the next time
		d.Log.Error(err, "A comment is refused", "pullRequest", e.number)
	case err != nil:
		d.Log.Error(err, "Cannot comment on a pull request, trying again later", "pullRequest", e.number)
		e.failed(d, err)
		return
	}
	e.Comment = identity
	e.worked()
}

// follow says on a merged pull request how its commit went, as long as there is
// news of it.
func (d *Desk) follow(ctx context.Context, e *entry) {
	v, known := d.Verdict(ctx, e.Merged)
	if !known || !v.Final || d.Now().Before(e.retry) {
		return
	}
	text := afterMerge(d.Seed, v)
	d.comment(ctx, e, text, text, false)
	if v.Good && e.failures == 0 {
		delete(d.merged, e.number)
	}
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

// mostMerged bounds the merged pull requests that wait for their commit.
const mostMerged = 200

// save writes down what is to be known after a restart, if that is another.
func (d *Desk) save(ctx context.Context) {
	records := map[string]Record{}
	for number, e := range d.open {
		d.note(e)
		records[strconv.Itoa(number)] = e.Record
	}
	for number, e := range d.merged {
		if len(records) >= len(d.open)+mostMerged {
			break
		}
		records[strconv.Itoa(number)] = e.Record
	}
	d.forget(records)
	if maps.Equal(records, d.saved) {
		return
	}
	if err := d.Save(ctx, records); err != nil {
		d.Log.Error(err, "Cannot write down the pull requests, trying again later")
		return
	}
	d.saved = records
}

// forget drops the checks that nobody asks about any more.
func (d *Desk) forget(records map[string]Record) {
	asked := map[string]bool{}
	for _, r := range records {
		asked[r.Check] = true
	}
	for _, e := range d.open {
		asked[e.check] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.told, func(hash string, _ bool) bool { return !asked[hash] })
}

// note takes up that a check was delivered.
func (d *Desk) note(e *entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e.Head = e.pr.Head
	if d.told[e.check] {
		e.Check = e.check
	}
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}
