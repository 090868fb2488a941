package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// withPulls is a stage on Gitea whose pull requests are judged, with a tenant
// who has a fork of the repository.
type withPulls struct {
	*hosted
	tenant        servers.GiteaUser
	client, admin *sdk.Client // the tenant's, the administrator's
	hooks         string      // address that takes webhooks
}

func onGiteaWithPulls(t *testing.T) *withPulls {
	t.Helper()
	return onGiteaWithPullsBy(t, direct)
}

// onGiteaWithPullsBy has Git and API reached at the URL that by answers.
func onGiteaWithPullsBy(t *testing.T, by func(server string) (git, api string)) *withPulls {
	t.Helper()
	h := onGitea(t, by)
	h.must(h.Reconfigure(func(d stage.Document) {
		checks, _ := d.Source()["checks"].(map[string]any)
		checks["pullRequests"] = true
	}))
	tenant, err := h.server.CreateUser(t.Context(), "tenant-"+suffix())
	h.must(err)
	h.must(h.server.AddCollaborator(t.Context(), h.server.Admin.Name, h.repo, tenant, sdk.AccessModeRead))
	client, err := h.server.Client(t.Context(), tenant)
	h.must(err)
	admin, err := h.server.Client(t.Context(), h.server.Admin)
	h.must(err)
	return &withPulls{h, tenant, client, admin, ""}
}

// populate pushes the first commit, and waits until Gitea, which learns of it in
// the background, has pull requests of what was an empty repository.
func (p *withPulls) populate() string {
	p.t.Helper()
	sha := p.hosted.populate()
	p.onForge("the pull requests to be there", func(context.Context) error {
		_, _, err := p.client.ListRepoPullRequests(p.server.Admin.Name, p.repo, sdk.ListPullRequestsOptions{})
		return err
	})
	return sha
}

// hooked has Gitea tell the reconciler of pushes and pull requests.
func (p *withPulls) hooked() {
	p.t.Helper()
	const secret = "secret-of-the-webhooks"
	file := filepath.Join(p.t.TempDir(), "hook")
	p.must(os.WriteFile(file, []byte(secret+"\n"), 0o600))
	p.must(p.Reconfigure(func(d stage.Document) {
		checks, _ := d.Source()["checks"].(map[string]any)
		checks["webhookSecretFile"] = file
	}))
	p.hooks = freeAddress(p.t)
	p.Run.Args = append(p.Run.Args, "--webhook-address", p.hooks)
	_, _, err := p.admin.CreateRepoHook(p.server.Admin.Name, p.repo, sdk.CreateHookOption{Type: sdk.HookTypeGitea, Active: true,
		Events: []string{"push", "pull_request", "pull_request_sync"},
		Config: map[string]string{"url": "http://" + p.hooks + "/hooks/customers", "content_type": "json", "secret": secret}})
	p.must(err)
}

// propose changes a file on a new branch of the tenant's fork, and opens a pull
// request. An empty text removes the file.
func (p *withPulls) propose(branch, path, text string) *sdk.PullRequest {
	p.t.Helper()
	if _, _, err := p.client.GetRepo(p.tenant.Name, p.repo); err != nil {
		p.fork()
	}
	p.change(branch, path, text)
	var pr *sdk.PullRequest
	p.onForge("the pull request", func(context.Context) (err error) { // Gitea learns of branches in the background
		pr, _, err = p.client.CreatePullRequest(p.server.Admin.Name, p.repo, sdk.CreatePullRequestOption{
			Head: p.tenant.Name + ":" + branch, Base: "main", Title: "Change " + path})
		return err
	})
	return pr
}

// fork makes the tenant's fork, once Gitea knows of the first push.
func (p *withPulls) fork() {
	p.t.Helper()
	p.onForge("the push", func(ctx context.Context) error { return p.server.Pushed(ctx, p.server.Admin.Name, p.repo) })
	_, _, err := p.client.CreateFork(p.server.Admin.Name, p.repo, sdk.CreateForkOption{})
	p.must(err)
}

// onForge awaits what the forge does by itself, whether the reconciler runs or
// not.
func (p *withPulls) onForge(what string, condition func(context.Context) error) {
	p.t.Helper()
	p.must(stage.Await(p.ctx, what, patience, condition))
}

// change writes a file on a branch of the tenant's fork, made from main where
// it is not there, and answers the commit. An empty text removes the file.
func (p *withPulls) change(branch, path, text string) string {
	p.t.Helper()
	dir := filepath.Join(p.t.TempDir(), "fork")
	p.onForge("the fork", func(context.Context) error { // which is made in the background
		_, err := p.git("", "clone", "-q", p.server.CloneURL(p.tenant, p.tenant.Name, p.repo), dir)
		return err
	})
	if _, err := p.git(dir, "checkout", "-q", branch); err != nil {
		_, err = p.git(dir, "fetch", "-q", p.server.CloneURL(p.tenant, p.server.Admin.Name, p.repo), "main")
		p.must(err)
		_, err = p.git(dir, "checkout", "-q", "-b", branch, "FETCH_HEAD")
		p.must(err)
	}
	file := filepath.Join(dir, "tenants", p.Own(path))
	p.must(os.MkdirAll(filepath.Dir(file), 0o755))
	if text == "" {
		p.must(os.Remove(file))
	} else {
		p.must(os.WriteFile(file, []byte(p.Own(text)), 0o600))
	}
	for _, args := range [][]string{{"add", "-A"}, {"commit", "-q", "-m", "Change " + path}, {"push", "-q", "origin", branch}} {
		_, err := p.git(dir, args...)
		p.must(err)
	}
	sha, err := p.git(dir, "rev-parse", "HEAD")
	p.must(err)
	return strings.TrimSpace(sha)
}

