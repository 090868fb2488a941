package gitea

import (
	"cmp"
	"context"
	"fmt"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// Post sends one request for each check, in order.
func (f *Forge) Post(ctx context.Context, checks []forge.Check) []error {
	client, err := f.client(ctx)
	return forge.InOrder(checks, err, func(c forge.Check) (err, outage error) {
		return f.postOne(ctx, client, c)
	})
}

// postOne answers what became of the check, and in outage the same error where
// others would fare no better.
func (f *Forge) postOne(ctx context.Context, client session, c forge.Check) (err, outage error) {
	status, err := f.status(c)
	if err != nil {
		return err, nil
	}
	if err := f.budget.Wait(ctx); err != nil {
		return err, err
	}
	_, resp, err := client.CreateStatus(f.owner, f.name, c.Commit, status)
	return f.judge(client, c, f.answer("post a status to", client, resp, err))
}

func (f *Forge) status(c forge.Check) (sdk.CreateStatusOption, error) {
	switch c.State {
	case forge.Pending, forge.Success, forge.Failure:
	default:
		return sdk.CreateStatusOption{}, fmt.Errorf("post a status to %s: state %q: %w", f, c.State, forge.ErrRefused)
	}
	return sdk.CreateStatusOption{
		State:       sdk.StatusState(c.State), // the same words
		Context:     c.Context,
		Description: forge.Cut(c.Title, maxDescription),
		TargetURL:   cmp.Or(c.URL, f.target),
	}, nil
}
