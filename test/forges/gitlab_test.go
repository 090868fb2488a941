package forges_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/gitlab"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
	"github.com/portcullis-gitops/portcullis/test/forges"
)

func gitlabHost(t *testing.T) (*forges.GitLab, contender) {
	t.Helper()
	c := gitlabByToken(t)
	return c.host.(pulls).standIn.(*forges.GitLab), c
}

// TestStatusLandsInTheRightPipeline: a merge waits for those of its own.
func TestStatusLandsInTheRightPipeline(t *testing.T) {
	t.Parallel()
	g, c := gitlabHost(t)
	own, fork, piped := g.Open("feature", "main", "alice", false), g.Open("feature", "main", "bob", true), g.Open("other", "main", "bob", false)
	pipeline := g.Pipeline(piped.Number)
	stale := g.Open("moved", "main", "bob", false)
	old := g.Pipeline(stale.Number)
	stale.Head = g.Push(stale.Number)
	f := c.open(t, nil)
	for name, tt := range map[string]struct {
		commit   string
		pr       int
		ref      string
		want     string
		pipeline int64 // 0: of the ref
	}{
		"branch":                          {g.Commit(), 0, "", "main", 0},
		"own branch":                      {own.Head, own.Number, "", "feature", 0},
		"own branch, told":                {own.Head, own.Number, "told", "told", 0},
		"fork, told its branch":           {g.Push(fork.Number), fork.Number, "main", "refs/merge-requests/2/head", 0},
		"fork":                            {fork.Head, fork.Number, "", "refs/merge-requests/2/head", 0},
		"pipeline of the merge request":   {piped.Head, piped.Number, "", "refs/merge-requests/3/head", pipeline},
		"pipeline of an older commit":     {stale.Head, stale.Number, "", "moved", 0},
		"merge request that is not there": {g.Commit(), 9999, "", "refs/merge-requests/9999/head", 0},
	} {
		check := check(tt.commit, forge.Success, "x")
		check.PullRequest, check.Ref = tt.pr, tt.ref
		equal(t, name+": errors", f.Post(t.Context(), []forge.Check{check}), []error{nil})
		got := newest(t, c, tt.commit)
		if got.Ref != tt.want || tt.pipeline != 0 && got.Pipeline != tt.pipeline || got.Pipeline == old {
			t.Errorf("%s: filed under %s, pipeline %d; want %s, %d", name, got.Ref, got.Pipeline, tt.want, tt.pipeline)
		}
	}
}

// What GitLab makes of a status that it does not take, by what becomes of it.
func TestGitLabRefusals(t *testing.T) {
	t.Parallel()
	transition := func(event, from string) string {
		return `{"message": "Cannot transition status via :` + event + ` from :` + from + ` (Reason(s): Status cannot transition via \"` + event + `\")"}`
	}
	for name, tt := range map[string]struct {
		state  forge.State
		answer http.Handler
		want   string // done, final, later, or wait
		goesOn bool
	}{
		"pending again":            {forge.Pending, says(400, transition("enqueue", "pending")), "done", true},
		"pending while it runs":    {forge.Pending, says(400, transition("enqueue", "running")), "done", true},
		"success again":            {forge.Success, says(400, transition("success", "success")), "done", true},
		"failed again":             {forge.Failure, says(400, transition("drop", "failed")), "done", true},
		"failed after success":     {forge.Failure, says(400, transition("drop", "success")), "final", true},
		"pending after success":    {forge.Pending, says(400, transition("enqueue", "success")), "final", true},
		"success after a canceled": {forge.Success, says(400, transition("success", "canceled")), "final", true},
		"a value it never takes":   {forge.Success, says(400, `{"message": {"name": ["has already been taken"]}}`), "final", true},
		"another 400":              {forge.Success, says(400, `{"error": "state is missing"}`), "later", true},
		"parallel":                 {forge.Success, says(409, `{"message": "409 Conflict"}`), "later", true},
		"422":                      {forge.Success, says(422, `{"message": {"name": ["is too long"]}}`), "final", true},
		"401":                      {forge.Success, says(401, `{"message": "401 Unauthorized"}`), "wait", false},
		"403":                      {forge.Success, says(403, `{"message": "403 Forbidden"}`), "wait", false},
		"429":                      {forge.Success, says(429, `Retry later`, "Retry-After", "12"), "wait", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := gitlabHost(t)
			f, commit := c.open(t, nil), c.Commit()
			c.Answer(tt.answer)
			errs := f.Post(t.Context(), []forge.Check{check(commit, tt.state, "x"), check(commit, tt.state, "y")})
			equal(t, "outcome", kind(errs[0]), tt.want)
			c.untold(t, errs[0])
			if (errs[0] != errs[1] || errs[0] == nil) != tt.goesOn {
				t.Errorf("the second check goes on: %v, want %v", errs[0] != errs[1], tt.goesOn)
			}
		})
	}
}

// kind is what the outbox does about an error.
func kind(err error) string {
	_, wait := errors.AsType[forge.RetryAfterError](err)
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, forge.ErrRefused):
		return "final"
	case wait:
		return "wait"
	}
	return "later"
}

