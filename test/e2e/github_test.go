package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/forges"
)

// onGitHub is a stage on a stand-in for GitHub, which an App logs in to, or the
// robot with its token.
func onGitHub(t *testing.T, app bool) (*onStandIn, *forges.GitHub) {
	t.Helper()
	hub, err := forges.NewGitHub(nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	o := standInOptions{forge: "github", host: hub, handler: hub.WithGit, exists: &hub.Exists, pulls: "refs/pull/%d/head", token: forges.RobotToken}
	if app {
		o.token, o.appKey = "", hub.PrivateKey()
	}
	return onAStandIn(t, o), hub
}

// TestGitHubAppReadsAndTells has a stand-in for GitHub, with Git's own server
// behind it: an App logs in for both, and what it tells is check runs.
func TestGitHubAppReadsAndTells(t *testing.T) {
	t.Parallel()
	p, hub := onGitHub(t, true)
	first := p.populate()
	p.start()
	p.await("the first check run", p.says(first, "failure", "unsupported-expose-strategy"))
	hub.Revoke()
	bad := p.edit("acme/production.yaml", "203.0.113.0/24", "10.0.0.1/8")
	p.await("the check run of a bad file, with another token", p.says(bad, "failure", "host-bits"))
	fixed := p.edit("acme/production.yaml", "10.0.0.1/8", "203.0.113.0/24")
	p.await("the check run of the corrected file", p.says(fixed, "success", ""))
	p.must(p.Rewind(p.ctx, first))
	other := p.edit("acme/production.yaml", "203.0.113.0/24", "203.0.113.0/25")
	p.await("the check run of a rewind, with what it would mean", p.says(other, "failure", "held: rewinds"),
		p.says(other, "failure", "portcullis approve customers@"+other), p.says(other, "failure", "203.0.113.128/25"))
	if got := hub.Minted(); got != 2 {
		t.Errorf("%d tokens were asked for, want the first and the one after it was revoked", got)
	}
	if log := p.Run.Log(); strings.Contains(log, "ghs_") || strings.Contains(log, "eyJ") {
		t.Error("the log tells a token")
	}
}

// TestPullRequestOnGitHubByApp has more findings than fit one request.
func TestPullRequestOnGitHubByApp(t *testing.T) {
	t.Parallel()
	p, hub := onGitHub(t, true)
	p.begin()
	wrong, right := p.fromOpenToInForce(forges.AppLogin, 60)
	runs := hub.Statuses(wrong)
	lines := map[int]bool{}
	for _, a := range runs[len(runs)-1].Annotations {
		if strings.Contains(a.Title, "host-bits") && a.Path == p.path("acme/staging.yaml") && a.Level == "failure" {
			lines[a.StartLine] = true
		}
	}
	if len(runs) != 1 || len(lines) != 60 {
		t.Errorf("%d check runs, the last with errors at %d lines", len(runs), len(lines))
	}
	if n := len(hub.Statuses(right)); n != 1 {
		t.Errorf("%d check runs of the mended commit", n)
	}
}

func TestPullRequestOnGitHubByToken(t *testing.T) {
	t.Parallel()
	p, _ := onGitHub(t, false)
	p.begin()
	p.fromOpenToInForce(forges.Robot, 1)
}

// TestCommitWithAsManyStatusesAsGitHubTakes: it is told once that there are no
// more, and no more is asked of it, for all that moves and over a restart.
func TestCommitWithAsManyStatusesAsGitHubTakes(t *testing.T) {
	t.Parallel()
	p, hub := onGitHub(t, false)
	p.begin()
	full := p.commit("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	hub.Fill(full, "portcullis/eu-west")
	pr := p.open(full, "graz", false)
	posts := func() (n int) {
		for _, e := range hub.Exchanges() {
			if e.Method == "POST" && strings.HasSuffix(e.Path, "/statuses/"+full) {
				n++
			}
		}
		return n
	}
	p.await("the refusal, and the comment all the same", p.commented(pr, "Graz office"), func(context.Context) error {
		if posts() == 0 {
			return errors.New("no status was posted")
		}
		return nil
	})
	moved := p.edit("acme/production.yaml", "ticket: ACME-17", "ticket: ACME-18")
	p.await("the branch to move", p.says(moved, "success", ""))
	p.morePolls(3)
	p.stop()
	p.start()
	next := p.edit("acme/production.yaml", "ticket: ACME-18", "ticket: ACME-19")
	other := p.open(p.commit("linz", "acme/staging.yaml", p.stagingWith("{description: Linz office, cidr: 192.0.2.112/28}")), "linz", false)
	p.await("others to be told", p.says(next, "success", ""), p.commented(other, "Linz office"), p.says(hub.HeadOf(other), "success", "routine"))
	p.morePolls(3)
	if n := posts(); n != 1 {
		t.Errorf("%d statuses were posted to a commit that takes none", n)
	}
	p.holds(func(context.Context) error {
		if all := hub.Statuses(full); len(all) != 1000 {
			return fmt.Errorf("%d statuses", len(all))
		}
		return nil
	})
}
