package servers_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// TestGitea shares one server: its start takes the time.
func TestGitea(t *testing.T) {
	t.Parallel()
	server := servers.GiteaFor(t)
	t.Run("runs as what was asked for", func(t *testing.T) { giteaVersion(t, server) })
	t.Run("takes a push and a commit status", func(t *testing.T) { giteaPushAndStatus(t, server) })
	t.Run("keeps a private repository from others", func(t *testing.T) { giteaPrivate(t, server) })
	t.Run("lets a collaborator read and not push", func(t *testing.T) { giteaReader(t, server) })
	t.Run("limits a token to its scopes", func(t *testing.T) { giteaScopes(t, server) })
	t.Run("is seen by the meter", func(t *testing.T) { giteaMeter(t, server) })
	t.Run("tells why a name cannot be used twice", func(t *testing.T) { giteaTwice(t, server) })
}

func giteaVersion(t *testing.T, server *servers.Gitea) {
	client, err := server.Client(t.Context(), server.Admin)
	if err != nil {
		t.Fatal(err)
	}
	version, _, err := client.ServerVersion()
	if err != nil || !strings.HasPrefix(version, "1.") {
		t.Errorf("the version is %q (%v)", version, err)
	}
	me, _, err := client.GetMyUserInfo()
	if err != nil || me.UserName != servers.GiteaAdmin || !me.IsAdmin {
		t.Errorf("the administrator is %+v (%v)", me, err)
	}
}

func giteaPushAndStatus(t *testing.T, server *servers.Gitea) {
	ctx := t.Context()
	if err := errors.Join(server.CreateOrg(ctx, "hosting"), server.CreateRepo(ctx, "hosting", "allowlists")); err != nil {
		t.Fatal(err)
	}
	dir, sha := commit(t, []byte("x"))
	url := server.CloneURL(server.Admin, "hosting", "allowlists")
	git(t, dir, "push", "--quiet", url, "main")
	if got := remoteHead(t, url); got != sha {
		t.Errorf("main is %s after the push of %s", got, sha)
	}
	client, err := server.Client(ctx, server.Admin)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = client.CreateStatus("hosting", "allowlists", sha, gitea.CreateStatusOption{State: gitea.StatusSuccess, Context: "c"})
	if err != nil {
		t.Fatal(err)
	}
	status, _, err := client.GetCombinedStatus("hosting", "allowlists", sha)
	if err != nil || status.State != gitea.StatusSuccess {
		t.Errorf("the commit's status is %+v (%v)", status, err)
	}
}

func giteaPrivate(t *testing.T, server *servers.Gitea) {
	ctx := t.Context()
	stranger, err := server.CreateUser(ctx, "stranger")
	if err := errors.Join(err, server.CreateRepo(ctx, server.Admin.Name, "secret")); err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{
		"nobody":     server.RepoURL(server.Admin.Name, "secret"),
		"a stranger": server.CloneURL(stranger, server.Admin.Name, "secret"),
	} {
		if out, err := tryGit(t, t.TempDir(), "ls-remote", url); err == nil {
			t.Errorf("%s was let in: %s", name, out)
		}
	}
}

func giteaReader(t *testing.T, server *servers.Gitea) {
	ctx := t.Context()
	reader, err := server.CreateUser(ctx, "reader")
	err = errors.Join(err, server.CreateRepo(ctx, server.Admin.Name, "shared"),
		server.AddCollaborator(ctx, server.Admin.Name, "shared", reader, gitea.AccessModeRead))
	if err != nil {
		t.Fatal(err)
	}
	dir, sha := commit(t, []byte("x"))
	url := server.CloneURL(reader, server.Admin.Name, "shared")
	if out, err := tryGit(t, dir, "push", url, "main"); err == nil {
		t.Errorf("a reader pushed: %s", out)
	}
	git(t, dir, "push", "--quiet", server.CloneURL(server.Admin, server.Admin.Name, "shared"), "main")
	if got := remoteHead(t, url); got != sha {
		t.Errorf("the reader sees %s, not %s", got, sha)
	}
}

func giteaScopes(t *testing.T, server *servers.Gitea) {
	ctx := t.Context()
	user, err := server.CreateUser(ctx, "scoped")
	if err != nil {
		t.Fatal(err)
	}
	user.Token, err = server.CreateToken(ctx, user, "reads", gitea.AccessTokenScopeReadUser)
	if err != nil {
		t.Fatal(err)
	}
	client, err := server.Client(ctx, user)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.GetMyUserInfo(); err != nil {
		t.Errorf("the token's own scope is refused: %v", err)
	}
	if _, _, err := client.CreateRepo(gitea.CreateRepoOption{Name: "mine"}); err == nil {
		t.Error("a token that only reads created a repository")
	}
}

func giteaMeter(t *testing.T, server *servers.Gitea) {
	client, err := server.Client(t.Context(), server.Admin)
	if err != nil {
		t.Fatal(err)
	}
	server.Meter.Reset()
	if _, _, err := client.GetMyUserInfo(); err != nil {
		t.Fatal(err)
	}
	got := server.Meter.Requests()
	if len(got) != 1 || got[0].Method != http.MethodGet || got[0].Path != "/api/v1/user" {
		t.Errorf("one question was noted as %+v", got)
	}
	server.Meter.Away()
	defer server.Meter.Answer(nil)
	if _, response, err := client.GetMyUserInfo(); err == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("while away it answered %v (%v)", response, err)
	}
}

func giteaTwice(t *testing.T, server *servers.Gitea) {
	err := server.CreateOrg(t.Context(), server.Admin.Name)
	if err == nil || !strings.Contains(err.Error(), "user already exists") {
		t.Errorf("the error is %v", err)
	}
}

func TestTwoGiteasAtOnce(t *testing.T) {
	t.Parallel()
	a, b := servers.GiteaFor(t), servers.GiteaFor(t)
	if err := a.CreateRepo(t.Context(), a.Admin.Name, "only-in-a"); err != nil {
		t.Fatal(err)
	}
	client, err := b.Client(t.Context(), b.Admin)
	if err != nil {
		t.Fatal(err)
	}
	repos, _, err := client.ListMyRepos(gitea.ListReposOptions{})
	if err != nil || len(repos) != 0 {
		t.Errorf("the other server has %d repositories (%v)", len(repos), err)
	}
}
