package source_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// closedPulls are enough that polls glance.
const closedPulls = 600

// The requests of a glance, the first of which asks whether there can be one.
var (
	listing     = []string{"GET /info/refs"}
	firstGlance = []string{"GET /info/refs", "POST /git-upload-pack"}
	glance      = []string{"POST /git-upload-pack"}
)

// crowded is an upstream with many pull requests, served over HTTP.
func crowded(t *testing.T) (u *upstream, h *host, first string) {
	t.Helper()
	u = newUpstream(t)
	first = u.change("tenants/acme/a.yaml", "one")
	u.refs(closedPulls, func(i int) string { return fmt.Sprintf("refs/pull/%d/head", i) }, first)
	return u, serve(t, u, false).modern(), first
}

func follow(t *testing.T, h *host, pulls source.PullRefs) *source.Repository {
	t.Helper()
	return open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Pulls: pulls})
}

// asks polls, and fails unless the host was asked for this.
func asks(t *testing.T, r *source.Repository, h *host, when string, want []string) string {
	t.Helper()
	h.seen()
	head := poll(t, r)
	if got := h.seen(); !slices.Equal(got, want) {
		t.Errorf("%s: the host was asked for %v, want %v", when, got, want)
	}
	return head
}

func TestPollsGlanceAtTheBranchAlone(t *testing.T) {
	t.Parallel()
	u, h, first := crowded(t)
	r := follow(t, h, "")
	asks(t, r, h, "first", append(listing, glance...)) // and a fetch
	if got := asks(t, r, h, "second", firstGlance); got != first {
		t.Errorf("head %s, want %s", got, first)
	}
	sent := traffic(h)
	asks(t, r, h, "nothing new", glance)
	if n := sent.Load(); n == 0 || n > 500 {
		t.Errorf("it answered %d bytes", n)
	}

	u.git("push", "-q", "origin", "main:main-2", "main:mainline/main")
	second := u.change("tenants/acme/a.yaml", "two")
	if got := asks(t, r, h, "moved", append(glance, glance...)); got != second { // and a fetch
		t.Errorf("head %s, want %s", got, second)
	}
	if !r.Has(second) {
		t.Error("it was not fetched")
	}
	u.git("push", "-q", "-f", "origin", first+":main")
	if got := asks(t, r, h, "moved back", glance); got != first {
		t.Errorf("head %s, want %s", got, first)
	}
	u.run(u.bare, "update-ref", "-d", "refs/heads/main")
	_, err := r.Poll(t.Context())
	wantError(t, err, source.ErrNoBranch, `"main"`)
}

func TestGlancesSeeOpenPullRequests(t *testing.T) {
	t.Parallel()
	u, h, first := crowded(t)
	r := follow(t, h, source.PullRequests)
	asks(t, r, h, "first", append(listing, glance...))
	asks(t, r, h, "not known which are open", listing)
	r.Follow([]int{7, 8})
	asks(t, r, h, "known by now", firstGlance)

	before := r.Pulls()
	asks(t, r, h, "nothing new", glance)
	if moved := r.Pulls().Moved(before); len(moved) != 0 || before.Len() != closedPulls {
		t.Errorf("%d pull requests, of which moved %v", before.Len(), moved)
	}

	second := u.change("tenants/acme/a.yaml", "two")
	u.pull(7, second)
	u.git("push", "-q", "origin", ":refs/pull/8/head", first+":refs/pull/603/merge")
	u.pull(603, second)
	asks(t, r, h, "moved", append(glance, glance...))
	now := r.Pulls()
	if moved := now.Moved(before); !slices.Equal(moved, []int{7, 8, 603}) || now.Len() != closedPulls {
		t.Errorf("%d pull requests, of which moved %v", now.Len(), moved)
	}
	if head, ok := now.Head(7); head != second || !ok {
		t.Errorf("7 is at %q, %v", head, ok)
	}
	if head, ok := now.Head(8); ok {
		t.Errorf("8 is at %q", head)
	}
	u.pull(700, second) // beyond the hundred after 600, not after 603
	asks(t, r, h, "another", glance)
	if moved := r.Pulls().Moved(now); !slices.Equal(moved, []int{700}) {
		t.Errorf("moved %v", moved)
	}
}

// What a glance does not look at is seen by the listing that comes after so
// many of them.
func TestAListingComesAfterGlances(t *testing.T) {
	t.Parallel()
	u, h, _ := crowded(t)
	r := follow(t, h, source.PullRequests)
	r.Follow(nil)
	poll(t, r)
	before := r.Pulls()
	u.pull(7, u.change("tenants/acme/a.yaml", "two"))
	u.pull(closedPulls+5000, strings.TrimSpace(u.run(u.bare, "rev-parse", "main")))
	asks(t, r, h, "the branch moved", append(firstGlance, glance...))
	for i := range 58 {
		asks(t, r, h, fmt.Sprint("glance ", i+2), glance)
		if moved := r.Pulls().Moved(before); len(moved) != 0 {
			t.Fatalf("moved %v", moved)
		}
	}
	asks(t, r, h, "after 59 glances", listing)
	if moved := r.Pulls().Moved(before); !slices.Equal(moved, []int{7, closedPulls + 5000}) {
		t.Errorf("moved %v", moved)
	}
	asks(t, r, h, "and again", glance)
}

