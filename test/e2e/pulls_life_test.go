package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// protect has main take nothing by merge without the seed's check.
func (p *withPulls) protect() {
	p.t.Helper()
	_, _, err := p.admin.CreateBranchProtection(p.server.Admin.Name, p.repo, sdk.CreateBranchProtectionOption{BranchName: "main", RuleName: "main",
		EnablePush: true, EnableStatusCheck: true, StatusCheckContexts: []string{"portcullis/eu-west"}, BlockAdminMergeOverride: true})
	p.must(err)
}

// refusedMerge fails where the pull request can be merged, or cannot for any
// other reason than its check.
func (p *withPulls) refusedMerge(number int64) {
	p.t.Helper()
	p.await("Gitea to know that it could be merged", func(context.Context) error {
		pr, _, err := p.admin.GetPullRequest(p.server.Admin.Name, p.repo, number)
		if err == nil && !pr.Mergeable {
			err = errors.New("not mergeable")
		}
		return err
	})
	if words := p.tryMerge(number); !strings.Contains(words, "status checks") {
		p.t.Errorf("pull request %d was merged, or not merged but for another reason than its check: %s", number, words)
	}
}

// tryMerge answers what Gitea says of a merge, which its client keeps to itself.
func (p *withPulls) tryMerge(number int64) string {
	p.t.Helper()
	url := fmt.Sprintf("%s/api/v1/repos/%s/%s/pulls/%d/merge", p.server.URL, p.server.Admin.Name, p.repo, number)
	request, err := http.NewRequestWithContext(p.ctx, http.MethodPost, url, strings.NewReader(`{"Do":"merge"}`))
	p.must(err)
	request.Header.Set("Authorization", "token "+p.server.Admin.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	p.must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	p.must(err)
	return response.Status + ": " + string(text)
}

func (p *withPulls) alter(number int64, change sdk.EditPullRequestOption) {
	p.t.Helper()
	_, _, err := p.admin.EditPullRequest(p.server.Admin.Name, p.repo, number, change)
	p.must(err)
}

func (p *withPulls) setState(number int64, state sdk.StateType) {
	p.t.Helper()
	p.alter(number, sdk.EditPullRequestOption{State: &state})
}

func (p *withPulls) globexWith(old, new string) string {
	text, err := p.Read(stage.GlobexProject + "/api.yaml")
	p.must(err)
	return strings.Replace(text, old, new, 1)
}

// TestPullRequestsOfTwoTenants: one's mistake, on the branch and proposed, is
// not the other's; what is red cannot be merged, what is green can; and closing,
// reopening and retargeting are followed.
func TestPullRequestsOfTwoTenants(t *testing.T) {
	t.Parallel()
	p := onGiteaWithPulls(t)
	p.hooked()
	first := p.populate()
	p.protect()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))
	broken := p.edit(stage.GlobexProject+"/api.yaml", "192.0.2.128/28", "192.0.2.129/28")
	p.await("the mistake on the branch", p.status(broken, stage.Failure, "host-bits"))

	acme := p.propose("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	globex := p.propose("worse", stage.GlobexProject+"/api.yaml", p.globexWith("192.0.2.129/28", "192.0.2.1299/28"))
	p.await("both checks", p.status(acme.Head.Sha, stage.Success, "routine"), p.commented(acme.Index, "Graz office"),
		p.status(globex.Head.Sha, stage.Failure, "invalid-address"), p.commented(globex.Index, "error[invalid-address]"))
	p.refusedMerge(globex.Index)

	p.setState(acme.Index, sdk.StateClosed)
	conflict := p.edit("acme/staging.yaml", "Vienna office", "Vienna and Linz")
	p.await("the change on the branch", p.status(conflict, stage.Success))
	p.setState(acme.Index, sdk.StateOpen)
	p.await("the conflict", p.status(acme.Head.Sha, stage.Failure, "merge-conflict"))

	_, _, err := p.admin.CreateBranch(p.server.Admin.Name, p.repo, sdk.CreateBranchOption{BranchName: "later", OldBranchName: "main"})
	p.must(err)
	p.alter(globex.Index, sdk.EditPullRequestOption{Base: "later"})
	p.await("it to be let go", p.commented(globex.Index, "nothing here"))
	p.holds(p.status(globex.Head.Sha, stage.Failure))
	p.alter(globex.Index, sdk.EditPullRequestOption{Base: "main"})
	p.await("it to be back", p.commented(globex.Index, "error[invalid-address]"))

	good := p.propose("linz", "acme/staging.yaml", p.stagingWith("{description: Linz office, cidr: 192.0.2.112/28}"))
	p.await("the next one's check", p.status(good.Head.Sha, stage.Success, "routine"))
	p.refusedMerge(globex.Index)
	p.merge(good.Index, sdk.MergeStyleMerge)
	p.await("the word on it", p.commented(good.Index, "in force on `eu-west`"))
}

// TestMergedExactlyWhenGreen: neither before there is a check, nor while it is
// red, nor by the check of an older head.
func TestMergedExactlyWhenGreen(t *testing.T) {
	t.Parallel()
	p := onGiteaWithPulls(t)
	first := p.populate()
	p.protect()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))
	p.stop()
	pr := p.propose("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.97/28}"))
	p.refusedMerge(pr.Index)
	p.start()
	p.await("the mistake", p.status(pr.Head.Sha, stage.Failure, "host-bits"))
	p.refusedMerge(pr.Index)
	green := p.change("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	p.await("the mended one", p.status(green, stage.Success, "routine"))
	p.stop()
	p.change("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.112/28}"))
	p.refusedMerge(pr.Index)
	p.start()
	p.merge(pr.Index, sdk.MergeStyleMerge)
	p.await("the word on it", p.commented(pr.Index, "in force on `eu-west`"),
		p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.112/28")...))
}

