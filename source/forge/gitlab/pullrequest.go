package gitlab

import (
	"context"
	"fmt"
	"net/http"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// perPage is as many as GitLab gives at most.
const perPage = 100

// OpenPullRequests asks for the merge requests with the target, the newest
// first.
func (f *Forge) OpenPullRequests(ctx context.Context, target string) ([]forge.PullRequest, error) {
	all, err := f.pages.All(ctx, target, perPage, func(ctx context.Context, page int) (wire.Page[forge.PullRequest], error) {
		return f.page(ctx, target, page)
	})
	if err != nil {
		return nil, err
	}
	return forge.ByNumber(all), nil
}

func (f *Forge) page(ctx context.Context, target string, page int) (wire.Page[forge.PullRequest], error) {
	var out wire.Page[forge.PullRequest]
	client, err := f.client(ctx)
	if err != nil {
		return out, err
	}
	list, resp, err := client.MergeRequests.ListProjectMergeRequests(f.project, &sdk.ListProjectMergeRequestsOptions{
		State: new("opened"), TargetBranch: new(target), OrderBy: new("created_at"), Sort: new("desc"),
		ListOptions: sdk.ListOptions{Page: int64(page), PerPage: perPage}})
	if resp != nil && resp.StatusCode == http.StatusNotModified {
		return wire.Page[forge.PullRequest]{Resp: resp.Response}, nil
	}
	if err := f.answer("list the merge requests of", client, resp, err).Listed(); err != nil {
		return out, err
	}
	out.Resp, out.Next = resp.Response, int(resp.NextPage)
	for _, mr := range list {
		out.Items = append(out.Items, f.convert(mr))
	}
	return out, nil
}

// PullRequest asks for one merge request.
func (f *Forge) PullRequest(ctx context.Context, number int) (forge.PullRequest, error) {
	client, err := f.client(ctx)
	if err != nil {
		return forge.PullRequest{}, err
	}
	mr, resp, err := client.MergeRequests.GetMergeRequest(f.project, int64(number), nil)
	doing := fmt.Sprintf("ask for merge request %d of", number)
	if err := f.answer(doing, client, resp, err).Want(http.StatusOK, http.StatusNotFound); err != nil {
		return forge.PullRequest{}, err
	}
	return f.convert(&mr.BasicMergeRequest), nil
}

func (f *Forge) convert(mr *sdk.BasicMergeRequest) forge.PullRequest {
	out := forge.PullRequest{Number: int(mr.IID), State: forge.PullRequestOpen, Head: mr.SHA, HeadBranch: mr.SourceBranch,
		HeadRepository: f.project, Fork: mr.SourceProjectID != mr.TargetProjectID, Target: mr.TargetBranch, URL: mr.WebURL}
	if mr.Author != nil {
		out.Author = mr.Author.Username
	}
	switch {
	case mr.SourceProjectID == 0:
		out.HeadRepository = ""
	case out.Fork:
		out.HeadRepository = fmt.Sprintf("#%d", mr.SourceProjectID)
	}
	switch mr.State { // "locked", which a merge under way is for a moment, is open
	case "closed":
		out.State = forge.PullRequestClosed
	case "merged":
		out.State, out.MergeCommit = forge.PullRequestMerged, mergeCommit(mr)
	}
	return out
}

// mergeCommit is the commit that is on the target. A fast-forward makes none
// of its own.
func mergeCommit(mr *sdk.BasicMergeRequest) string {
	for _, sha := range []string{mr.MergeCommitSHA, mr.SquashCommitSHA} {
		if sha != "" {
			return sha
		}
	}
	return mr.SHA
}
