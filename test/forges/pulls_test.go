package forges_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/test/forges"
)

// listed are the open pull requests to a branch, as number, head, branch,
// fork, author.
func listed(t *testing.T, f forge.PullRequests, target string) string {
	t.Helper()
	all, err := f.OpenPullRequests(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, pr := range all {
		if pr.State != forge.PullRequestOpen || pr.Target != target || pr.MergeCommit != "" || !strings.Contains(pr.URL, fmt.Sprint("/", pr.Number)) {
			t.Errorf("listed: %+v", pr)
		}
		if (pr.HeadRepository == "hosting/allowlists") == pr.Fork && strings.Contains(pr.HeadRepository, "hosting") {
			t.Errorf("head repository: %+v", pr)
		}
		lines = append(lines, line(pr.Number, pr.Head, pr.HeadBranch, pr.Fork, pr.Author))
	}
	return strings.Join(lines, "\n")
}

func line(number int, head, branch string, fork bool, author string) string {
	return fmt.Sprint(number, " ", head, " ", branch, " ", fork, " ", author)
}

func lineOf(p forges.Pull) string { return line(p.Number, p.Head, p.Branch, p.Fork, p.Author) }

func lines(pulls ...forges.Pull) string {
	var out []string
	for _, p := range pulls {
		out = append(out, lineOf(p))
	}
	return strings.Join(out, "\n")
}

// TestPullRequestsAreFollowed goes through a pull request's life, with one
// process that lists all the time and one that begins anew each time.
func TestPullRequestsAreFollowed(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		f := c.open(t, nil)
		lists := func(what, main, other string) {
			t.Helper()
			for name, f := range map[string]forge.PullRequests{"": f, "a new process: ": c.open(t, nil)} {
				equal(t, what+": "+name+"to main", listed(t, f, "main"), main)
				equal(t, what+": "+name+"to other", listed(t, f, "other"), other)
			}
		}
		c.Commit()
		lists("nothing", "", "")
		a := c.Open("a", "main", "alice", false)
		b := c.Open("b", "main", "bob", true)
		x := c.Open("x", "other", "alice", false)
		lists("opened", lines(a, b), lines(x))
		a.Head, b.Head = c.Push(a.Number), c.Push(b.Number)
		lists("pushed", lines(a, b), lines(x))
		c.Close(a.Number)
		lists("closed", lines(b), lines(x))
		c.Reopen(a.Number)
		lists("reopened", lines(a, b), lines(x))
		c.Retarget(a.Number, "other")
		lists("retargeted", lines(b), lines(a, x))
		merge := c.Merge(b.Number)
		lists("merged", "", lines(a, x))
		c.Close(a.Number)

		for _, want := range []struct {
			number int
			state  forge.PullRequestState
			merge  string
		}{{a.Number, forge.PullRequestClosed, ""}, {b.Number, forge.PullRequestMerged, merge}, {x.Number, forge.PullRequestOpen, ""}} {
			got, err := f.PullRequest(t.Context(), want.number)
			if err != nil || got.State != want.state || got.MergeCommit != want.merge {
				t.Errorf("pull request %d: %+v, %v; want %s, merged as %q", want.number, got, err, want.state, want.merge)
			}
		}
		if _, err := f.PullRequest(t.Context(), 9999); !errors.Is(err, forge.ErrRefused) {
			t.Errorf("a pull request that was never there: %v", err)
		}
	})
}

func TestManyPullRequestsTakePages(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		c.Commit()
		all := c.OpenMany(c.many, "main", "alice")
		f := c.open(t, nil)
		equal(t, "listed", listed(t, f, "main"), lines(all...))
		c.Close(all[1].Number)
		all = append(all[:1], all[2:]...)
		all = append(all, c.Open("one-more", "main", "alice", false))
		equal(t, "listed after a change", listed(t, f, "main"), lines(all...))
	})
}

// TestUnchangedListingIsAnsweredInShort is about hosts with ETags.
func TestUnchangedListingIsAnsweredInShort(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"github with a token", "github with an App", "gitlab"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := contenders[name](t)
			c.OpenMany(200, "main", "alice")
			f := c.open(t, nil)
			first := listed(t, f, "main")
			before := len(exchanges(c))
			for range 10 {
				if listed(t, f, "main") != first {
					t.Fatal("another listing")
				}
			}
			after := exchanges(c)[before:]
			for _, e := range after {
				// The page after the last full one cannot be known to be empty.
				if e.Code != 304 {
					t.Errorf("%s %s?%s was answered %d", e.Method, e.Path, e.Query.Encode(), e.Code)
				}
			}
			equal(t, "requests", len(after), 30)
		})
	}
}

// exchanges are those of a stand-in.
func exchanges(c contender) []forges.Exchange {
	return c.host.(pulls).standIn.(interface{ Exchanges() []forges.Exchange }).Exchanges()
}
