package main

import (
	"crypto/ed25519"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
)

// signing is a repository whose commits one key signs.
type signing struct {
	t   *testing.T
	dir string
	key ssh.Signer
}

func newSigning(t *testing.T) *signing {
	t.Helper()
	key, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	s := &signing{t, t.TempDir(), key}
	s.git("", "init", "-q", "-b", "main")
	return s
}

func (s *signing) git(in string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Stdin = s.dir, strings.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("git %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// commit makes the branch's next one, after a parent if there is one.
func (s *signing) commit(parent string, signed bool) string {
	s.t.Helper()
	object := "tree " + s.git("", "write-tree") + "\n"
	if parent != "" {
		object += "parent " + parent + "\n"
	}
	object += "author a <a@example.com> 1700000000 +0000\ncommitter c <c@example.com> 1700000000 +0000\n"
	message := "\nchange " + parent + "\n"
	if signed {
		sig, err := sshsig.Sign(strings.NewReader(object+message), s.key, sshsig.HashSHA512, "git")
		if err != nil {
			s.t.Fatal(err)
		}
		armored := strings.TrimSuffix(string(sshsig.Armor(sig)), "\n")
		object += "gpgsig " + strings.ReplaceAll(armored, "\n", "\n ") + "\n"
	}
	commit := s.git(object+message, "hash-object", "-t", "commit", "-w", "--stdin")
	s.git("", "update-ref", "refs/heads/main", commit)
	return commit
}

// follower follows the repository, and has accepted a commit of it.
func (s *signing) follower(signers string) *follower {
	s.t.Helper()
	conf := policy.Source{Name: "s", Verify: policy.Verify{SSHAllowedSignersFile: signers}}
	verifier, err := newVerifier(conf)
	if err != nil {
		s.t.Fatal(err)
	}
	repo, err := source.Open(source.Options{Name: "s", URL: "file://" + s.dir, Dir: s.t.TempDir()})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = repo.Close() })
	f, _ := newTestFollower()
	f.conf, f.verifier, f.repo, f.log = conf, verifier, repo, logr.Discard()
	return f
}

func TestObjections(t *testing.T) {
	t.Parallel()
	s := newSigning(t)
	signers := filepath.Join(t.TempDir(), "signers")
	known := "a@example.com " + string(ssh.MarshalAuthorizedKey(s.key.PublicKey()))
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(signers, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(known)
	f := s.follower(signers)
	first := s.commit("", true)
	unsigned := s.commit(first, false)
	signed := s.commit(unsigned, true)
	if _, err := f.repo.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	const nobody = "not signed by a known key: it has no signature"
	for _, c := range []struct{ name, accepted, head, signers, want string }{
		{"the first, signed", "", first, known, ""},
		{"the first, unsigned", "", unsigned, known, nobody},
		{"unsigned", first, unsigned, known, nobody},
		{"signed, above one that is not", first, signed, known, ""},
		{"a rewind", signed, first, known, "rewinds " + short(signed) + " to " + short(first)},
		{"an unsigned rewind", signed, unsigned, known, "rewinds " + short(signed) + " to " + short(unsigned) + "; " + nobody},
		{"the key was taken away", first, signed, "# nobody\n", "not signed by a known key: the known SSH keys cannot be read"},
		{"and is back", first, signed, known, ""},
	} {
		write(c.signers)
		f.state.Accepted = c.accepted
		if got, err := f.objection(t.Context(), c.head, time.Now()); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	if _, err := f.objection(t.Context(), strings.Repeat("1", 40), time.Now()); err == nil {
		t.Error("a commit that cannot be read is taken for a verdict")
	}
	f.verifier, f.state.Accepted = nil, first
	if got, err := f.objection(t.Context(), unsigned, time.Now()); err != nil || got != "" {
		t.Errorf("signatures are not wanted: %q, %v", got, err)
	}
}

// A head that is held for want of a signature is judged again once it has one,
// although the one before was held for what it changes.
func TestAHoldForgetsTheOneBefore(t *testing.T) {
	t.Parallel()
	f, _ := newTestFollower()
	f.log = logr.Discard()
	r := &reconciler{now: time.Now}
	for _, held := range []apply.HeldCommit{{Commit: "before", Reason: "too much", Mass: true}, {Commit: "head", Reason: "not signed"}} {
		if err := r.hold(t.Context(), f, held); err != nil {
			t.Fatal(err)
		}
	}
	if f.held != "head" || f.heldFor() != "not signed" || f.heldForMass("head") || f.heldForMass("before") {
		t.Errorf("held %s for %q", f.held, f.heldFor())
	}
}

// A branch that goes back to a commit that another had superseded says on it
// that it is held.
func TestAHeldCommitIsSupersededNoMore(t *testing.T) {
	t.Parallel()
	f, _ := newTestFollower()
	f.log = logr.Discard()
	f.state.Commits = []apply.CommitRecord{{SHA: "passed", Superseded: "newer", Delivered: "hash", State: "success"}}
	if err := (&reconciler{now: time.Now}).hold(t.Context(), f, apply.HeldCommit{Commit: "passed", Reason: "rewinds"}); err != nil {
		t.Fatal(err)
	}
	want := apply.CommitRecord{SHA: "passed", Held: "rewinds"}
	if got := f.records(); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Held commits that a head goes beyond are told so; the others stay held.
func TestPassedCommitsAreSuperseded(t *testing.T) {
	t.Parallel()
	s := newSigning(t)
	f := s.follower("")
	first := s.commit("", false)
	held := s.commit(first, false)
	before := s.commit(held, false)
	head := s.commit(before, false)
	if _, err := f.repo.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	aside := strings.Repeat("a", 40)
	f.state.Commits = []apply.CommitRecord{
		{SHA: first, Clusters: []string{"x"}},
		{SHA: held, Held: "unsigned", Delivered: "hash", State: "failure"},
		{SHA: before, Held: "rewinds", Base: first, Delivered: "hash", State: "failure"},
		{SHA: aside, Held: "unsigned", Delivered: "hash", State: "failure"},
		{SHA: head, Held: "unsigned"},
	}
	passed, err := f.passed(t.Context(), head)
	if err != nil || strings.Join(passed, " ") != held+" "+before {
		t.Fatalf("passed %v, %v", passed, err)
	}
	supersede(&f.state, passed, head)
	for i, want := range []apply.CommitRecord{{SHA: first}, {SHA: held, Superseded: head}, {SHA: before, Base: first},
		{SHA: aside, Held: "unsigned", Delivered: "hash", State: "failure"}, {SHA: head, Held: "unsigned"}} {
		got := f.state.Commits[i]
		got.Clusters = nil
		if got.SHA != want.SHA || got.Held != want.Held || got.Superseded != want.Superseded || got.Delivered != want.Delivered || got.State != want.State || got.Base != want.Base {
			t.Errorf("record %d is %+v, want %+v", i, got, want)
		}
	}
}
