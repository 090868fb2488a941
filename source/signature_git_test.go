package source_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/source"
)

// signedRepo is a repository in which the git program verifies and signs.
type signedRepo struct {
	t   *testing.T
	dir string
	env []string
}

// newSignedRepo needs gpg and ssh-keygen besides git. The cases are all tried
// without them as well, in TestVerify.
func newSignedRepo(t *testing.T) *signedRepo {
	t.Helper()
	for _, program := range []string{"gpg", "gpgconf", "ssh-keygen"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("not compared with what Git itself says: no %s on PATH", program)
		}
	}
	// The agent's socket must have a short name.
	home, err := os.MkdirTemp("", "gpg")
	must(t, err)
	s := &signedRepo{t: t, dir: t.TempDir(), env: append(os.Environ(), "GNUPGHOME="+home, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=signer", "GIT_COMMITTER_EMAIL=signer@example.com")}
	t.Cleanup(func() {
		_, _ = s.try("", "gpgconf", "--kill", "all")
		_ = os.RemoveAll(home)
	})
	s.run("", "git", "init", "-q", "-b", "main", ".")
	return s
}

func (s *signedRepo) try(in, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = s.dir, s.env, strings.NewReader(in)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	err := cmd.Run()
	if err != nil {
		return words.String(), err
	}
	return out.String(), nil
}

func (s *signedRepo) run(in, name string, args ...string) string {
	s.t.Helper()
	out, err := s.try(in, name, args...)
	if err != nil {
		s.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// verify is what Git says of a commit, knowing these keys and no others.
func (s *signedRepo) verify(c signedCase) (words string, err error) {
	s.t.Helper()
	commit := strings.TrimSpace(s.run(c.object, "git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"))
	if c.pgp != "" {
		if out, err := s.try(c.pgp, "gpg", "--batch", "--import"); err != nil && !strings.Contains(out, "imported") {
			s.t.Fatalf("import: %v\n%s", err, out)
		}
	}
	return s.try("", "git", "-c", "gpg.ssh.allowedSignersFile="+keysIn(s.t, c.ssh), "verify-commit", "-v", commit)
}

func TestGitSaysTheSame(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	for _, c := range allCases(t, now) {
		t.Run(c.name, func(t *testing.T) {
			if c.git != "" {
				t.Logf("not compared: %s", c.git)
				return
			}
			words, err := newSignedRepo(t).verify(c)
			if verified := err == nil; verified != (c.want == "") {
				t.Errorf("Git verifies it: %v, want a reason with %q\n%s", verified, c.want, words)
			}
		})
	}
}

// What the programs sign that people use is verified.
func TestCommitsSignedByGitItself(t *testing.T) {
	t.Parallel()
	s := newSignedRepo(t)
	key := filepath.Join(t.TempDir(), "key")
	s.run("", "ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", key)
	public, err := os.ReadFile(key + ".pub")
	must(t, err)
	s.run("", "gpg", "--batch", "--passphrase", "", "--quick-generate-key", "signer@example.com", "rsa2048", "sign", "1d")
	v, err := source.NewVerifier(keysIn(t, s.run("", "gpg", "--armor", "--export")), keysIn(t, "signer@example.com "+string(public)))
	must(t, err)
	for _, how := range [][]string{{"gpg.format=openpgp", "user.signingKey=signer@example.com"}, {"gpg.format=ssh", "user.signingKey=" + key}} {
		s.run("", "git", "-c", how[0], "-c", how[1], "commit", "-q", "-S", "--allow-empty", "-m", "signed")
		object := s.run("", "git", "cat-file", "commit", "HEAD")
		if err := v.Verify("0123abcd", []byte(object), time.Now()); err != nil {
			t.Errorf("%v: %v", how, err)
		}
		wantReason(t, v.Verify("0123abcd", []byte(object+"more"), time.Now()), "signature")
	}
}
