package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	sdk "github.com/google/go-github/v92/github"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// Limits of check runs (docs.github.com/rest/checks/runs).
const (
	maxAnnotations = 50       // a request
	maxTitle       = 255      // characters, of an annotation's title; kept to for both
	maxSummary     = 65535    // characters; counted in bytes here
	maxMessage     = 64 << 10 // bytes, of an annotation
	maxRuns        = 10_000   // remembered
)

// runs are the check runs of this process that are not completed. One that an
// earlier process left behind is not looked for, which would be a request for
// each commit: GitHub goes by the newest of a name.
type runs struct {
	mu   sync.Mutex
	open map[commitContext]run
}

type commitContext struct{ commit, context string }

// run is a check run, and what it has of which check. Annotations are added to
// those that a run has, and cannot be taken back.
type run struct {
	id   int64
	hash string
	sent int // annotations
}

// postRun creates a check run or goes on with the one that is open. It is
// completed by the last request, with the last annotations: nothing is green
// before all is there.
func (f *Forge) postRun(ctx context.Context, client session, c forge.Check) (err, outage error) {
	at, hash := commitContext{c.Commit, c.Context}, content(c)
	r := f.runs.get(at)
	if r.sent > 0 && r.hash != hash {
		r = run{}
	}
	for {
		rest := c.Annotations[r.sent:]
		batch := rest[:min(len(rest), maxAnnotations)]
		id, err, outage := f.write(ctx, client, c, r.id, batch, len(batch) == len(rest))
		if errors.Is(err, errRunGone) {
			f.runs.forget(at)
			return err, nil
		}
		if err != nil {
			return err, outage
		}
		r = run{id, hash, r.sent + len(batch)}
		f.runs.set(at, r)
		if len(batch) == len(rest) {
			break
		}
	}
	if c.Final() {
		f.runs.forget(at)
	}
	return nil, nil
}

// content identifies all that a run says: news that are the same may still say
// it otherwise.
func content(c forge.Check) string {
	c.Identity = ""
	return c.Hash()
}

// errRunGone is answered for a check run that is no longer there. The next
// attempt makes another.
var errRunGone = errors.New("the check run is gone")

// write makes one request: id is that of the run to go on with, or 0.
func (f *Forge) write(ctx context.Context, client session, c forge.Check, id int64, batch []forge.Annotation, last bool) (_ int64, err, outage error) {
	if err := f.budget.Wait(ctx); err != nil {
		return 0, err, err
	}
	status, conclusion := new("in_progress"), (*string)(nil)
	if last && c.Final() {
		status, conclusion = new("completed"), new(string(c.State)) // the same words
	}
	var link *string
	if l := f.link(c); l != "" {
		link = new(l)
	}
	want := http.StatusCreated
	var got *sdk.CheckRun
	var resp *sdk.Response
	if id == 0 {
		got, resp, err = client.Checks.CreateCheckRun(ctx, f.owner, f.name, sdk.CreateCheckRunOptions{Name: c.Context, HeadSHA: c.Commit,
			ExternalID: new(content(c)), DetailsURL: link, Status: status, Conclusion: conclusion, Output: output(c, batch)})
	} else {
		want = http.StatusOK
		got, resp, err = client.Checks.UpdateCheckRun(ctx, f.owner, f.name, id, sdk.UpdateCheckRunOptions{Name: c.Context,
			ExternalID: new(content(c)), DetailsURL: link, Status: status, Conclusion: conclusion, Output: output(c, batch)})
	}
	if id != 0 && resp != nil && resp.StatusCode == http.StatusNotFound {
		return 0, fmt.Errorf("update check run %d of %s: %w", id, f, errRunGone), nil
	}
	err, outage = f.judge(ctx, client, c, want, f.answer("post a check run to", client, resp, err))
	return got.GetID(), err, outage
}

func output(c forge.Check, batch []forge.Annotation) *sdk.CheckRunOutput {
	out := &sdk.CheckRunOutput{Title: new(forge.Cut(c.Title, maxTitle)), Summary: new(wire.CutText(summary(c), maxSummary))}
	for _, a := range batch {
		out.Annotations = append(out.Annotations, annotation(a))
	}
	return out
}

func annotation(a forge.Annotation) *sdk.CheckRunAnnotation {
	line, level := max(1, a.Line), "warning"
	if a.Failure {
		level = "failure"
	}
	out := &sdk.CheckRunAnnotation{Path: new(a.Path), StartLine: new(line), EndLine: new(line), AnnotationLevel: new(level),
		Message: new(wire.CutText(a.Message, maxMessage))}
	if a.Title != "" {
		out.Title = new(forge.Cut(a.Title, maxTitle))
	}
	if a.Column > 0 {
		out.StartColumn, out.EndColumn = new(a.Column), new(a.Column)
	}
	return out
}

// summary is the check's Markdown, or its plain text as such. GitHub wants one.
func summary(c forge.Check) string {
	switch {
	case c.Summary != "":
		return c.Summary
	case c.Body != "":
		fence := "```"
		for strings.Contains(c.Body, fence) {
			fence += "`"
		}
		return fence + "\n" + strings.TrimRight(c.Body, "\n") + "\n" + fence + "\n"
	}
	return c.Title
}

func (r *runs) get(at commitContext) run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open[at]
}

func (r *runs) set(at commitContext, to run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil || len(r.open) >= maxRuns {
		r.open = map[commitContext]run{}
	}
	r.open[at] = to
}

func (r *runs) forget(at commitContext) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, at)
}
