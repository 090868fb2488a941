package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestPullRequestsThatMeanHarm: each gets a check and a comment that is bounded
// and inert, and a pull request of another tenant, opened after all of them, is
// green and merged as ever.
func TestPullRequestsThatMeanHarm(t *testing.T) {
	t.Parallel()
	p := onGiteaWithPulls(t)
	first := p.populate()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))
	folder := "tenants/" + p.Own(stage.GlobexProject)
	const markup = "<img src=x onerror=alert(1)>\n# hello [x](javascript:1) `.yaml"

	odd := p.imported("odd", func(w *bytes.Buffer) {
		fmt.Fprintf(w, "M 120000 inline %s/link.yaml\n%s", folder, data("/etc/passwd"))
		fmt.Fprintf(w, "M 120000 inline %s/out\n%s", folder, data("../acme"))
		fmt.Fprintf(w, "M 160000 %s %s/module.yaml\n", first, folder)
		fmt.Fprintf(w, "M 100644 inline %s\n%s", quoted(folder+"/"+markup), data("kind: Allowlist\n# <!-- portcullis/eu-west -->\n"))
	})
	large := p.imported("large", func(w *bytes.Buffer) {
		blob := make([]byte, 52<<20) // of noise, so that it takes as much on the way
		_, _ = rand.Read(blob)
		fmt.Fprintf(w, "M 100644 inline %s/blob.yaml\n%s", folder, data(string(blob)))
	})
	many := p.imported("many", func(w *bytes.Buffer) {
		for i := range 100_000 {
			fmt.Fprintf(w, "M 100644 :2 %s/f/%d.yaml\n", folder, i)
		}
	})
	innocent := p.propose("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	p.await("the innocent one's check", p.status(innocent.Head.Sha, stage.Success, "routine"), p.commented(innocent.Index, "Graz office"))
	p.await("the others' checks", p.status(odd.Head.Sha, stage.Failure), p.commented(odd.Index, "error[not-a-file]", "error[missing-field]"),
		p.status(large.Head.Sha, stage.Failure, "not judged: too large"), p.commented(large.Index, "not judged"),
		p.status(many.Head.Sha, stage.Failure), p.commented(many.Index, "error["))
	for _, pr := range []*sdk.PullRequest{odd, large, many} {
		p.harmless(pr.Index)
	}
	p.merge(innocent.Index, sdk.MergeStyleMerge)
	p.await("the innocent one in force", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...),
		p.commented(innocent.Index, "in force on `eu-west`"), p.InForce(stage.Billing, stage.BillingList()...))
}

// harmless fails where a comment of ours is large, or does more than be read.
func (p *withPulls) harmless(number int64) {
	p.t.Helper()
	all, err := p.comments(number)
	p.must(err)
	for _, c := range all {
		if strings.HasPrefix(c, p.tenant.Name+": ") {
			if !strings.HasSuffix(c, "**in force**") {
				p.t.Errorf("the tenant's comment was edited: %.300q", c)
			}
			continue
		}
		if len(c) > 300_000 {
			p.t.Errorf("a comment of %d bytes", len(c))
		}
		if strings.Contains(c, "root:") {
			p.t.Errorf("the comment tells what is outside of the repository: %.300s", c)
		}
		p.inert(c)
	}
}

func data(text string) string { return fmt.Sprintf("data %d\n%s\n", len(text), text) }

// quoted is a path as git fast-import reads it.
func quoted(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}

// imported opens a pull request from the tenant's fork with a commit that Git's
// plumbing makes, for what no work tree should hold: files writes them in the
// words of git fast-import, where :2 is a small file that is there. Title and
// text forge our mark, and so does a comment.
func (p *withPulls) imported(branch string, files func(*bytes.Buffer)) *sdk.PullRequest {
	p.t.Helper()
	const forged = "<!-- portcullis/eu-west -->\n**in force**"
	if _, _, err := p.client.GetRepo(p.tenant.Name, p.repo); err != nil {
		p.fork()
	}
	dir := filepath.Join(p.t.TempDir(), "bare")
	p.must(os.MkdirAll(dir, 0o755))
	_, err := p.git(dir, "init", "-q", "--bare")
	p.must(err)
	_, err = p.git(dir, "fetch", "-q", p.server.CloneURL(p.tenant, p.server.Admin.Name, p.repo), "main:main")
	p.must(err)
	var in bytes.Buffer
	fmt.Fprintf(&in, "blob\nmark :2\n%s", data("kind: Allowlist\n"))
	fmt.Fprintf(&in, "commit refs/heads/%s\ncommitter Tenant <tenant@example.com> 1700000000 +0000\n%sfrom refs/heads/main\n", branch, data("Mean harm"))
	files(&in)
	cmd := exec.CommandContext(p.t.Context(), "git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = dir, &in
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("git fast-import: %v: %s", err, out)
	}
	var pr *sdk.PullRequest
	p.await("the pull request", func(context.Context) error {
		if _, err := p.git(dir, "push", "-q", p.server.CloneURL(p.tenant, p.tenant.Name, p.repo), branch); err != nil {
			return err
		}
		var err error
		pr, _, err = p.client.CreatePullRequest(p.server.Admin.Name, p.repo, sdk.CreatePullRequestOption{
			Head: p.tenant.Name + ":" + branch, Base: "main", Title: "<!-- portcullis/eu-west --> **routine**", Body: forged})
		return err
	})
	_, _, err = p.client.CreateIssueComment(p.server.Admin.Name, p.repo, pr.Index, sdk.CreateIssueCommentOption{Body: forged})
	p.must(err)
	return pr
}
