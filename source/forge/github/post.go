package github

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	sdk "github.com/google/go-github/v92/github"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// maxDescription is what GitHub takes of a status, in characters.
const maxDescription = 140

// Post sends each check in order: as a check run with an App, else as a commit
// status.
func (f *Forge) Post(ctx context.Context, checks []forge.Check) []error {
	client, err := f.client(ctx)
	post := f.postStatus
	if f.app != nil {
		post = f.postRun
	}
	return forge.InOrder(checks, err, func(c forge.Check) (err, outage error) {
		switch c.State {
		case forge.Pending, forge.Success, forge.Failure:
			return post(ctx, client, c)
		}
		return fmt.Errorf("post a check to %s: state %q: %w", f, c.State, forge.ErrRefused), nil
	})
}

// postStatus answers what became of the check, and in outage the same error
// where others would fare no better.
func (f *Forge) postStatus(ctx context.Context, client session, c forge.Check) (err, outage error) {
	if err := f.budget.Wait(ctx); err != nil {
		return err, err
	}
	status := sdk.RepoStatus{State: new(string(c.State)), // the same words
		Context: new(c.Context), Description: new(forge.Cut(c.Title, maxDescription))}
	if link := f.link(c); link != "" {
		status.TargetURL = new(link)
	}
	_, resp, err := client.Repositories.CreateStatus(ctx, f.owner, f.name, c.Commit, status)
	return f.judge(ctx, client, c, http.StatusCreated, f.answer("post a status to", client, resp, err))
}

func (f *Forge) link(c forge.Check) string { return cmp.Or(c.URL, f.target) }
