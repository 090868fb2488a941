package docs

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"time"

	"code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// owned is a repository on Gitea with the guide's CODEOWNERS and rule.
type owned struct {
	t       *testing.T
	owner   string
	clients map[string]*gitea.Client
}

const repository = "allowlists"

// TestOwnersKeepTenantsApart does with Gitea what the reviewers' guide says: one
// tenant's proposal for another's folder waits for that one's admin.
func TestOwnersKeepTenantsApart(t *testing.T) {
	t.Parallel()
	o := ownedRepository(t)
	foreign := o.propose("acme-admin", "foreign", "tenants/k4d9x2m7pq/api.yaml")
	o.approve("reviewer", foreign)
	o.merges(foreign, false)
	o.approve("globex-admin", foreign)
	o.merges(foreign, true)

	own := o.propose("acme-admin", "own", "tenants/acme/shop.yaml")
	o.merges(own, false)
	o.approve("reviewer", own)
	o.merges(own, true)

	o.merges(o.propose("acme-admin", "owners", "CODEOWNERS"), false)
}

func ownedRepository(t *testing.T) *owned {
	t.Helper()
	server := servers.GiteaFor(t)
	o := &owned{t: t, owner: server.Admin.Name, clients: map[string]*gitea.Client{}}
	o.must(server.CreateRepo(t.Context(), o.owner, repository))
	o.login(server, "admin", server.Admin)
	for _, name := range []string{"acme-admin", "globex-admin", "reviewer"} {
		user, err := server.CreateUser(t.Context(), name)
		o.must(err)
		o.must(server.AddCollaborator(t.Context(), o.owner, repository, user, gitea.AccessModeWrite))
		o.login(server, name, user)
	}
	for _, b := range onePage(t, "docs/reviewer.md").Blocks {
		if b.Options["file"] == "CODEOWNERS" {
			o.write("admin", "CODEOWNERS", b.Text(), gitea.FileOptions{BranchName: "main"})
		}
	}
	_, _, err := o.clients["admin"].CreateBranchProtection(o.owner, repository, gitea.CreateBranchProtectionOption{
		BranchName: "main", RuleName: "main", RequiredApprovals: 1, DismissStaleApprovals: true,
		BlockOnOfficialReviewRequests: true, BlockAdminMergeOverride: true})
	o.must(err)
	return o
}

func (o *owned) login(server *servers.Gitea, name string, user servers.GiteaUser) {
	o.t.Helper()
	client, err := server.Client(o.t.Context(), user)
	o.must(err)
	o.clients[name] = client
}

func (o *owned) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// write makes a file, or another text of it.
func (o *owned) write(who, path, text string, options gitea.FileOptions) {
	o.t.Helper()
	content := base64.StdEncoding.EncodeToString([]byte(text))
	there, _, err := o.clients[who].GetContents(o.owner, repository, "main", path)
	if err == nil {
		_, _, err = o.clients[who].UpdateFile(o.owner, repository, path,
			gitea.UpdateFileOptions{FileOptions: options, SHA: there.SHA, Content: content})
	} else {
		_, _, err = o.clients[who].CreateFile(o.owner, repository, path, gitea.CreateFileOptions{FileOptions: options, Content: content})
	}
	o.must(err)
}

// propose opens a pull request that changes one file.
func (o *owned) propose(who, branch, path string) int64 {
	o.t.Helper()
	o.write(who, path, "# "+branch+"\n", gitea.FileOptions{BranchName: "main", NewBranchName: branch})
	pr, _, err := o.clients[who].CreatePullRequest(o.owner, repository, gitea.CreatePullRequestOption{Head: branch, Base: "main", Title: branch})
	o.must(err)
	return pr.Index
}

func (o *owned) approve(who string, number int64) {
	o.t.Helper()
	_, _, err := o.clients[who].CreatePullReview(o.owner, repository, number, gitea.CreatePullReviewOptions{State: gitea.ReviewStateApproved})
	o.must(err)
}

// merges tries a merge as the administrator. Gitea finds out in the background
// whether it can be merged at all: that is waited for first.
func (o *owned) merges(number int64, want bool) {
	o.t.Helper()
	o.must(stage.Await(o.t.Context(), "the pull request to be looked at", time.Minute, func(context.Context) error {
		pr, _, err := o.clients["admin"].GetPullRequest(o.owner, repository, number)
		if err == nil && !pr.Mergeable {
			err = errors.New("it is not mergeable yet")
		}
		return err
	}))
	done, answer, err := o.clients["admin"].MergePullRequest(o.owner, repository, number, gitea.MergePullRequestOption{Style: gitea.MergeStyleMerge})
	if merged := done && err == nil; merged != want {
		o.t.Errorf("pull request %d merged: %v, want %v: %v", number, merged, want, fmt.Sprint(answer.Status, " ", err))
	}
}
