package forges_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/test/forges"
	"github.com/portcullis-gitops/portcullis/test/servers"
)

// gitOf serves a repository by Git itself to who logs in as GitHub wants an
// installation to, with a token that is good now.
func gitOf(t *testing.T, g *forges.GitHub) (repository string) {
	t.Helper()
	server := servers.GitHTTPFor(t, t.TempDir())
	if err := server.Init(t.Context(), "allowlists.git"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, args := range [][]string{{"init", "--quiet", "--initial-branch=main"}, {"commit", "--quiet", "--allow-empty", "-m", "first"},
		{"push", "--quiet", server.CloneURL("allowlists.git"), "main"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
			"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, out)
		}
	}
	both, err := g.WithGit(server.URL, servers.GitUser, servers.GitPassword)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(both)
	t.Cleanup(front.Close)
	return front.URL + "/allowlists.git"
}

// TestAppLogsGitIn polls a repository for some hours.
func TestAppLogsGitIn(t *testing.T) {
	t.Parallel()
	theirs := &clock{at: time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)}
	g := startGitHub(t, theirs.now)
	app := openApp(t, g, githubOptions(g, nil), theirs.now)
	repo, err := source.Open(source.Options{Name: "customers", URL: gitOf(t, g), Dir: t.TempDir(), Login: app})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := repo.Close(); err != nil {
			t.Error(err)
		}
	}()
	for range 9 {
		if _, err := repo.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		theirs.move(20 * time.Minute)
	}
	if got := g.Minted(); got < 3 || got > 5 {
		t.Errorf("%d tokens for three hours", got)
	}
	if _, err := repo.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.Revoke()
	if _, err := repo.Poll(t.Context()); !errors.Is(err, source.ErrAuth) {
		t.Errorf("with a token that was revoked: %v", err)
	}
	if _, err := repo.Poll(t.Context()); err != nil {
		t.Errorf("after a token was revoked: %v", err)
	}
}
