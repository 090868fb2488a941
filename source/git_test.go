package source_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/source"
)

// upstream is a bare repository as a Git host has it, with a work tree beside
// it to commit in. Both are Git's own.
type upstream struct {
	t    testing.TB
	bare string
	work string
	tick int // makes each commit later than the one before
}

func newUpstream(t testing.TB) *upstream {
	t.Helper()
	dir := t.TempDir()
	u := &upstream{t: t, bare: filepath.Join(dir, "allowlists.git"), work: filepath.Join(dir, "work")}
	u.run(dir, "init", "-q", "--bare", "-b", "main", u.bare)
	u.run(dir, "init", "-q", "-b", "main", u.work)
	u.git("remote", "add", "origin", u.bare)
	return u
}

func (u *upstream) run(dir string, args ...string) string {
	u.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	when := time.Date(2026, 1, 1, 0, 0, u.tick, 0, time.UTC).Format(time.RFC3339)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=c", "GIT_COMMITTER_EMAIL=c@example.com",
		"GIT_AUTHOR_DATE="+when, "GIT_COMMITTER_DATE="+when)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		u.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, words.String())
	}
	return strings.TrimSpace(out.String())
}

// git runs in the work tree.
func (u *upstream) git(args ...string) string { u.t.Helper(); return u.run(u.work, args...) }

func (u *upstream) write(path, content string) {
	u.t.Helper()
	file := filepath.Join(u.work, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		u.t.Fatal(err)
	}
}

// commit records all of the work tree and returns the commit.
func (u *upstream) commit(message string) string {
	u.t.Helper()
	u.tick++
	u.git("add", "-A")
	u.git("commit", "-q", "--allow-empty", "-m", message)
	return u.git("rev-parse", "HEAD")
}

func (u *upstream) push(args ...string) {
	u.t.Helper()
	u.git(append([]string{"push", "-q", "origin"}, append(args, "HEAD:main")...)...)
}

// change writes one file, commits and pushes.
func (u *upstream) change(path, content string) string {
	u.t.Helper()
	u.write(path, content)
	c := u.commit("change " + path)
	u.push()
	return c
}

func (u *upstream) url() string { return "file://" + u.bare }

func open(t testing.TB, opts source.Options) *source.Repository {
	t.Helper()
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	if opts.Name == "" {
		opts.Name = "customers"
	}
	r, err := source.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func poll(t testing.TB, r *source.Repository) string {
	t.Helper()
	head, err := r.Poll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func snapshot(t testing.TB, r *source.Repository, commit string) *source.Snapshot {
	t.Helper()
	s, err := r.Snapshot(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func paths(s *source.Snapshot) []string {
	var out []string
	for _, e := range s.Files {
		out = append(out, fmt.Sprintf("%s|%s|%s", e.Path, e.Tenant, e.Kind))
	}
	return out
}

func at(s *source.Snapshot, path string) source.Entry {
	for _, e := range s.Files {
		if e.Path == path {
			return e
		}
	}
	return source.Entry{}
}

// input gives git something to read.
func input(u *upstream, text string, args ...string) string {
	u.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = u.work
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		u.t.Fatalf("git %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}
