package servers

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

	"code.gitea.io/sdk/gitea"
)

// giteaPassword is everyone's: the server is on loopback and lives as long as
// a test.
const giteaPassword = "a Password for loopback 1"

// GiteaUser is someone with an account. The token has all scopes.
type GiteaUser struct{ Name, Password, Token string }

// Client is Gitea's own client, as that user; ctx ends its requests.
func (g *Gitea) Client(ctx context.Context, user GiteaUser) (*gitea.Client, error) {
	return g.client(ctx, gitea.SetToken(user.Token))
}

// client skips the SDK's own question for the version: the Meter should only
// count what was meant.
func (g *Gitea) client(ctx context.Context, login gitea.ClientOption) (*gitea.Client, error) {
	client, err := gitea.NewClient(g.URL, login, gitea.SetContext(ctx), gitea.SetGiteaVersion(""))
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", g.URL, err)
	}
	return client, nil
}

// CreateUser makes a user, without any rights, and a token for it.
func (g *Gitea) CreateUser(ctx context.Context, name string) (GiteaUser, error) {
	user := GiteaUser{Name: name, Password: giteaPassword}
	admin, err := g.Client(ctx, g.Admin)
	if err != nil {
		return user, err
	}
	mustChange := false
	_, _, err = admin.AdminCreateUser(gitea.CreateUserOption{
		Username: name, Password: user.Password, Email: name + "@example.com", MustChangePassword: &mustChange,
	})
	if err != nil {
		return user, fmt.Errorf("create the user %s: %w", name, err)
	}
	user.Token, err = g.CreateToken(ctx, user, "first", gitea.AccessTokenScopeAll)
	return user, err
}

// CreateToken makes another token for a user. The name must be new.
func (g *Gitea) CreateToken(ctx context.Context, user GiteaUser, name string, scopes ...gitea.AccessTokenScope) (string, error) {
	client, err := g.client(ctx, gitea.SetBasicAuth(user.Name, user.Password))
	if err != nil {
		return "", err
	}
	token, _, err := client.CreateAccessToken(gitea.CreateAccessTokenOption{Name: name, Scopes: scopes})
	if err != nil {
		return "", fmt.Errorf("create the token %s of %s: %w", name, user.Name, err)
	}
	return token.Token, nil
}

// CreateOrg makes an organisation, owned by the administrator.
func (g *Gitea) CreateOrg(ctx context.Context, name string) error {
	admin, err := g.Client(ctx, g.Admin)
	if err != nil {
		return err
	}
	if _, _, err := admin.CreateOrg(gitea.CreateOrgOption{Name: name}); err != nil {
		return fmt.Errorf("create the organisation %s: %w", name, err)
	}
	return nil
}

// CreateRepo makes an empty, private repository of a user or an organisation,
// to whose branch main a first push can go.
func (g *Gitea) CreateRepo(ctx context.Context, owner, name string) error {
	admin, err := g.Client(ctx, g.Admin)
	if err != nil {
		return err
	}
	_, _, err = admin.AdminCreateRepo(owner, gitea.CreateRepoOption{Name: name, Private: true, DefaultBranch: "main"})
	if err != nil {
		return fmt.Errorf("create the repository %s/%s: %w", owner, name, err)
	}
	return nil
}

// AddCollaborator lets a user into a repository: access is read, write or
// admin.
func (g *Gitea) AddCollaborator(ctx context.Context, owner, name string, user GiteaUser, access gitea.AccessMode) error {
	admin, err := g.Client(ctx, g.Admin)
	if err != nil {
		return err
	}
	response, err := admin.AddCollaborator(owner, name, user.Name, gitea.AddCollaboratorOption{Permission: &access})
	if err != nil {
		return fmt.Errorf("let %s into %s/%s: %w", user.Name, owner, name, err)
	}
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("let %s into %s/%s: the answer is %s", user.Name, owner, name, response.Status)
	}
	return nil
}

// RepoURL is where a repository is cloned from and pushed to; it has no
// credentials in it.
func (g *Gitea) RepoURL(owner, name string) string {
	return g.URL + "/" + owner + "/" + name + ".git"
}

// Folder is where a repository is on this machine, for what Gitea has no API
// for.
func (g *Gitea) Folder(owner, name string) string {
	return filepath.Join(g.dir, "repositories", owner, name+".git")
}

// CloneURL is RepoURL with the user's token in it, for the git program.
func (g *Gitea) CloneURL(user GiteaUser, owner, name string) string {
	return withUser(g.URL, user.Name, user.Token) + "/" + owner + "/" + name + ".git"
}

// Pushed fails until Gitea, which looks at a repository's first push in the
// background, takes the repository for empty no longer: a fork that is made
// before stays without its branches.
func (g *Gitea) Pushed(ctx context.Context, owner, name string) error {
	admin, err := g.Client(ctx, g.Admin)
	if err != nil {
		return err
	}
	repo, _, err := admin.GetRepo(owner, name)
	if err == nil && repo.Empty {
		err = fmt.Errorf("%s/%s is empty still, as far as Gitea knows", owner, name)
	}
	return err
}
