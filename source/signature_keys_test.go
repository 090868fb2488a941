package source_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

const day = 24 * time.Hour

// pgpClock is a configuration in which it is that time, and keys live so long;
// 0 is for ever.
func pgpClock(at time.Time, life time.Duration) *packet.Config {
	return &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: uint32(life / time.Second),
		Time: func() time.Time { return at }}
}

func newPGPKey(t testing.TB, made time.Time, life time.Duration) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity("signer", "", "signer@example.com", pgpClock(made, life))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// keyRing is an armored block a key.
func keyRing(t testing.TB, keys ...*openpgp.Entity) string {
	t.Helper()
	var out bytes.Buffer
	for _, key := range keys {
		w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
		if err == nil {
			err = key.Serialize(w)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("\n")
	}
	return out.String()
}

func pgpSign(t testing.TB, key *openpgp.Entity, at time.Time, payload string) string {
	t.Helper()
	var out bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&out, key, strings.NewReader(payload), pgpClock(at, 0)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func pgpID(key *openpgp.Entity) string { return fmt.Sprintf("%016X", key.PrimaryKey.KeyId) }

func newSSHKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newRSAKey(t testing.TB) ssh.AlgorithmSigner {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer.(ssh.AlgorithmSigner)
}

// weakSigner signs with SHA-1, whatever it is asked for.
type weakSigner struct{ ssh.AlgorithmSigner }

func (w weakSigner) SignWithAlgorithm(rand io.Reader, data []byte, _ string) (*ssh.Signature, error) {
	return w.AlgorithmSigner.SignWithAlgorithm(rand, data, ssh.KeyAlgoRSA)
}

func sshSign(t testing.TB, key ssh.Signer, namespace, payload string) string {
	t.Helper()
	sig, err := sshsig.Sign(strings.NewReader(payload), key, sshsig.HashSHA512, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return string(sshsig.Armor(sig))
}

// signerLine is a line of an allowed-signers file.
func signerLine(key ssh.PublicKey, options string) string {
	return strings.Join(strings.Fields("signer@example.com "+options+" "+string(ssh.MarshalAuthorizedKey(key))), " ") + "\n"
}

// unsigned is a commit as it is stored, made at that time.
func unsigned(at time.Time, headers string) string {
	return fmt.Sprintf("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a <a@example.com> 1700000000 +0000\n"+
		"committer c <c@example.com> %d +0100\n%s\nAdd a list\n\ngpgsig is a word here.\n", at.Unix(), headers)
}

// withHeader puts a header of several lines before a commit's message.
func withHeader(object, name, value string) string {
	head, message, _ := strings.Cut(object, "\n\n")
	value = strings.ReplaceAll(strings.TrimSuffix(value, "\n"), "\n", "\n ")
	return head + "\n" + name + " " + value + "\n\n" + message
}

// keysIn writes a file of keys; "" is none.
func keysIn(t testing.TB, content string) string {
	t.Helper()
	if content == "" {
		return ""
	}
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
