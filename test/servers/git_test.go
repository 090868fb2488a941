package servers_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// git calls the git program, with nothing of the user's configuration.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t, dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
	return strings.TrimSpace(out)
}

func tryGit(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// commit makes a work tree with one commit that has one file, and returns both.
func commit(t *testing.T, content []byte) (dir, sha string) {
	t.Helper()
	dir = t.TempDir()
	git(t, dir, "init", "--quiet", "--initial-branch=main")
	if err := os.WriteFile(filepath.Join(dir, "file"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", "file")
	git(t, dir, "commit", "--quiet", "--message=first")
	return dir, git(t, dir, "rev-parse", "HEAD")
}

// remoteHead is the commit of a remote's branch main.
func remoteHead(t *testing.T, url string) string {
	t.Helper()
	sha, _, _ := strings.Cut(git(t, t.TempDir(), "ls-remote", url, "refs/heads/main"), "\t")
	return sha
}
