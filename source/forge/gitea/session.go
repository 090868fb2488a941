package gitea

import (
	"context"
	"fmt"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// session is a client with the token that it carries.
type session struct {
	*sdk.Client
	token string
}

// client is made for each use: it carries the context and the token as they
// are now, and asks the host nothing.
func (f *Forge) client(ctx context.Context) (session, error) {
	token, err := wire.Token(f.tokenFile)
	if err != nil {
		return session{}, fmt.Errorf("log in to %s: %w", f, err)
	}
	client, err := sdk.NewClient(f.url, sdk.SetGiteaVersion(""), sdk.SetContext(ctx),
		sdk.SetHTTPClient(f.http), sdk.SetToken(token), sdk.SetUserAgent("portcullis"))
	if err != nil {
		return session{}, fmt.Errorf("make a client for %s: %w", f, err)
	}
	return session{client, token}, nil
}