func TestPollsListWhereThereIsNoGlance(t *testing.T) {
	t.Parallel()
	version2 := func(r *http.Request) bool { return r.Header.Get("Git-Protocol") != "" }
	onlyGlances := func(r *http.Request) bool { return version2(r) && r.Method == http.MethodPost }
	says := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}
	}
	elsewhere := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		w.WriteHeader(http.StatusFound)
	}
	const refsLine = "003e" + "0123456789012345678901234567890123456789 refs/heads/mai" // cut off
	for _, tc := range []struct {
		name   string
		broken func(*http.Request) bool
		answer http.HandlerFunc
		asked  [2][]string // by two polls after the first
	}{
		{"version 1 alone", nil, nil, [2][]string{{"GET /info/refs", "GET /info/refs"}, listing}},
		{"no such page", version2, says(404, "no"), [2][]string{{"GET /info/refs", "GET /info/refs"}, listing}},
		{"moved", version2, elsewhere, [2][]string{{"GET /info/refs", "GET /info/refs"}, listing}},
		{"a page for people", version2, says(200, "<html>"), [2][]string{{"GET /info/refs", "GET /info/refs"}, listing}},
		{"no listing of refs", version2, says(200, "000eversion 2\n000afetch\n0000"), [2][]string{{"GET /info/refs", "GET /info/refs"}, listing}},
		{"busy", version2, says(503, "busy"), [2][]string{{"GET /info/refs", "GET /info/refs"}, {"GET /info/refs", "GET /info/refs"}}},
		{"glances refused", onlyGlances, says(400, "no"), [2][]string{append(firstGlance, listing...), listing}},
		{"glances fail", onlyGlances, says(500, "no"), [2][]string{append(firstGlance, listing...), append(firstGlance, listing...)}},
		{"cut off", onlyGlances, says(200, refsLine), [2][]string{append(firstGlance, listing...), append(firstGlance, listing...)}},
		{"nothing said", onlyGlances, says(200, ""), [2][]string{append(firstGlance, listing...), append(firstGlance, listing...)}},
		{"an error", onlyGlances, says(200, "0010ERR not here"), [2][]string{append(firstGlance, listing...), listing}},
		{"no refs", onlyGlances, says(200, "0000"), [2][]string{append(firstGlance, listing...), append(glance, listing...)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u, h, first := crowded(t)
			h.breakWith(func(w http.ResponseWriter, r *http.Request, real http.Handler) bool {
				if tc.broken == nil {
					r.Header.Set("Git-Protocol", "")
				}
				if tc.broken == nil || !tc.broken(r) {
					return false
				}
				tc.answer(w, r)
				return true
			})
			r := follow(t, h, "")
			if got := poll(t, r); got != first {
				t.Errorf("head %s, want %s", got, first)
			}
			for i, want := range tc.asked {
				asks(t, r, h, fmt.Sprint("poll ", i+2), want)
			}
			if second := u.change("tenants/acme/a.yaml", "two"); poll(t, r) != second {
				t.Error("the change was not seen")
			}
		})
	}
}

// A host that lists few refs is listed, and so is one whose poll has just failed.
func TestListingsThatAreNoGlances(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	h := serve(t, u, false).modern()
	r := follow(t, h, "")
	poll(t, r)
	asks(t, r, h, "few refs", listing)

	_, h, _ = crowded(t)
	r = follow(t, h, "")
	poll(t, r)
	poll(t, r)
	h.breakWith(status(503))
	if _, err := r.Poll(t.Context()); err == nil {
		t.Error("no error")
	}
	h.breakWith(nil)
	asks(t, r, h, "after a failure", listing)

	_, h, _ = crowded(t)
	r = follow(t, h, source.PullRequests)
	many := make([]int, 1001)
	for i := range many {
		many[i] = i + 1
	}
	r.Follow(many)
	poll(t, r)
	asks(t, r, h, "too many are open", listing)
	r.Follow(many[:1000])
	asks(t, r, h, "not too many", firstGlance)
}

// A password that is no longer good is told as ever.
func TestGlancesTellOfLogins(t *testing.T) {
	t.Parallel()
	_, h, _ := crowded(t)
	file := secret(t, canary)
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: file})
	poll(t, r)
	poll(t, r)
	must(t, os.WriteFile(file, []byte("old"), 0o600))
	_, err := r.Poll(t.Context())
	wantError(t, err, source.ErrAuth, "401")
	must(t, os.WriteFile(file, []byte(canary), 0o600))
	asks(t, r, h, "the right one", listing)
	asks(t, r, h, "and then", firstGlance)
}

// The bytes of a glance are those that git(1) itself would send, without what
// it does not need.
func TestGlanceAsksAsGitDoes(t *testing.T) {
	t.Parallel()
	_, h, _ := crowded(t)
	r := follow(t, h, "")
	poll(t, r)
	poll(t, r)
	var sent bytes.Buffer
	h.breakWith(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		r.Body = io.NopCloser(io.TeeReader(r.Body, &sent))
		return false
	})
	poll(t, r)
	if got, want := sent.String(), "0014command=ls-refs\n0001001fref-prefix refs/heads/main\n0000"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}
