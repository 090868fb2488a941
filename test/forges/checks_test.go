package forges_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
	"github.com/portcullis-gitops/portcullis/test/forges"
)

const gone = "2222222222222222222222222222222222222222"

// newest is what a commit says in the end.
func newest(t *testing.T, c contender, commit string) forges.Status {
	t.Helper()
	all := c.Statuses(commit)
	if len(all) == 0 {
		t.Fatalf("commit %s has no status", commit)
	}
	return all[len(all)-1]
}

func TestNewestStatusIsTheRightOne(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		f := c.open(t, func(o *wire.Options) { o.TargetURL = "https://console.example/" })
		commit := c.Commit()
		for _, tt := range []struct {
			state forge.State
			title string
			url   string
		}{
			{forge.Pending, "1 of 2 applied", ""},
			{forge.Success, "in force", ""},
			{forge.Failure, "acme/list.yaml:12:7: error[host-bits]", "https://elsewhere.example/"},
			{forge.Failure, "acme/list.yaml:13:7: error[host-bits]", ""},
			{forge.Pending, "applied", ""},
			{forge.Success, "in force", ""},
		} {
			check := check(commit, tt.state, tt.title)
			check.URL = tt.url
			equal(t, "errors", f.Post(t.Context(), []forge.Check{check}), []error{nil})
			got := newest(t, c, commit)
			want := tt.url
			if want == "" {
				want = "https://console.example/"
			}
			equal(t, "status", []string{got.Context, got.State, got.Title, got.URL}, []string{"portcullis/eu-west", string(tt.state), tt.title, want})
		}
	})
}

func TestStatusPostedTwiceIsNoFailure(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		commit := c.Commit()
		for _, state := range []forge.State{forge.Pending, forge.Failure, forge.Success} {
			for range 3 { // each as a process that knows nothing of the others
				errs := c.open(t, nil).Post(t.Context(), []forge.Check{check(commit, state, "x")})
				equal(t, "errors", errs, []error{nil})
			}
			equal(t, "state", newest(t, c, commit).State, string(state))
		}
	})
}

func TestStatusesOfSeveralContextsStandSideBySide(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		f, commit := c.open(t, nil), c.Commit()
		other := check(commit, forge.Failure, "held")
		other.Context = "portcullis/us-east"
		equal(t, "errors", f.Post(t.Context(), []forge.Check{check(commit, forge.Pending, "x"), other, check(commit, forge.Success, "y")}), []error{nil, nil, nil})
		last := map[string]string{}
		for _, s := range c.Statuses(commit) {
			last[s.Context] = s.State
		}
		equal(t, "states", last, map[string]string{"portcullis/eu-west": "success", "portcullis/us-east": "failure"})
	})
}

func TestLongTitleIsCut(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		commit := c.Commit()
		title := "acme/list.yaml:12:7: error[unsafe-text]: " + strings.Repeat("ü", 400)
		equal(t, "errors", c.open(t, nil).Post(t.Context(), []forge.Check{check(commit, forge.Failure, title)}), []error{nil})
		got := newest(t, c, commit).Title
		if utf8.RuneCountInString(got) != c.maxTitle || !utf8.ValidString(got) || !strings.HasPrefix(got, "acme/list.yaml:12:7: ") || !strings.HasSuffix(got, "…") {
			t.Errorf("title of %d characters: %s", utf8.RuneCountInString(got), got)
		}
	})
}

func TestCommitThatIsGoneIsRefusedAlone(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		commit := c.Commit()
		errs := c.open(t, nil).Post(t.Context(), []forge.Check{check(gone, forge.Success, "x"), check(commit, forge.Success, "x"), check(commit, "skipped", "x")})
		if !errors.Is(errs[0], forge.ErrRefused) || errs[1] != nil || !errors.Is(errs[2], forge.ErrRefused) {
			t.Errorf("errors: %v", errs)
		}
		equal(t, "statuses", len(c.Statuses(commit)), 1)
		c.untold(t, errs[0])
	})
}

// A repository that cannot be seen is no reason to give up a check.
func TestRepositoryThatIsGoneIsWaitedFor(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		f := c.open(t, func(o *wire.Options) { o.Repository = "nobody/nothing" })
		errs := f.Post(t.Context(), []forge.Check{check(c.Commit(), forge.Success, "x"), check(gone, forge.Success, "x")})
		for _, err := range errs {
			if pause, ok := errors.AsType[forge.RetryAfterError](err); !ok || pause.After != wire.Slowly || errors.Is(err, forge.ErrRefused) {
				t.Errorf("error %v; want one that waits", err)
			}
		}
		if _, err := f.PullRequest(t.Context(), 1); err == nil {
			t.Error("a pull request of nothing was found")
		}
	})
}
