package github

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	sdk "github.com/google/go-github/v92/github"

	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

const (
	// An App's own token may live for ten minutes at most, and clocks differ:
	// GitHub advises to be issued a minute ago.
	appTokenLife = 9 * time.Minute
	appTokenSlip = time.Minute
	// refreshEarly is how long a token is good for at least when it is handed
	// out: longer than anything that is begun with it takes.
	refreshEarly = 10 * time.Minute
)

// AppOptions name an installation of a GitHub App. Of the Options, Repository
// and TokenFile have no meaning.
type AppOptions struct {
	wire.Options
	AppID, InstallationID int64
	PrivateKeyFile        string           // PEM, RSA; read for each new token
	Now                   func() time.Time // default time.Now
}

// App logs in as an installation: for the API, and for Git over https. It is
// safe for use by many at once.
type App struct {
	opts AppOptions
	api  string
	http *http.Client

	mu     sync.Mutex
	token  string
	until  time.Time // by our clock, refreshEarly before it ends
	author string
}

// NewApp makes an App and contacts nobody. It fails where an option cannot be
// used at all; a key file that is not there yet is none of these.
func NewApp(o AppOptions) (*App, error) {
	base, err := o.Base()
	if err != nil {
		return nil, fmt.Errorf("githubApp: %w", err)
	}
	if o.AppID <= 0 || o.InstallationID <= 0 || o.PrivateKeyFile == "" {
		return nil, fmt.Errorf("githubApp: appID, installationID and privateKeyFile are required")
	}
	client, err := o.Client()
	if err != nil {
		return nil, fmt.Errorf("githubApp: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &App{opts: o, api: apiOf(base), http: client}, nil
}

func (a *App) String() string {
	return fmt.Sprintf("installation %d of App %d", a.opts.InstallationID, a.opts.AppID)
}

// Token is the installation's, good for some minutes at least. It is asked for
// anew before it ends.
func (a *App) Token(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" && a.opts.Now().Before(a.until) {
		return a.token, nil
	}
	client, err := a.client()
	if err != nil {
		return "", err
	}
	got, resp, err := client.Apps.CreateInstallationToken(ctx, a.opts.InstallationID, &sdk.InstallationTokenOptions{})
	if err := answer("ask for a token of", a, client, resp, err, a.hint()).Want(http.StatusCreated); err != nil {
		return "", err
	}
	if got.GetToken() == "" {
		return "", fmt.Errorf("ask for a token of %s: the answer holds none", a)
	}
	// By the host's own clock: ours may be wrong by more than the token lives.
	life := wire.Until(resp.Response, got.GetExpiresAt().Time)
	a.token, a.until = got.GetToken(), a.opts.Now().Add(max(life-refreshEarly, life/2))
	return a.token, nil
}

// Login is how Git over https logs in (docs.github.com/apps, authenticating as
// an installation).
func (a *App) Login(ctx context.Context) (user, password string, err error) {
	token, err := a.Token(ctx)
	if err != nil {
		return "", "", err
	}
	return "x-access-token", token, nil
}

// Author is the user that what the App writes is by.
func (a *App) Author(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.author != "" {
		return a.author, nil
	}
	client, err := a.client()
	if err != nil {
		return "", err
	}
	app, resp, err := client.Apps.Get(ctx, "")
	if err := answer("ask for the name of", a, client, resp, err, a.hint()).Want(http.StatusOK); err != nil {
		return "", err
	}
	if app.GetSlug() == "" {
		return "", fmt.Errorf("ask for the name of %s: the answer holds none", a)
	}
	a.author = app.GetSlug() + "[bot]"
	return a.author, nil
}

// Refused drops a token that the host does not take: it was revoked, or the
// installation's rights were changed.
func (a *App) Refused(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == token {
		a.token = ""
	}
}

func (a *App) hint() string {
	return fmt.Sprintf("appID, installationID and the key in %s must be of the same App, and the clock right", a.opts.PrivateKeyFile)
}

// client speaks as the App itself, not as its installation.
func (a *App) client() (session, error) {
	key, err := a.key()
	if err != nil {
		return session{}, fmt.Errorf("log in as %s: %w", a, err)
	}
	now := a.opts.Now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer:   strconv.FormatInt(a.opts.AppID, 10),
		IssuedAt: jwt.NewNumericDate(now.Add(-appTokenSlip)), ExpiresAt: jwt.NewNumericDate(now.Add(appTokenLife)),
	}).SignedString(key)
	if err != nil {
		return session{}, fmt.Errorf("log in as %s: sign with the key in %s: %w", a, a.opts.PrivateKeyFile, err)
	}
	return newSession(a.http, a.api, token)
}

// key reads the private key. What the parser says is not repeated: it may
// quote what it could not parse.
func (a *App) key() (*rsa.PrivateKey, error) {
	pem, err := os.ReadFile(a.opts.PrivateKeyFile)
	if err != nil {
		return nil, fmt.Errorf("read privateKeyFile: %w", err)
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(pem)
	if err != nil {
		return nil, fmt.Errorf("read privateKeyFile: %s holds no RSA private key in PEM", a.opts.PrivateKeyFile)
	}
	return key, nil
}
