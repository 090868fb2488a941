package source_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// pull shows a commit as a pull request's head, as a Git host does, those of
// forks too: the branch that it is on need not be in the repository.
func (u *upstream) pull(number int, commit string) {
	u.t.Helper()
	u.git("push", "-q", "-f", "origin", fmt.Sprintf("%s:refs/pull/%d/head", commit, number))
}

func TestPollTellsThePullRequests(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	u.pull(7, first)
	u.pull(12, first)
	for _, other := range []string{"refs/pull/7/merge", "refs/pull/x/head", "refs/pull/0/head", "refs/pull/007/head", "refs/pull/-1/head", "refs/pull/7/8/head", "refs/pull/99999999999/head", "refs/merge-requests/3/head", "refs/heads/refs/pull/5/head"} {
		u.git("push", "-q", "origin", first+":"+other)
	}
	h := serve(t, u, false)
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Pulls: source.PullRequests})
	if got := r.Pulls().Len(); got != 0 {
		t.Errorf("%d before anybody was asked", got)
	}
	poll(t, r)
	before := r.Pulls()
	if got, want := maps.Collect(before.All()), (map[int]string{7: first, 12: first}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := before.Moved(source.Pulls{}); !slices.Equal(got, []int{7, 12}) {
		t.Errorf("at first moved %v", got)
	}

	second := u.change("tenants/acme/a.yaml", "two")
	u.pull(12, second)
	u.pull(8, second)
	u.git("push", "-q", "origin", ":refs/pull/7/head")
	poll(t, r)
	now := r.Pulls()
	if got := now.Moved(before); !slices.Equal(got, []int{7, 8, 12}) {
		t.Errorf("moved %v", got)
	}
	if head, ok := now.Head(12); head != second || !ok {
		t.Errorf("12 is at %q, %v", head, ok)
	}
	if head, ok := now.Head(7); ok {
		t.Errorf("7 is at %q", head)
	}

	h.seen()
	poll(t, r)
	if got := h.seen(); !slices.Equal(got, []string{"GET /info/refs"}) {
		t.Errorf("nothing moved: %v", got)
	}
	if got := r.Pulls().Moved(now); len(got) != 0 {
		t.Errorf("nothing moved: %v", got)
	}
}

func TestMergeRequestsAreAnotherHostsPullRequests(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	u.pull(7, first)
	u.git("push", "-q", "origin", first+":refs/merge-requests/3/head")
	for refs, want := range map[source.PullRefs]map[int]string{
		"":                   {},
		source.PullRequests:  {7: first},
		source.MergeRequests: {3: first},
	} {
		r := open(t, source.Options{URL: u.url(), Path: "tenants", Pulls: refs})
		poll(t, r)
		if got := maps.Collect(r.Pulls().All()); !maps.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", refs, got, want)
		}
	}
}

// A host that does not answer takes nothing back.
func TestPullsStayWhenAPollFails(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.pull(7, u.change("tenants/acme/a.yaml", "one"))
	h := serve(t, u, false)
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Pulls: source.PullRequests})
	poll(t, r)
	h.breakWith(status(503))
	if _, err := r.Poll(t.Context()); err == nil {
		t.Fatal("no error")
	}
	if got := r.Pulls().Len(); got != 1 {
		t.Errorf("%d left", got)
	}
}

// refs writes many refs at once, as packed ones.
func (u *upstream) refs(n int, name func(i int) string, commit string) {
	u.t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "create %s %s\n", name(i+1), commit)
	}
	input(&upstream{t: u.t, work: u.bare}, b.String(), "update-ref", "--stdin")
	u.run(u.bare, "pack-refs", "--all")
}

// BenchmarkPollWithPulls is the poll of every minute, beside thousands of pull
// requests that were closed long ago.
func BenchmarkPollWithPulls(b *testing.B) {
	for _, n := range []int{0, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			u := newUpstream(b)
			u.refs(n, func(i int) string { return fmt.Sprintf("refs/pull/%d/head", i) }, u.change("tenants/acme/a.yaml", "one"))
			h := serve(b, u, false)
			r := open(b, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(b, canary), Pulls: source.PullRequests})
			poll(b, r)
			before := r.Pulls()
			if before.Len() != n {
				b.Fatal(before.Len())
			}
			b.ReportAllocs()
			for b.Loop() {
				poll(b, r)
				if moved := r.Pulls().Moved(before); len(moved) != 0 {
					b.Fatal(moved)
				}
			}
		})
	}
}
