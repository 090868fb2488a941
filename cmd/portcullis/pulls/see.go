package pulls

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

func isGone(err error) bool { return errors.Is(err, forge.ErrRefused) }

// due tells whether a pull request is to be judged now.
func (d *Desk) due(e *entry) bool {
	again := !e.askAt.IsZero() && !d.Now().Before(e.askAt)
	return e.pr.Number != 0 && !e.away && (e.against != d.now() || e.judged != e.pr.Head || again)
}

// waiting are the pull requests to judge, those that were judged longest ago
// first: a branch that moves all the time starves nobody.
func (d *Desk) waiting() []*entry {
	var out []*entry
	for _, e := range d.open {
		if d.due(e) && !d.Now().Before(e.retry) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *entry) int {
		return cmp.Or(a.judgedAt.Compare(b.judgedAt), cmp.Compare(a.number, b.number))
	})
	return out
}

// judgeAll judges what is to be judged. It stops where there is news, which may
// be of one that nobody has judged yet, and where one after the other fails.
func (d *Desk) judgeAll(ctx context.Context) {
	failed := 0
	if d.Now().Before(d.judging) {
		return
	}
	for _, e := range d.waiting() {
		failed = d.see(ctx, e, failed)
		if failed >= mostFailures {
			d.judging = d.Now().Add(firstPause)
		}
		if failed >= mostFailures || ctx.Err() != nil {
			return
		}
		if d.Now().Sub(d.offered) >= tellEvery {
			d.tell(ctx)
		}
		if d.mustList() && !d.Now().Before(latest(d.retry, d.quiet)) {
			d.Wake()
			return
		}
	}
}

// see judges a pull request, and answers how many failed in a row.
func (d *Desk) see(ctx context.Context, e *entry, failed int) int {
	w := d.now()
	result, err := d.judge(ctx, e, w)
	switch {
	case err != nil && ctx.Err() != nil:
		return failed
	case err != nil:
		d.Log.Error(err, "Cannot judge a pull request, trying again later", "pullRequest", e.number, "head", e.pr.Head)
		e.failed(d, err)
		return failed + 1
	case result.Nothing && d.mayBeMerged(e, w):
		e.retry = d.Now().Add(settling / 10)
		return 0
	}
	e.worked()
	d.settle(e, result, w)
	return 0
}

// mayBeMerged tells whether a pull request that was about something, and is
// about nothing now that the branch moved, may be so because it was merged: the
// Git host is given the time to say that.
func (d *Desk) mayBeMerged(e *entry, w *World) bool {
	wasSomething := e.judged != "" && !e.result.Nothing || e.judged == "" && e.Comment != "" && e.Comment != digest(nothing(Input{Seed: d.Seed}).Same)
	return wasSomething && e.Head == e.pr.Head && (w.Target != d.target || d.listed.Before(d.moved.Add(settling)))
}

// settle takes a result for what is to be said.
func (d *Desk) settle(e *entry, r Result, w *World) {
	e.said = digest(r.Same)
	r.Same = ""
	e.result, e.against, e.judged, e.judgedAt = r, w, e.pr.Head, d.Now()
	e.made = d.check(e)
	e.hash = e.made.Hash()
	e.askAgain()
}

// askAgain sets when to judge again although nothing moves; else not at all.
func (e *entry) askAgain() {
	switch {
	case e.result.Unanswered:
		e.askAt = e.judgedAt.Add(min(firstAsked<<min(e.unanswered, 10), lastAsked))
		e.unanswered++
		return
	case e.result.Refused:
		e.askAt = e.judgedAt.Add(lastAsked)
	default:
		e.askAt = time.Time{}
	}
	e.unanswered = 0
}

// reconsider sets when to judge again what the seed may have put right. Anybody in
// a project can change clusters all day: each waits for a while after the last time.
func (d *Desk) reconsider() {
	d.mu.Lock()
	other := d.other
	d.other = false
	d.mu.Unlock()
	for _, e := range d.open {
		if soon := latest(d.Now(), e.judgedAt.Add(firstAsked)); other && e.result.OfSeed && (e.askAt.IsZero() || soon.Before(e.askAt)) {
			e.askAt = soon
		}
	}
}

// KKP is asked again about what it did not answer after half a minute, then
// after twice as long each time, up to half an hour; about what it refused each
// half an hour.
const firstAsked, lastAsked = 30 * time.Second, 30 * time.Minute

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
	return e.fetched.Lay(ctx, w.Target)
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
