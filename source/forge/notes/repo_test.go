package notes_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/notes"
)

const ref = "refs/notes/portcullis/eu-west"

// remote reaches a real bare repository by file://, which runs the git
// program, and counts. before runs ahead of each push that was asked for.
type remote struct {
	dir    string
	before func()

	mu              sync.Mutex
	fetches, pushes int
}

func (r *remote) open(repo *git.Repository) *git.Remote {
	return git.NewRemote(repo.Storer, &config.RemoteConfig{Name: "origin", URLs: []string{"file://" + r.dir}})
}

func (r *remote) Fetch(ctx context.Context, repo *git.Repository, specs ...config.RefSpec) error {
	r.mu.Lock()
	r.fetches++
	r.mu.Unlock()
	err := r.open(repo).FetchContext(ctx, &git.FetchOptions{RemoteName: "origin", RefSpecs: specs, Tags: git.NoTags})
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	return nil
}

func (r *remote) Push(ctx context.Context, repo *git.Repository, specs ...config.RefSpec) error {
	r.mu.Lock()
	r.pushes++
	before := r.before
	r.mu.Unlock()
	if before != nil {
		before()
	}
	return r.open(repo).PushContext(ctx, &git.PushOptions{RemoteName: "origin", RefSpecs: specs})
}

func (r *remote) counts() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("%d fetches, %d pushes", r.fetches, r.pushes)
}

// run is the git program, away from the user's own settings.
func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := try(dir, "", args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func try(dir, stdin string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// bare makes a bare repository with n commits on main, newest last.
func bare(t *testing.T, n int) (dir string, commits []string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "remote.git")
	run(t, ".", "init", "--quiet", "--bare", "--initial-branch=main", dir)
	var stream strings.Builder
	for i := range n {
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter a <a@b> %d +0000\ndata 1\nx\nM 644 inline f\ndata %d\n%s\n",
			1_700_000_000+i, len(fmt.Sprint(i)), fmt.Sprint(i))
	}
	if out, err := try(dir, stream.String(), "fast-import", "--quiet"); err != nil {
		t.Fatalf("fast-import: %v\n%s", err, out)
	}
	if n > 0 {
		commits = strings.Fields(run(t, dir, "rev-list", "--reverse", "main"))
	}
	return dir, commits
}

func open(t testing.TB, r notes.Remote, adjust func(*notes.Options)) *notes.Forge {
	t.Helper()
	o := notes.Options{
		Dir: filepath.Join(t.TempDir(), "notes"), Remote: r, Ref: ref,
		Now: func() time.Time { return time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC) },
	}
	if adjust != nil {
		adjust(&o)
	}
	f, err := notes.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func check(commit string, state forge.State, title string) forge.Check {
	return forge.Check{Commit: commit, Context: "portcullis/eu-west", State: state, Title: title}
}

func post(t *testing.T, f *notes.Forge, checks ...forge.Check) {
	t.Helper()
	if err := errors.Join(f.Post(t.Context(), checks)...); err != nil {
		t.Fatal(err)
	}
}

// show is the note as people read it.
func show(t *testing.T, dir, commit string) string {
	t.Helper()
	return run(t, dir, "notes", "--ref=portcullis/eu-west", "show", commit)
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}