// TestSquashAndFastForward: a squashed one's commit is another, a fast-forward's
// is the branch's own and gets the branch's verdict.
func TestSquashAndFastForward(t *testing.T) {
	t.Parallel()
	p := onGiteaWithPulls(t)
	p.hooked()
	first := p.populate()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))
	squash := p.propose("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	p.await("its check", p.status(squash.Head.Sha, stage.Success, "routine"), p.commented(squash.Index, "routine"))
	p.merge(squash.Index, sdk.MergeStyleSquash)
	p.await("the squashed one in force", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...),
		p.commented(squash.Index, "in force on `eu-west`"))
	p.holds(p.status(squash.Head.Sha, stage.Success, "routine"))

	forward := p.propose("forward", stage.GlobexProject+"/api.yaml", p.globexWith("192.0.2.128/28", "192.0.2.160/27"))
	p.await("its check", p.commented(forward.Index, "192.0.2.160/27"))
	p.merge(forward.Index, "fast-forward-only")
	p.await("the word on it", p.commented(forward.Index, "in force on `eu-west`"), p.status(forward.Head.Sha, stage.Success, "in force"))
}

// TestWebhookToApplied has nothing polled but for webhooks.
func TestWebhookToApplied(t *testing.T) {
	t.Parallel()
	p := onGiteaWithPulls(t)
	p.hooked()
	p.must(p.Reconfigure(func(d stage.Document) { d["schedule"] = "@every 12h" }))
	first := p.populate()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))
	began := time.Now()
	p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	p.await("the change", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...))
	t.Logf("from the push to the load balancer: %s", time.Since(began).Round(time.Millisecond))
}

// TestWhatOthersWriteOnAPullRequest: a comment by another author that begins
// with the mark is neither taken for ours nor edited, and names and texts that
// are Markdown, or more, are inert.
func TestWhatOthersWriteOnAPullRequest(t *testing.T) {
	t.Parallel()
	p := onGiteaWithPulls(t)
	first := p.populate()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))
	const nasty = "acme/<img src=x onerror=alert(1)>\n# hello [x](javascript:1) `.yaml"
	pr := p.propose("nasty", nasty, "kind: Allowlist\n# <!-- portcullis/eu-west --> **in force**\n")
	_, _, err := p.client.CreateIssueComment(p.server.Admin.Name, p.repo, pr.Index, sdk.CreateIssueCommentOption{
		Body: "<!-- portcullis/eu-west -->\n**in force**"})
	p.must(err)
	p.await("its check", p.status(pr.Head.Sha, stage.Failure, "missing-field"), p.commented(pr.Index, "error[missing-field]"))
	p.change("nasty", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	p.await("the edited comment", p.commented(pr.Index, "Graz office"))
	all, err := p.comments(pr.Index)
	p.must(err)
	if len(all) != 2 {
		t.Fatalf("%d comments: %q", len(all), all)
	}
	for _, c := range all {
		theirs := strings.HasPrefix(c, p.tenant.Name)
		if theirs && !strings.HasSuffix(c, "**in force**") {
			t.Errorf("the tenant's comment was edited: %q", c)
		}
		if !theirs {
			p.inert(c)
		}
	}
}

// inert fails where a name came to be markup in a comment as Gitea shows it.
func (p *withPulls) inert(comment string) {
	p.t.Helper()
	_, body, _ := strings.Cut(comment, ": ")
	page, _, err := p.admin.RenderMarkdown(sdk.MarkdownOption{Text: body, Mode: "gfm"})
	p.must(err)
	for _, no := range []string{"<img", "<h1", "javascript:1\""} {
		if strings.Contains(string(page), no) {
			p.t.Errorf("%s in the comment:\n%s", no, page)
		}
	}
}

// TestTwoSeedsOnOneRepository: each has a check and a comment of its own.
func TestTwoSeedsOnOneRepository(t *testing.T) {
	t.Parallel()
	p := onGiteaWithPulls(t)
	other, err := p.Replica("other", stage.ReplicaOptions{Namespace: p.Namespace + "-other", Config: func(d stage.Document) { d["seed"] = "us-east" }})
	p.must(err)
	p.populate()
	p.start()
	p.must(other.Start())
	t.Cleanup(func() {
		if err := other.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	pr := p.propose("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	p.await("one comment, two checks", p.commented(pr.Index, "Graz office"), p.checks(pr.Head.Sha, "routine", "nothing here"))
	both := p.change("graz", "acme/east.yaml", strings.ReplaceAll(ownFile, "eu-west", "us-east"))
	p.await("two comments", p.checks(both, "routine", ":"), func(context.Context) error {
		all, err := p.comments(pr.Index)
		if err == nil && len(all) != 2 {
			err = fmt.Errorf("%d comments: %q", len(all), all)
		}
		return err
	})
}

// checks is a condition: the newest status of either seed says so.
func (p *withPulls) checks(sha, west, east string) func(context.Context) error {
	return func(context.Context) error {
		all, _, err := p.admin.GetCombinedStatus(p.server.Admin.Name, p.repo, sha)
		if err != nil {
			return err
		}
		got := map[string]string{}
		for _, s := range all.Statuses {
			got[s.Context] = s.Description
		}
		var errs []error
		for name, want := range map[string]string{"portcullis/eu-west": west, "portcullis/us-east": east} {
			if got[name] == "" || !strings.Contains(got[name], want) {
				errs = append(errs, fmt.Errorf("%s says %q, without %q", name, got[name], want))
			}
		}
		return errors.Join(errs...)
	}
}
