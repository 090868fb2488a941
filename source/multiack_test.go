package source

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"
)

// Hosts that insist on multi_ack answer with more lines before the pack. Git's
// own server does so too when asked.
func TestMultiAckIsUnderstood(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...).Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "-q", "-b", "main")
	repo, err := git.Init(memory.NewStorage(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		run("commit", "-q", "--allow-empty", "-m", "x")
		remote, err := NewRemote(Options{URL: "file://" + dir})
		if err != nil {
			t.Fatal(err)
		}
		l, err := remote.dial(t.Context(), uploadPack)
		if err != nil {
			t.Fatal(err)
		}
		l.multiAck = true
		adv, err := l.refs()
		if err != nil {
			t.Fatal(err)
		}
		head := plumbing.NewHash(run("rev-parse", "HEAD"))
		wanted := []wantedRef{{hash: head, local: "refs/heads/main"}}
		if err := l.into(repo, adv, wanted); err != nil {
			t.Fatal(err)
		}
		l.close()
		if err := forward(repo, wanted); err != nil {
			t.Fatal(err)
		}
		if _, err := repo.CommitObject(head); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhoAsksForMultiAck(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{"dev.azure.com": true, "SSH.dev.azure.com": true, "acme.visualstudio.com": true, "github.com": false, "dev.azure.com.example.com": false} {
		if got := asksMultiAck(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}
