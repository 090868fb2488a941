package github

import (
	"context"
	"fmt"
	"net/http"

	sdk "github.com/google/go-github/v92/github"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// perPage is as many as GitHub gives at most.
const perPage = 100

// OpenPullRequests asks for those with the target, the newest first. A page
// that did not change costs nothing of GitHub's limit.
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
	list, resp, err := client.PullRequests.List(ctx, f.owner, f.name, &sdk.PullRequestListOptions{
		State: "open", Base: target, Sort: "created", Direction: "desc",
		ListOptions: sdk.ListOptions{Page: page, PerPage: perPage}})
	if resp != nil && resp.StatusCode == http.StatusNotModified {
		return wire.Page[forge.PullRequest]{Resp: resp.Response}, nil
	}
	if err := f.answer("list the pull requests of", client, resp, err).Listed(); err != nil {
		return out, err
	}
	out.Resp, out.Next = resp.Response, resp.NextPage
	for _, pr := range list {
		out.Items = append(out.Items, convert(pr))
	}
	return out, nil
}

// PullRequest asks for one.
func (f *Forge) PullRequest(ctx context.Context, number int) (forge.PullRequest, error) {
	client, err := f.client(ctx)
	if err != nil {
		return forge.PullRequest{}, err
	}
	pr, resp, err := client.PullRequests.Get(ctx, f.owner, f.name, number)
	doing := fmt.Sprintf("ask for pull request %d of", number)
	if err := f.answer(doing, client, resp, err).Want(http.StatusOK, http.StatusNotFound); err != nil {
		return forge.PullRequest{}, err
	}
	return convert(pr), nil
}

func convert(pr *sdk.PullRequest) forge.PullRequest {
	head, base := pr.GetHead(), pr.GetBase()
	out := forge.PullRequest{Number: pr.GetNumber(), State: forge.PullRequestState(pr.GetState()),
		Head: head.GetSHA(), HeadBranch: head.GetRef(), HeadRepository: head.GetRepo().GetFullName(),
		Fork:   head.GetRepo().GetID() != base.GetRepo().GetID(),
		Target: base.GetRef(), Author: pr.GetUser().GetLogin(), URL: pr.GetHTMLURL()}
	if !pr.GetMergedAt().IsZero() { // before, the commit is one that tries the merge
		out.State, out.MergeCommit = forge.PullRequestMerged, pr.GetMergeCommitSHA()
	}
	return out
}
