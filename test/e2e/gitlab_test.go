package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/forges"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

func onGitLab(t *testing.T) (*onStandIn, *forges.GitLab) {
	t.Helper()
	lab := forges.NewGitLab()
	t.Cleanup(lab.Close)
	return onAStandIn(t, standInOptions{forge: "gitlab", host: lab, handler: lab.WithGit, exists: &lab.Exists,
		pulls: "refs/merge-requests/%d/head", token: forges.RobotToken}), lab
}

// TestPullRequestOnGitLab is a merge request of a fork, whose branch has the
// name of one of the project.
func TestPullRequestOnGitLab(t *testing.T) {
	t.Parallel()
	p, lab := onGitLab(t)
	p.begin()
	wrong, right := p.fromOpenToInForce(forges.Robot, 1)
	for _, sha := range []string{wrong, right} {
		for _, s := range lab.Statuses(sha) {
			if s.Ref != "refs/merge-requests/1/head" {
				t.Errorf("a status of commit %s is filed under %s", sha, s.Ref)
			}
		}
	}
	for _, e := range lab.Exchanges() {
		if err := forges.CheckGitLab(e); err != nil {
			t.Errorf("against what GitLab declares: %s %s: %v", e.Method, e.Path, err)
		}
	}
}

// TestHundredPollsOfTwoHundredPullRequests: while nothing moves the Git is asked
// once a poll, and GitLab nothing but whether its listing is another, which it
// is not.
func TestHundredPollsOfTwoHundredPullRequests(t *testing.T) {
	t.Parallel()
	p, lab := onGitLab(t)
	p.begin()
	var in bytes.Buffer
	for i := 1; i <= 200; i++ {
		fmt.Fprintf(&in, "commit "+p.pulls+"\ncommitter Tenant <tenant@example.com> 1700000000 +0000\n%sfrom refs/heads/main\nM 100644 inline docs/%d.md\n%s",
			i, data("Write"), i, data("words"))
	}
	cmd := exec.CommandContext(t.Context(), "git", "--git-dir", p.bare, "fast-import", "--quiet")
	cmd.Stdin = &in
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git fast-import: %v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "git", "--git-dir", p.bare, "for-each-ref", "--sort=version:refname", "--format=%(objectname)", "refs/merge-requests/").Output()
	p.must(err)
	heads := strings.Fields(string(out))
	for i, head := range heads {
		lab.OpenAt(head, fmt.Sprint("branch-", i), "main", "tenant", false)
	}
	told := func(context.Context) error {
		for i, head := range heads {
			if all := lab.Statuses(head); len(all) != 1 || all[0].State != stage.Success {
				return fmt.Errorf("statuses of pull request %d: %+v", i+1, all)
			}
		}
		return nil
	}
	p.must(p.Await(p.ctx, "all of them to be told", 3*patience, told))
	p.morePolls(60) // so that what is asked again for a while after a move is over
	asked := len(lab.Exchanges())
	p.git.Meter.Reset()
	p.must(p.Await(p.ctx, "a hundred polls", 3*patience, func(context.Context) error {
		if n := p.git.Meter.Count(isListing); n < 100 {
			return fmt.Errorf("%d polls", n)
		}
		return nil
	}))
	if all, lists := p.git.Meter.Count(nil), p.git.Meter.Count(isListing); all != lists {
		t.Errorf("%d requests to Git, of which %d are polls", all, lists)
	}
	for _, e := range lab.Exchanges()[asked:] {
		if !strings.HasSuffix(e.Path, "/merge_requests") || e.Code != 304 {
			t.Errorf("%s %s?%s was asked, and answered %d", e.Method, e.Path, e.Query.Encode(), e.Code)
		}
	}
	if n := len(lab.Exchanges()) - asked; n > 6 { // two listings of three pages
		t.Errorf("%d requests", n)
	}
	p.holds(told)
}
