package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

const (
	// suffix tells the second act's clusters from the first's on the same seed.
	suffix     = "pr2"
	repository = "allowlists"
	branch     = "graz"
	// patience is how long a condition may take to come true.
	patience = time.Minute
)

// review is the second act: a change on its way from a tenant's fork to the
// load balancer, as its reviewer sees it on a Gitea.
type review struct {
	*stage.Stage
	server        *servers.Gitea
	robot, tenant servers.GiteaUser
	admin, client *sdk.Client // client is the tenant's
	pull          *sdk.PullRequest
}

// reviewOn plays the second act where Gitea is built, and says so where not.
func reviewOn(ctx context.Context, out *printer, seed *stage.Seed, o stage.Options) (err error) {
	out.heading("Second act: a pull request on Gitea")
	if _, err := servers.Find("gitea"); errors.Is(err, servers.ErrMissing) {
		out.Say("left out: %v", err)
		return nil
	}
	out.Say("Gitea starts, with a repository, an account for portcullis and one for a tenant")
	server, err := servers.StartGitea(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	r := &review{server: server}
	if err := r.set(ctx, seed, o); err != nil {
		return errors.Join(err, r.end())
	}
	defer func() { err = errors.Join(err, r.end()) }()
	return play(ctx, out, r.Stage, r.steps())
}

func (r *review) end() error {
	if r.Stage == nil {
		return nil
	}
	return end(r.Stage)
}

// set makes the accounts, the repository, and a stage whose Config names it.
func (r *review) set(ctx context.Context, seed *stage.Seed, o stage.Options) (err error) {
	owner := r.server.Admin.Name
	if r.robot, err = r.server.CreateUser(ctx, "portcullis"); err != nil {
		return err
	}
	if r.tenant, err = r.server.CreateUser(ctx, "anna-of-acme"); err != nil {
		return err
	}
	err = errors.Join(r.server.CreateRepo(ctx, owner, repository),
		r.server.AddCollaborator(ctx, owner, repository, r.robot, sdk.AccessModeWrite),
		r.server.AddCollaborator(ctx, owner, repository, r.tenant, sdk.AccessModeRead))
	if err != nil {
		return err
	}
	if r.admin, err = r.server.Client(ctx, r.server.Admin); err != nil {
		return err
	}
	if r.client, err = r.server.Client(ctx, r.tenant); err != nil {
		return err
	}
	o.Dir, o.Suffix = filepath.Join(o.Dir, "review"), suffix
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return err
	}
	o.Host = &stage.Host{URL: r.server.RepoURL(owner, repository), CloneURL: r.server.CloneURL(r.server.Admin, owner, repository), Token: r.robot.Token}
	o.Config = func(d stage.Document) {
		credentials, _ := d.Source()["credentials"].(map[string]any)
		d.Source()["checks"] = map[string]any{"forge": "gitea", "url": r.server.URL, "repository": owner + "/" + repository,
			"tokenFile": credentials["tokenFile"], "pullRequests": true}
	}
	r.Stage, err = stage.New(ctx, seed, o)
	return err
}

func (r *review) steps() []stage.Step {
	return []stage.Step{
		{Title: "The lists are on Gitea, and in force", Play: r.begin},
		{Title: "A tenant proposes a change from a fork, with a mistake", Play: r.propose},
		{Title: "The tenant mends it, and a reviewer reads what it means", Play: r.mend},
		{Title: "It is merged, and the comment says once it is in force", Play: r.merge},
	}
}

func (r *review) begin(ctx context.Context, out stage.Teller) error {
	if _, err := r.Populate(ctx); err != nil {
		return err
	}
	if err := r.Run.Start(); err != nil {
		return err
	}
	out.Say("pushed to %s", r.server.RepoURL(r.server.Admin.Name, repository))
	if err := r.Await(ctx, "the lists in force", patience, r.InForce(stage.ShopStaging, stage.StagingList()...)); err != nil {
		return err
	}
	if err := r.Await(ctx, "the push", patience, func(ctx context.Context) error { return r.server.Pushed(ctx, r.server.Admin.Name, repository) }); err != nil {
		return err
	}
	return r.Await(ctx, "the fork", patience, func(context.Context) error {
		_, _, err := r.client.CreateFork(r.server.Admin.Name, repository, sdk.CreateForkOption{})
		return err
	})
}

const (
	wrong = "198.51.100.200/28"
	right = "198.51.100.192/28"
)

func (r *review) propose(ctx context.Context, out stage.Teller) error {
	if err := r.Await(ctx, "the change in the fork", patience, func(context.Context) error { return r.edit("", wrong) }); err != nil {
		return err
	}
	out.Say("%s adds %s to tenants/acme/staging.yaml in a fork, and opens a pull request", r.tenant.Name, wrong)
	err := r.Await(ctx, "the pull request", patience, func(context.Context) (err error) {
		r.pull, _, err = r.client.CreatePullRequest(r.server.Admin.Name, repository, sdk.CreatePullRequestOption{
			Head: r.tenant.Name + ":" + branch, Base: "main", Title: "Let the Graz office in"})
		return err
	})
	if err != nil {
		return err
	}
	return r.read(ctx, out, stage.Failure, "host-bits", "error[host-bits]")
}

