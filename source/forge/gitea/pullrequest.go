package gitea

import (
	"context"
	"fmt"
	"net/http"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// perPage is as many as Gitea gives by default at most (MAX_RESPONSE_ITEMS).
const perPage = 50

// OpenPullRequests lists all open ones and keeps those with the target: the
// SDK does not know Gitea's filter, and older versions have none.
func (f *Forge) OpenPullRequests(ctx context.Context, target string) ([]forge.PullRequest, error) {
	all, err := f.pages.All(ctx, "open", perPage, f.page)
	if err != nil {
		return nil, err
	}
	var out []forge.PullRequest
	for _, pr := range all {
		if pr.Target == target {
			out = append(out, pr)
		}
	}
	return forge.ByNumber(out), nil
}

// page asks for the newest first, which is Gitea's order where none is named.
func (f *Forge) page(ctx context.Context, page int) (wire.Page[forge.PullRequest], error) {
	var out wire.Page[forge.PullRequest]
	client, err := f.client(ctx)
	if err != nil {
		return out, err
	}
	list, resp, err := client.ListRepoPullRequests(f.owner, f.name, sdk.ListPullRequestsOptions{
		State: sdk.StateOpen, ListOptions: sdk.ListOptions{Page: page, PageSize: perPage}})
	if resp != nil && resp.StatusCode == http.StatusNotModified {
		return wire.Page[forge.PullRequest]{Resp: resp.Response}, nil
	}
	a := f.answer("list the pull requests of", client, resp, err)
	if f.empty(client, a) {
		return out, fmt.Errorf("%w: %w", a.Failed(), forge.ErrNotYet)
	}
	if err := a.Listed(); err != nil {
		return out, err
	}
	out.Resp, out.Next = resp.Response, resp.NextPage
	for _, pr := range list {
		out.Items = append(out.Items, convert(pr))
	}
	return out, nil
}

// empty tells whether pull requests are not there because Gitea takes the
// repository for empty. A push ends that a moment after Git has it (mustAllowPulls
// of routers/api/v1, and the queue of pushes of services/repository, 1.26).
func (f *Forge) empty(client session, a wire.Answer) bool {
	if a.Resp == nil || a.Resp.StatusCode != http.StatusNotFound {
		return false
	}
	repo, resp, err := client.GetRepo(f.owner, f.name)
	return err == nil && resp.StatusCode == http.StatusOK && repo.Empty
}

// PullRequest asks for one.
func (f *Forge) PullRequest(ctx context.Context, number int) (forge.PullRequest, error) {
	client, err := f.client(ctx)
	if err != nil {
		return forge.PullRequest{}, err
	}
	pr, resp, err := client.GetPullRequest(f.owner, f.name, int64(number))
	doing := fmt.Sprintf("ask for pull request %d of", number)
	if err := f.answer(doing, client, resp, err).Want(http.StatusOK, http.StatusNotFound); err != nil {
		return forge.PullRequest{}, err
	}
	return convert(pr), nil
}

func convert(pr *sdk.PullRequest) forge.PullRequest {
	out := forge.PullRequest{Number: int(pr.Index), State: forge.PullRequestState(pr.State), URL: pr.HTMLURL}
	if pr.HasMerged {
		out.State = forge.PullRequestMerged
		if pr.MergedCommitID != nil {
			out.MergeCommit = *pr.MergedCommitID
		}
	}
	if pr.Poster != nil {
		out.Author = pr.Poster.UserName
	}
	if pr.Base != nil {
		out.Target = pr.Base.Name
	}
	if pr.Head != nil {
		out.Head, out.HeadBranch = pr.Head.Sha, pr.Head.Name
		if pr.Head.Repository != nil {
			out.HeadRepository = pr.Head.Repository.FullName
		}
	}
	out.Fork = pr.Base == nil || pr.Head == nil || pr.Head.RepoID != pr.Base.RepoID
	return out
}
