package source_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/portcullis-gitops/portcullis/source"
)

// rotation is a credential in a file that is replaced under a Repository which
// stays open.
type rotation struct {
	opts      source.Options
	file      string // the credential under test
	bad, good string
	refused   error
	words     string // of the refusal
}

func content(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func otherKnownHost(t *testing.T, h *sshHost) (good, bad string) {
	t.Helper()
	key, _ := newKey(t)
	line := func(k ssh.PublicKey) string { return content(t, h.known(t, k)) }
	return line(h.hostKey), line(key.PublicKey())
}

// strangeAuthority is a certificate that signed nothing here.
func strangeAuthority(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// rotations are all kinds of credentials that there are.
func rotations(t *testing.T, u *upstream) map[string]rotation {
	t.Helper()
	plain, secure, over := serve(t, u, false), serve(t, u, true), serveSSH(t)
	_, otherKey := newKey(t)
	goodHost, badHost := otherKnownHost(t, over)
	file := func() string { return filepath.Join(t.TempDir(), "credential") }
	out := map[string]rotation{
		"tokenFile": {opts: source.Options{URL: plain.url()}, bad: "expired", good: canary + "\n", refused: source.ErrAuth, words: plain.url()},
		"passwordFile": {opts: source.Options{URL: plain.url(), Username: userOK}, bad: "expired\n", good: canary,
			refused: source.ErrAuth, words: plain.url()},
		"caFile": {opts: source.Options{URL: secure.url(), TokenFile: secret(t, canary)}, bad: strangeAuthority(t), good: string(certificate(secure)),
			refused: source.ErrUnavailable, words: "certificate"},
		"sshKeyFile": {opts: over.options(t, u), bad: content(t, otherKey), good: content(t, over.keyFile),
			refused: source.ErrAuth, words: "sshKeyFile"},
		"knownHostsFile": {opts: over.options(t, u), bad: badHost, good: goodHost, refused: source.ErrHostKey, words: "another key"},
	}
	for kind, c := range out {
		c.file = file()
		switch kind {
		case "tokenFile":
			c.opts.TokenFile = c.file
		case "passwordFile":
			c.opts.PasswordFile = c.file
		case "caFile":
			c.opts.CAFile = c.file
		case "sshKeyFile":
			c.opts.SSHKeyFile = c.file
		case "knownHostsFile":
			c.opts.KnownHostsFile = c.file
		}
		out[kind] = c
	}
	return out
}

// A credential that is replaced counts at the next poll, and one that was taken
// away no longer does.
func TestEveryCredentialIsReadAgain(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	for kind, c := range rotations(t, u) {
		t.Run(kind, func(t *testing.T) {
			r := open(t, c.opts)
			replace := func(with string) {
				t.Helper()
				must(t, os.WriteFile(c.file+".new", []byte(with), 0o600))
				must(t, os.Rename(c.file+".new", c.file))
			}
			refused := func() {
				t.Helper()
				_, err := r.Poll(t.Context())
				wantError(t, err, c.refused, c.words)
			}
			replace(c.bad)
			refused()
			replace(c.good)
			poll(t, r)
			replace(c.bad)
			refused()
			replace(c.good)
			poll(t, r)
			must(t, os.Remove(c.file))
			_, err := r.Poll(t.Context())
			wantError(t, err, os.ErrNotExist, c.file)
		})
	}
}
