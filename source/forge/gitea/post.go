package gitea

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// Post sends one request for each check, in order. After a failure that is
// the host's and not the commit's, the others are not sent and fail alike.
func (f *Forge) Post(ctx context.Context, checks []forge.Check) []error {
	errs := make([]error, len(checks))
	client, err := f.client(ctx)
	for i, c := range checks {
		if err == nil {
			errs[i], err = f.postOne(client, c)
			continue
		}
		errs[i] = err
	}
	return errs
}

// session is a client with the token that it carries.
type session struct {
	*sdk.Client
	token string
}

// client is made for each post: it carries the context and the token as they
// are now, and asks the host nothing.
func (f *Forge) client(ctx context.Context) (session, error) {
	token, err := f.token()
	if err != nil {
		return session{}, err
	}
	client, err := sdk.NewClient(f.url, sdk.SetGiteaVersion(""), sdk.SetContext(ctx),
		sdk.SetHTTPClient(f.http), sdk.SetToken(token), sdk.SetUserAgent("portcullis"))
	if err != nil {
		return session{}, fmt.Errorf("make a client for %s: %w", f, err)
	}
	return session{client, token}, nil
}

func (f *Forge) token() (string, error) {
	b, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return "", fmt.Errorf("read the token for %s: %w", f, err)
	}
	token := strings.TrimSpace(string(b))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("token for %s: %s does not hold one word", f, f.tokenFile)
	}
	return token, nil
}

// postOne answers what became of the check, and in outage the same error where
// others would fare no better.
func (f *Forge) postOne(client session, c forge.Check) (err, outage error) {
	status, err := f.status(c)
	if err != nil {
		return err, nil
	}
	_, resp, err := client.CreateStatus(f.owner, f.name, c.Commit, status)
	if resp == nil {
		err = fmt.Errorf("post a status to %s: %w", f, err)
		return err, err
	}
	if resp.StatusCode == http.StatusCreated {
		return nil, nil // whatever the body says: it is not used
	}
	return f.judge(client, c, resp.Response, err)
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
		TargetURL:   f.target,
	}, nil
}