func (r *review) mend(ctx context.Context, out stage.Teller) error {
	if err := r.edit(wrong, right); err != nil {
		return err
	}
	out.Say("%s makes it %s", r.tenant.Name, right)
	return r.read(ctx, out, stage.Success, "routine", "**routine**", "Graz office", right)
}

func (r *review) merge(ctx context.Context, out stage.Teller) error {
	err := r.Await(ctx, "the merge", patience, func(context.Context) error {
		done, _, err := r.admin.MergePullRequest(r.server.Admin.Name, repository, r.pull.Index, sdk.MergePullRequestOption{Style: sdk.MergeStyleMerge})
		if err == nil && !done {
			err = errors.New("not merged")
		}
		return err
	})
	if err != nil {
		return err
	}
	out.Say("merged")
	if err := r.Await(ctx, "the list in force", patience, r.InForce(stage.ShopStaging, append(stage.StagingList(), right)...)); err != nil {
		return err
	}
	if err := r.Await(ctx, "the word on it", patience, r.commented("**in force on `eu-west`**")); err != nil {
		return err
	}
	return r.showComment(out)
}

// edit puts the entry into the file on the fork's branch, in the place of one
// that is there, as with Gitea's editor.
func (r *review) edit(old, entry string) error {
	path, from, to := "tenants/"+r.Own("acme/staging.yaml"), "main", branch
	if old != "" {
		from, to = branch, ""
	}
	file, _, err := r.client.GetContents(r.tenant.Name, repository, from, path)
	if err != nil {
		return fmt.Errorf("read %s of the fork: %w", path, err)
	}
	text, err := base64.StdEncoding.DecodeString(*file.Content)
	if err != nil {
		return fmt.Errorf("read %s of the fork: %w", path, err)
	}
	changed := string(text) + "    - {description: Graz office, cidr: " + entry + "}\n"
	if old != "" {
		changed = strings.Replace(string(text), old, entry, 1)
	}
	_, _, err = r.client.UpdateFile(r.tenant.Name, repository, path, sdk.UpdateFileOptions{SHA: file.SHA,
		Content:     base64.StdEncoding.EncodeToString([]byte(changed)),
		FileOptions: sdk.FileOptions{Message: "Let the Graz office in", BranchName: from, NewBranchName: to}})
	if err != nil {
		return fmt.Errorf("change %s of the fork: %w", path, err)
	}
	return nil
}

// read waits until the head's status and the one comment are as wanted, and
// shows both as they are read on Gitea's page.
func (r *review) read(ctx context.Context, out stage.Teller, state, title string, words ...string) error {
	var status *sdk.Status
	err := r.Await(ctx, "the check", patience, func(context.Context) (err error) {
		status, err = r.status(state, title)
		return err
	})
	if err != nil {
		return err
	}
	if err := r.Await(ctx, "the comment", patience, r.commented(words...)); err != nil {
		return err
	}
	out.Show("the status of the pull request's head:", fmt.Sprintf("%s %s: %s\n", status.Context, status.State, status.Description))
	return r.showComment(out)
}

// status is the newest of the pull request's head.
func (r *review) status(state, word string) (*sdk.Status, error) {
	pull, _, err := r.client.GetPullRequest(r.server.Admin.Name, repository, r.pull.Index)
	if err != nil {
		return nil, err
	}
	all, _, err := r.client.ListStatuses(r.server.Admin.Name, repository, pull.Head.Sha, sdk.ListStatusesOption{})
	if err != nil {
		return nil, err
	}
	var newest *sdk.Status
	for _, s := range all {
		if newest == nil || s.ID > newest.ID {
			newest = s
		}
	}
	if newest == nil || string(newest.State) != state || !strings.Contains(newest.Description, word) {
		return nil, fmt.Errorf("the status of %s is %+v", pull.Head.Sha, newest)
	}
	return newest, nil
}

// comment is the one on the pull request; more than one is an error.
func (r *review) comment() (string, error) {
	all, _, err := r.client.ListIssueComments(r.server.Admin.Name, repository, r.pull.Index, sdk.ListIssueCommentOptions{})
	if err != nil {
		return "", err
	}
	if len(all) != 1 || all[0].Poster.UserName != r.robot.Name {
		return "", fmt.Errorf("%d comments, want the one of %s", len(all), r.robot.Name)
	}
	_, text, _ := strings.Cut(all[0].Body, "-->\n") // the mark, which nobody sees
	return text, nil
}

func (r *review) commented(words ...string) func(context.Context) error {
	return func(context.Context) error {
		text, err := r.comment()
		for _, w := range words {
			if err == nil && !strings.Contains(text, r.Own(w)) {
				err = fmt.Errorf("the comment does not say %q:\n%s", w, text)
			}
		}
		return err
	}
}

func (r *review) showComment(out stage.Teller) error {
	text, err := r.comment()
	if err != nil {
		return err
	}
	out.Show("the comment of "+r.robot.Name+":", text)
	return nil
}
