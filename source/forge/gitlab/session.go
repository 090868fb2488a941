package gitlab

import (
	"context"
	"fmt"
	"log/slog"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"
	"golang.org/x/time/rate"

	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// session is a client with the token that it carries.
type session struct {
	*sdk.Client
	token string
}

// client is made for each use, with the context and the token as they are now.
// It neither tries again nor keeps limits of its own: the outbox does.
func (f *Forge) client(ctx context.Context) (session, error) {
	token, err := wire.Token(f.tokenFile)
	if err != nil {
		return session{}, fmt.Errorf("log in to %s: %w", f, err)
	}
	client, err := sdk.NewClient(token, sdk.WithURLWarningLogger(slog.New(slog.DiscardHandler)), sdk.WithBaseURL(f.url),
		sdk.WithHTTPClient(f.http), sdk.WithoutRetries(), sdk.WithCustomLimiter(rate.NewLimiter(rate.Inf, 0)),
		sdk.WithUserAgent("portcullis"), sdk.WithRequestOptions(sdk.WithContext(ctx)))
	if err != nil {
		return session{}, fmt.Errorf("make a client for %s: %w", f, err)
	}
	return session{client, token}, nil
}