// TestLinkThatGitLabDoesNotTake: a status without its link is better than none.
func TestLinkThatGitLabDoesNotTake(t *testing.T) {
	t.Parallel()
	g, c := gitlabHost(t)
	f := c.open(t, nil)
	for _, tt := range []struct {
		length int
		kept   bool
	}{{255, true}, {256, false}} {
		long := check(g.Commit(), forge.Success, "x")
		long.URL = "https://git.example.com/"
		long.URL += strings.Repeat("a", tt.length-len(long.URL))
		equal(t, "outcome", kind(f.Post(t.Context(), []forge.Check{long})[0]), "done")
		if got := newest(t, c, long.Commit).URL; (got == long.URL) != tt.kept || (got == "") == tt.kept {
			t.Errorf("a link of %d characters became %q", tt.length, got)
		}
	}
}

// TestContractFindsFaults: what misspells a parameter or a value is noticed.
func TestContractFindsFaults(t *testing.T) {
	t.Parallel()
	const at = "/api/v4/projects/hosting/allowlists"
	status, note := at+"/statuses/"+gone, at+"/merge_requests/1/notes"
	for name, tt := range map[string]struct {
		exchange forges.Exchange
		ok       bool
	}{
		"a status":             {forges.Exchange{Method: "POST", Path: status, Code: 201, Request: []byte(`{"state":"failed","pipeline_id":7}`), Answer: []byte(`{"id":1}`)}, true},
		"no state":             {forges.Exchange{Method: "POST", Path: status, Code: 400, Request: []byte(`{"name":"x"}`)}, false},
		"GitHub's word":        {forges.Exchange{Method: "POST", Path: status, Code: 400, Request: []byte(`{"state":"failure"}`)}, false},
		"a name of another":    {forges.Exchange{Method: "POST", Path: status, Code: 201, Request: []byte(`{"state":"failed","title":"x"}`)}, false},
		"a number as text":     {forges.Exchange{Method: "POST", Path: status, Code: 201, Request: []byte(`{"state":"failed","pipeline_id":"7"}`)}, false},
		"a listing":            {forges.Exchange{Method: "GET", Path: at + "/merge_requests", Query: url.Values{"state": {"opened"}, "page": {"2"}}, Code: 304}, true},
		"a state of another":   {forges.Exchange{Method: "GET", Path: at + "/merge_requests", Query: url.Values{"state": {"open"}}, Code: 304}, false},
		"a page of none":       {forges.Exchange{Method: "GET", Path: at + "/merge_requests", Query: url.Values{"page": {"x"}}, Code: 304}, false},
		"a parameter of none":  {forges.Exchange{Method: "GET", Path: note, Query: url.Values{"direction": {"asc"}}, Code: 304}, false},
		"a note without words": {forges.Exchange{Method: "POST", Path: note, Code: 400, Request: []byte(`{}`)}, false},
		"an answer of another": {forges.Exchange{Method: "POST", Path: note, Code: 201, Request: []byte(`{"body":"x"}`), Answer: []byte(`{"id":1,"html_url":"x"}`)}, false},
		"an endpoint of none":  {forges.Exchange{Method: "GET", Path: at + "/pulls", Code: 404}, false},
	} {
		if err := forges.CheckGitLab(tt.exchange); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCommitWithoutARefIsWaitedFor: GitLab does not know yet where a commit
// belongs, or never will; the commit is there, so nothing is given up.
func TestCommitWithoutARefIsWaitedFor(t *testing.T) {
	t.Parallel()
	g, c := gitlabHost(t)
	commit := g.Commit()
	f, err := gitlab.New(gitlab.Options{Options: wire.Options{URL: g.URL, Repository: forges.Owner + "/" + forges.Name,
		TokenFile: secretFile(t, forges.RobotToken)}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "outcome", kind(f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")})[0]), "later")
	g.Branch(commit, "main")
	equal(t, "outcome", kind(f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")})[0]), "done")
	equal(t, "state", newest(t, c, commit).State, "success")
}

// TestNotesGiveNoOrders: GitLab takes lines that begin with a slash for orders
// of the note's author, who may merge.
func TestNotesGiveNoOrders(t *testing.T) {
	t.Parallel()
	g, c := gitlabHost(t)
	pr := g.Open("a", "main", "mallory", false)
	body := "one\n/merge\n  /approve\n\t/close\r\n/ \n- `/etc` and /tmp\n> /merge\nhttps://x.example/"
	comment := forge.Comment{PullRequest: pr.Number, Mark: forge.Mark("x"), Body: body}
	for range 2 {
		if _, err := c.open(t, nil).Comment(t.Context(), comment); err != nil {
			t.Fatal(err)
		}
	}
	want := forge.Mark("x") + "\none\n\\/merge\n  \\/approve\n\t\\/close\r\n\\/ \n- `/etc` and /tmp\n> /merge\nhttps://x.example/"
	equal(t, "note", g.Comments(pr.Number)[0].Body, want)
	equal(t, "notes", len(g.Comments(pr.Number)), 1)
}