func (p *withPulls) git(dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(p.t.Context(), "git", append([]string{"-c", "user.name=Tenant", "-c", "user.email=tenant@example.com"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return string(out), err
}

// comments are those of a pull request, the oldest first, as author: text.
func (p *withPulls) comments(number int64) ([]string, error) {
	list, _, err := p.admin.ListIssueComments(p.server.Admin.Name, p.repo, number, sdk.ListIssueCommentOptions{})
	var out []string
	for _, c := range list {
		out = append(out, c.Poster.UserName+": "+c.Body)
	}
	return out, err
}

// commented is a condition: there is one comment, the tenant's own aside, and
// it holds each word.
func (p *withPulls) commented(number int64, words ...string) func(context.Context) error {
	return func(context.Context) error {
		all, err := p.comments(number)
		all = slices.DeleteFunc(all, func(c string) bool { return strings.HasPrefix(c, p.tenant.Name+": ") })
		switch {
		case err != nil:
			return err
		case len(all) != 1:
			return fmt.Errorf("%d comments: %q", len(all), all)
		case !strings.HasPrefix(all[0], "robot-"):
			return fmt.Errorf("a comment by another: %q", all[0])
		}
		for _, w := range words {
			if !strings.Contains(all[0], p.Own(w)) {
				return fmt.Errorf("the comment does not say %q:\n%s", w, all[0])
			}
		}
		return nil
	}
}

func (p *withPulls) merge(number int64, style sdk.MergeStyle) {
	p.t.Helper()
	p.await("the merge", func(context.Context) error {
		done, _, err := p.admin.MergePullRequest(p.server.Admin.Name, p.repo, number, sdk.MergePullRequestOption{Style: style})
		if err == nil && !done {
			err = errors.New("not merged")
		}
		return err
	})
}

func (p *withPulls) stagingWith(entry string) string {
	text, err := p.Read("acme/staging.yaml")
	p.must(err)
	return text + "    - " + entry + "\n"
}

// TestPullRequestFromOpenToInForce: a tenant's fork brings a mistake, mends it,
// and has it merged.
func TestPullRequestFromOpenToInForce(t *testing.T) {
	t.Parallel()
	p := onGiteaWithPulls(t)
	first := p.populate()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))

	pr := p.propose("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.97/28}"))
	p.await("the mistake to be found", p.status(pr.Head.Sha, stage.Failure, "host-bits"), p.commented(pr.Index, "error[host-bits]", "192.0.2.96/28"))
	mended := p.change("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	p.await("the mended one", p.status(mended, stage.Success, "routine: 2 clusters gaining access"),
		p.commented(pr.Index, "**routine**", "Graz office", "192.0.2.96/28"))

	p.merge(pr.Index, sdk.MergeStyleMerge)
	p.await("the list in force", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...))
	p.await("the word on it", p.commented(pr.Index, "**in force on `eu-west`**", "2 lists in force"))
}

// TestSeedsWordOnAPullRequest: what the policy forbids by now, and what KKP would
// not take, turns a check red, and green again once it is otherwise, though
// neither the pull request nor the branch moves.
func TestSeedsWordOnAPullRequest(t *testing.T) {
	t.Parallel()
	p := onGiteaWithPulls(t)
	first := p.populate()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))
	pr := p.propose("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	p.await("its check", p.status(pr.Head.Sha, stage.Success, "routine"), p.commented(pr.Index, "**routine**"))

	policy, err := p.ReadPolicy()
	p.must(err)
	limits, _ := policy["limits"].(map[string]any)
	before, _ := limits["forbidden"].([]any)
	limits["forbidden"] = append(slices.Clone(before), map[string]any{"cidr": "192.0.2.96/27", "description": "transfer net"})
	p.must(p.WritePolicy(policy))
	p.await("what the policy says of it", p.status(pr.Head.Sha, stage.Failure, "forbidden-range"), p.commented(pr.Index, "error[forbidden-range]", "transfer net"))
	limits["forbidden"] = before
	p.must(p.WritePolicy(policy))
	p.await("what the policy says by now", p.status(pr.Head.Sha, stage.Success, "routine"), p.commented(pr.Index, "**routine**"))

	lift := p.refuse(stage.ShopDev)
	head := p.change("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.112/28}"))
	p.await("what KKP says of it", p.status(head, stage.Failure, "refused-by-kkp"), p.commented(pr.Index, refusal))
	lift()
	p.must(kkp.Update(p.ctx, p.Seed.Client, p.Own(stage.ShopDev), kkp.WithDatacenter("dc-2")))
	p.await("what KKP says by now", p.status(head, stage.Success, "routine"), p.commented(pr.Index, "**routine**"))
}
