package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// patience is how long a condition may take to come true, on a machine that
// does other things as well.
const patience = 90 * time.Second

// play is a stage of one test. Its methods fail the test.
type play struct {
	*stage.Stage
	t   *testing.T
	ctx context.Context
}

// set makes a stage, which ends with the test.
func set(t *testing.T, o stage.Options) *play {
	t.Helper()
	s := seed(t)
	o.Dir, o.Binary, o.Suffix, o.HTTP = t.TempDir(), binary(t), suffix(), o.Host == nil
	st, err := stage.New(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what portcullis logged:\n%s", tailOf(st.Run.Log()))
		}
		if err := st.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return &play{Stage: st, t: t, ctx: t.Context()}
}

// begin is a stage on which the examples' lists are in force.
func begin(t *testing.T, o stage.Options) (p *play, first string) {
	t.Helper()
	p = set(t, o)
	first = p.populate()
	p.start()
	p.await("the first sync", p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.Billing, stage.BillingList()...),
		p.InForce(stage.ShopStaging, stage.StagingList()...), p.InForce(stage.ShopDev, stage.StagingList()...))
	return p, first
}

func tailOf(log string) string {
	const most = 12_000
	return log[max(0, len(log)-most):]
}

func (p *play) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *play) populate() string {
	p.t.Helper()
	sha, err := p.Populate(p.ctx)
	p.must(err)
	return sha
}

func (p *play) start(more ...string) {
	p.t.Helper()
	p.must(p.Run.Start(more...))
}

func (p *play) stop() {
	p.t.Helper()
	p.must(p.Run.Stop(p.ctx))
}

func (p *play) push(c stage.Commit) string {
	p.t.Helper()
	sha, err := p.Push(p.ctx, c)
	p.must(err)
	return sha
}

// write pushes one file.
func (p *play) write(path, content string) string {
	p.t.Helper()
	return p.push(stage.Commit{Message: "Change " + path, Write: map[string]string{path: content}})
}

// edit pushes a change of one part of one file.
func (p *play) edit(path, old, new string) string {
	p.t.Helper()
	sha, err := p.Edit(p.ctx, "Change "+path, path, old, new)
	p.must(err)
	return sha
}

func (p *play) place(path, text string) string {
	p.t.Helper()
	place, err := p.Place(path, text)
	p.must(err)
	return place
}

// await waits until all conditions hold at once.
func (p *play) await(what string, conditions ...func(context.Context) error) {
	p.t.Helper()
	p.must(p.Await(p.ctx, what, patience, all(conditions...)))
}

// holds fails where a condition does not hold now.
func (p *play) holds(conditions ...func(context.Context) error) {
	p.t.Helper()
	if err := all(conditions...)(p.ctx); err != nil {
		p.t.Error(err)
	}
}

func all(conditions ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		var errs []error
		for _, condition := range conditions {
			errs = append(errs, condition(ctx))
		}
		return errors.Join(errs...)
	}
}

// polls counts how often the reconciler has asked the repository where its
// branch is. The git program, which pushes for the tests, says who it is.
func (p *play) polls() int { return p.HTTP.Meter.Count(isListing) }

func isListing(r servers.Request) bool {
	return r.Service == "git-upload-pack" && !strings.HasPrefix(r.UserAgent, "git/")
}

// morePolls waits until the reconciler has polled so many more times, and so
// has done whatever it does about what it found before.
func (p *play) morePolls(n int) {
	p.t.Helper()
	from := p.polls()
	p.await("more polls", func(context.Context) error {
		if got := p.polls() - from; got <= n {
			return fmt.Errorf("%d polls", got)
		}
		return nil
	})
}

// requests are what the reconciler has asked of the API server, watches and
// their renewals aside.
func (p *play) requests(match func(servers.AuditEvent) bool) []servers.AuditEvent {
	p.t.Helper()
	events, err := p.Seed.Plane.Audited(func(e servers.AuditEvent) bool {
		return e.User.Username == p.User && e.Verb != "watch" && e.Stage == "ResponseComplete" && (match == nil || match(e))
	})
	p.must(err)
	return events
}

// written tells of requests that changed something.
func written(e servers.AuditEvent) bool {
	return e.Verb != "get" && e.Verb != "list" && e.ResponseStatus.Code < 300
}

func describe(events []servers.AuditEvent) string {
	var out []string
	for _, e := range events {
		out = append(out, fmt.Sprintf("%s %s: %d", e.Verb, e.RequestURI, e.ResponseStatus.Code))
	}
	return strings.Join(out, "\n")
}
