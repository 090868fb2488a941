package gitlab

import (
	"cmp"
	"context"
	"fmt"
	"unicode/utf8"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// Post sends each check in order.
func (f *Forge) Post(ctx context.Context, checks []forge.Check) []error {
	client, err := f.client(ctx)
	return forge.InOrder(checks, err, func(c forge.Check) (err, outage error) {
		return f.postOne(ctx, client, c)
	})
}

// postOne answers what became of the check, and in outage the same error where
// others would fare no better.
func (f *Forge) postOne(ctx context.Context, client session, c forge.Check) (err, outage error) {
	state, ok := states[c.State]
	if !ok {
		return fmt.Errorf("post a status to %s: state %q: %w", f, c.State, forge.ErrRefused), nil
	}
	if err := f.budget.Wait(ctx); err != nil {
		return err, err
	}
	status := &sdk.SetCommitStatusOptions{State: state, Name: new(c.Context), Description: new(forge.Cut(c.Title, maxDescription))}
	status.Ref, status.PipelineID = f.place(client, c)
	if link := cmp.Or(c.URL, f.target); link != "" && utf8.RuneCountInString(link) <= maxLink {
		status.TargetURL = new(link)
	}
	_, resp, err := client.Commits.SetCommitStatus(f.project, c.Commit, status)
	return f.judge(client, c, state, f.answer("post a status to", client, resp, err))
}

// states are the words of GitLab's API for ours.
var states = map[forge.State]sdk.BuildStateValue{
	forge.Pending: sdk.Pending, forge.Success: sdk.Success, forge.Failure: sdk.Failed,
}

// place is the pipeline that a status belongs to, or the ref where it has
// none. A merge request that cannot be asked for is no reason not to post.
func (f *Forge) place(client session, c forge.Check) (ref *string, pipeline *int64) {
	branch := cmp.Or(c.Ref, f.branch)
	if c.PullRequest > 0 {
		mr, _, err := client.MergeRequests.GetMergeRequest(f.project, int64(c.PullRequest), nil)
		switch {
		case err == nil && mr.HeadPipeline != nil && mr.HeadPipeline.SHA == c.Commit && mr.HeadPipeline.ProjectID == mr.ProjectID:
			return nil, new(mr.HeadPipeline.ID)
		case err == nil && mr.SourceProjectID != mr.TargetProjectID: // the fork's branches are not this project's
			branch = ownRef(c.PullRequest)
		case c.Ref != "":
		case err == nil:
			branch = mr.SourceBranch
		default:
			branch = ownRef(c.PullRequest)
		}
	}
	if branch == "" {
		return nil, nil
	}
	return new(branch), nil
}

// ownRef is what GitLab keeps of a merge request in the project it goes to.
func ownRef(number int) string { return fmt.Sprintf("refs/merge-requests/%d/head", number) }
