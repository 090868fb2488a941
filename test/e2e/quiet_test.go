package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// quietPolls is how many polls without a change are watched.
const quietPolls = 5

// betweenPolls is less than what lies between two polls under slowly, and more
// than between two requests of one poll.
const betweenPolls = 500 * time.Millisecond

// slowly has each poll timed from the end of the one before: a schedule of two
// seconds, in whole seconds, leaves more than one in between however busy the
// machine is. So one request each of two polls is told from two of one.
func slowly(d stage.Document) { d["schedule"] = "@every 2s" }

// TestUnchangedPollAsksNothing counts what each side is asked while nothing
// changes: one listing of refs a poll, and nothing else of anybody.
func TestUnchangedPollAsksNothing(t *testing.T) {
	t.Parallel()
	t.Run("notes", func(t *testing.T) {
		t.Parallel()
		p := set(t, stage.Options{Config: slowly})
		first := p.populate()
		p.start()
		p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
		quiet(p, p.HTTP.Meter.Requests)
	})
	t.Run("gitea", func(t *testing.T) {
		t.Parallel()
		var gate *stage.Gate
		h := onGitea(t, func(server string) (string, string) {
			gate = gateTo(t, server)
			return gate.URL, gate.URL
		})
		h.must(h.Reconfigure(slowly))
		first := h.populate()
		h.start()
		h.await("the first status", h.status(first, stage.Failure))
		quiet(h.play, gate.Requests)
	})
}

// quiet waits for the end of what the last commit set in motion, and then
// counts.
func quiet(p *play, requests func() []servers.Request) {
	p.t.Helper()
	for before := -1; before != len(p.requests(nil)); {
		before = len(p.requests(nil))
		more(p, requests, 2)
	}
	api, host := len(p.requests(nil)), len(requests())
	more(p, requests, quietPolls)
	if asked := p.requests(nil)[api:]; len(asked) > 0 {
		p.t.Errorf("the API server was asked:\n%s", describe(asked))
	}
	onlyListings(p.t, requests()[host:])
}

// more waits for so many more requests to the host.
func more(p *play, requests func() []servers.Request, n int) {
	p.t.Helper()
	from := len(requests())
	p.await("more requests to the host", func(context.Context) error {
		if got := len(requests()) - from; got < n {
			return fmt.Errorf("%d requests", got)
		}
		return nil
	})
}

// onlyListings fails for anything but one listing of refs a poll.
func onlyListings(t *testing.T, requests []servers.Request) {
	t.Helper()
	for i, r := range requests {
		if r.Method != http.MethodGet || r.Service != "git-upload-pack" || !strings.HasSuffix(r.Path, "/info/refs") {
			t.Errorf("%s %s was asked", r.Method, r.Path)
		}
		if i > 0 && r.Time.Sub(requests[i-1].Time) < betweenPolls {
			t.Errorf("two listings in one poll, at %s and %s", requests[i-1].Time, r.Time)
		}
	}
}
