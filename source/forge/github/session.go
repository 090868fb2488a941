package github

import (
	"context"
	"fmt"
	"net/http"

	sdk "github.com/google/go-github/v92/github"

	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// session is a client with the token that it carries.
type session struct {
	*sdk.Client
	token string
}

// client is made for each use, with the token as it is now.
func (f *Forge) client(ctx context.Context) (session, error) {
	token, err := f.token(ctx)
	if err != nil {
		return session{}, fmt.Errorf("log in to %s: %w", f, err)
	}
	return newSession(f.http, f.api, token)
}

func (f *Forge) token(ctx context.Context) (string, error) {
	if f.app != nil {
		return f.app.Token(ctx)
	}
	return wire.Token(f.tokenFile)
}

// newSession makes a client that keeps no limits of its own: what the host
// answers is what counts, and the outbox waits for it.
func newSession(via *http.Client, api, token string) (session, error) {
	client, err := sdk.NewClient(sdk.WithHTTPClient(via), sdk.WithURLs(&api, &api), sdk.WithAuthToken(token),
		sdk.WithUserAgent("portcullis"), sdk.WithDisableRateLimitCheck())
	if err != nil {
		return session{}, fmt.Errorf("make a client for %s: %w", api, err)
	}
	return session{client, token}, nil
}
