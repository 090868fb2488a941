package source_test

import (
	"bytes"
	"errors"
	"fmt"
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

	"github.com/portcullis-gitops/portcullis/source"
)

// signedCase is a commit and the keys that are known. What Git says of it is
// asked in TestGitSaysTheSame.
type signedCase struct {
	name     string
	object   string
	pgp, ssh string // content of the files of keys
	want     string // what the reason holds; "": verified
	// git is set where Git is less strict, or cannot be asked, and says why.
	git string
}

func pgpCases(t *testing.T, now time.Time) []signedCase {
	object := unsigned(now, "")
	known, other := newPGPKey(t, now.Add(-10*day), 0), newPGPKey(t, now.Add(-10*day), 0)
	short := newPGPKey(t, now.Add(-10*day), 5*day)
	withSubkey := newPGPKey(t, now.Add(-10*day), 0)
	primary := pgpSign(t, withSubkey, now.Add(-day), object)
	if err := withSubkey.AddSigningSubkey(pgpClock(now.Add(-9*day), 0)); err != nil {
		t.Fatal(err)
	}
	revoked := newPGPKey(t, now.Add(-10*day), 0)
	byRevoked := pgpSign(t, revoked, now.Add(-5*day), object)
	if err := revoked.RevokeKey(packet.KeyRetired, "", pgpClock(now.Add(-day), 0)); err != nil {
		t.Fatal(err)
	}
	revokedSub := newPGPKey(t, now.Add(-10*day), 0)
	if err := revokedSub.AddSigningSubkey(pgpClock(now.Add(-9*day), 0)); err != nil {
		t.Fatal(err)
	}
	byRevokedSub := pgpSign(t, revokedSub, now.Add(-5*day), object)
	if err := revokedSub.RevokeSubkey(&revokedSub.Subkeys[len(revokedSub.Subkeys)-1], packet.KeyCompromised, "", pgpClock(now.Add(-day), 0)); err != nil {
		t.Fatal(err)
	}
	signed := func(o string, key *openpgp.Entity, at time.Time) string {
		return withHeader(o, "gpgsig", pgpSign(t, key, at, o))
	}
	good := signed(object, known, now.Add(-time.Hour))
	both := keyRing(t, other, known)
	merge := withHeader(unsigned(now, "encoding ISO-8859-1\nx-odd one\n"), "mergetag", "object 1234\ntag v1\ngpgsig not one\n\nwords")
	ring := keyRing(t, known)
	return []signedCase{
		{name: "pgp", object: good, pgp: ring},
		{name: "pgp, the second of two blocks", object: good, pgp: both},
		{name: "pgp, by a subkey", object: signed(object, withSubkey, now.Add(-time.Hour)), pgp: keyRing(t, withSubkey)},
		{name: "pgp, by the primary key of one with a subkey", object: withHeader(object, "gpgsig", primary), pgp: keyRing(t, withSubkey)},
		{name: "pgp, with headers that few know", object: signed(merge, known, now), pgp: ring},
		{name: "pgp, with a second signature for another kind of repository",
			object: withHeader(good, "gpgsig-sha256", "-----BEGIN PGP SIGNATURE-----\n\nnothing\n-----END PGP SIGNATURE-----"), pgp: ring},
		{name: "pgp, key unknown", object: signed(object, other, now), pgp: ring, want: "not signed by a known key: PGP key " + pgpID(other)},
		{name: "pgp, tampered", object: strings.Replace(good, "Add a list", "Add two lists", 1), pgp: ring, want: "bad PGP signature"},
		{name: "pgp, tampered in a header", object: withHeader(good, "x-added", "later"), pgp: ring, want: "bad PGP signature"},
		{name: "pgp, of another commit", object: withHeader(unsigned(now.Add(-time.Hour), ""), "gpgsig", pgpSign(t, known, now, object)), pgp: ring, want: "bad PGP signature"},
		{name: "pgp, signed while the key was valid, expired by now", object: signed(object, short, now.Add(-8*day)), pgp: keyRing(t, short), want: pgpID(short) + " has expired"},
		{name: "pgp, signed when the key had expired", object: withHeader(object, "gpgsig", pgpSignAnyway(t, short, now.Add(-day), object)), pgp: keyRing(t, short), want: pgpID(short) + " has expired"},
		{name: "pgp, key revoked after it signed", object: withHeader(object, "gpgsig", byRevoked), pgp: keyRing(t, revoked), want: "is revoked"},
		{name: "pgp, subkey revoked after it signed", object: withHeader(object, "gpgsig", byRevokedSub), pgp: keyRing(t, revokedSub), want: "is revoked"},
		{name: "pgp, signed tomorrow", object: signed(object, known, now.Add(day)), pgp: ring, want: "not valid yet",
			git: "gpg takes the wrong clock for its own"},
		{name: "pgp, garbage", object: withHeader(object, "gpgsig", "-----BEGIN PGP SIGNATURE-----\n\nAAAAAAAA\n=AAAA\n-----END PGP SIGNATURE-----"), pgp: ring, want: "bad PGP signature"},
		{name: "pgp, huge", object: withHeader(object, "gpgsig", "-----BEGIN PGP SIGNATURE-----\n\n"+strings.Repeat("A", 64<<10)), pgp: ring, want: "over 64 KiB"},
		{name: "pgp, twice", object: withHeader(good, "gpgsig", pgpSign(t, known, now, object)), pgp: ring, want: "there are several"},
		{name: "pgp, in the header of another kind of repository", object: withHeader(object, "gpgsig-sha256", pgpSign(t, known, now, object)), pgp: ring, want: "it has no signature"},
	}
}

// pgpSignAnyway signs with a key whose time is over.
func pgpSignAnyway(t *testing.T, key *openpgp.Entity, at time.Time, payload string) string {
	t.Helper()
	immortal := *key
	immortal.Identities = map[string]*openpgp.Identity{}
	for name, id := range key.Identities {
		self := *id.SelfSignature
		self.KeyLifetimeSecs = nil
		immortal.Identities[name] = &openpgp.Identity{Name: id.Name, UserId: id.UserId, SelfSignature: &self, Signatures: []*packet.Signature{&self}}
	}
	return pgpSign(t, &immortal, at, payload)
}

func sshCases(t *testing.T, now time.Time) []signedCase {
	object := unsigned(now, "")
	known, other, strong := newSSHKey(t), newSSHKey(t), newRSAKey(t)
	name := ssh.FingerprintSHA256(known.PublicKey())
	signed := func(o string, key ssh.Signer) string { return withHeader(o, "gpgsig", sshSign(t, key, "git", o)) }
	good := signed(object, known)
	stamp := func(at time.Time) string { return `"` + at.UTC().Format("20060102150405Z") + `"` }
	line := func(options string) string { return signerLine(known.PublicKey(), options) }
	ring := line("")
	return []signedCase{
		{name: "ssh", object: good, ssh: ring},
		{name: "ssh, among others", object: good, ssh: "# ours\n\n" + signerLine(other.PublicKey(), "") + strings.TrimSpace(ring) + " with a comment\r\n"},
		{name: "ssh, in its time", object: good, ssh: line("valid-after=" + stamp(now.Add(-day)) + ",valid-before=" + stamp(now.Add(day)))},
		{name: "ssh, one line of two fits", object: good, ssh: line(`namespaces="file"`) + line(`namespaces="git"`)},
		{name: "ssh, namespaces by pattern", object: good, ssh: line(`NAMESPACES="file,g?*"`)},
		{name: "ssh, expired by now, not when committed", object: signed(unsigned(now.Add(-3*day), ""), known), ssh: line("valid-before=" + stamp(now.Add(-2*day)))},
		{name: "ssh, expired when committed", object: good, ssh: line("valid-before=" + stamp(now.Add(-day))), want: "had expired"},
		{name: "ssh, not yet valid when committed", object: good, ssh: line("valid-after=" + stamp(now.Add(day))), want: "not valid yet"},
		{name: "ssh, key unknown", object: signed(object, other), ssh: ring, want: "not signed by a known key: SSH key " + ssh.FingerprintSHA256(other.PublicKey())},
		{name: "ssh, key known for something else", object: good, ssh: line(`namespaces="file"`), want: name + " is not known for namespace git"},
		{name: "ssh, git is denied", object: good, ssh: line(`namespaces="*,!git"`), want: "namespace git"},
		{name: "ssh, made for something else", object: withHeader(object, "gpgsig", sshSign(t, known, "file", object)), ssh: ring, want: "not made for Git"},
		{name: "ssh, tampered", object: strings.Replace(good, "Add a list", "Add two lists", 1), ssh: ring, want: "bad SSH signature"},
		{name: "ssh, of another commit", object: withHeader(unsigned(now.Add(-time.Hour), ""), "gpgsig", sshSign(t, known, "git", object)), ssh: ring, want: "bad SSH signature"},
		{name: "ssh, another's key in a signature", object: withHeader(object, "gpgsig", forged(t, known.PublicKey(), sshSign(t, other, "git", object))), ssh: ring, want: "bad SSH signature"},
		{name: "ssh, rsa", object: signed(object, strong), ssh: signerLine(strong.PublicKey(), "")},
		{name: "ssh, rsa with SHA-1", object: signed(object, weakSigner{strong}), ssh: signerLine(strong.PublicKey(), ""), want: "bad SSH signature"},
		{name: "ssh, garbage", object: withHeader(object, "gpgsig", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----"), ssh: ring, want: "bad SSH signature"},
		{name: "ssh, without a date", object: signed(strings.Replace(object, "committer c <c@example.com> ", "committer c <c@example.com> x", 1), known), ssh: ring,
			want: "cannot be read", git: "Git takes today"},
		{name: "ssh, by a certificate", object: withHeader(object, "gpgsig", sshSign(t, certified(t, known), "git", object)), ssh: ring,
			want: "certificates are not supported"},
	}
}

// forged puts a key into a signature that another key made.
func forged(t *testing.T, key ssh.PublicKey, signature string) string {
	t.Helper()
	sig, err := sshsig.Unarmor([]byte(signature))
	if err != nil {
		t.Fatal(err)
	}
	sig.PublicKey = key
	return string(sshsig.Armor(sig))
}

// certified is a key with a certificate of its own making.
func certified(t *testing.T, key ssh.Signer) ssh.Signer {
	t.Helper()
	c := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity, ValidPrincipals: []string{"signer@example.com"}}
	if err := c.SignCert(zero{}, key); err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewCertSigner(c, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func otherCases(t *testing.T, now time.Time) []signedCase {
	object := unsigned(now, "")
	pgp, key := newPGPKey(t, now.Add(-day), 0), newSSHKey(t)
	ring, signers := keyRing(t, pgp), signerLine(key.PublicKey(), "")
	byPGP := withHeader(object, "gpgsig", pgpSign(t, pgp, now, object))
	bySSH := withHeader(object, "gpgsig", sshSign(t, key, "git", object))
	return []signedCase{
		{name: "both files, pgp", object: byPGP, pgp: ring, ssh: signers},
		{name: "both files, ssh", object: bySSH, pgp: ring, ssh: signers},
		{name: "pgp, only ssh keys known", object: byPGP, ssh: signers, want: "only SSH keys are known"},
		{name: "ssh, only pgp keys known", object: bySSH, pgp: ring, want: "only PGP keys are known"},
		{name: "unsigned", object: object, pgp: ring, ssh: signers, want: "not signed by a known key: it has no signature"},
		{name: "a signature in the message alone", object: object + "gpgsig " + sshSign(t, key, "git", object), ssh: signers, want: "no signature"},
		{name: "empty signature", object: withHeader(object, "gpgsig", ""), ssh: signers, want: "no signature"},
		{name: "x509", object: withHeader(object, "gpgsig", "-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----"), ssh: signers, want: "neither of PGP nor of SSH"},
		{name: "no commit at all", object: "garbage", pgp: ring, want: "no signature"},
		{name: "empty", object: "", pgp: ring, want: "no signature"},
	}
}

func allCases(t *testing.T, now time.Time) []signedCase {
	return append(append(pgpCases(t, now), sshCases(t, now)...), otherCases(t, now)...)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	for _, c := range allCases(t, now) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := source.NewVerifier(keysIn(t, c.pgp), keysIn(t, c.ssh))
			must(t, err)
			wantReason(t, v.Verify("0123abcd", []byte(c.object), now), c.want)
		})
	}
}

func wantReason(t testing.TB, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	var why *source.UnverifiedError
	switch {
	case !errors.As(err, &why):
		t.Fatalf("got %v, want %q", err, want)
	case !strings.Contains(why.Reason, want), strings.ContainsAny(why.Reason, "\n\r"), len(why.Reason) > 100:
		t.Errorf("the reason is %q, want one line with %q", why.Reason, want)
	case why.Commit != "0123abcd" && len(why.Commit) != 40:
		t.Errorf("the commit is %q", why.Commit)
	}
}

func TestKeysAreReadAgain(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	object := unsigned(now, "")
	first, second := newSSHKey(t), newSSHKey(t)
	old, young := newPGPKey(t, now.Add(-day), 0), newPGPKey(t, now.Add(-day), 0)
	for _, kind := range []struct {
		name, one, two string
		object         string
		files          func(file string) (pgp, ssh string)
	}{
		{"ssh", signerLine(first.PublicKey(), ""), signerLine(second.PublicKey(), ""), withHeader(object, "gpgsig", sshSign(t, second, "git", object)),
			func(file string) (string, string) { return "", file }},
		{"pgp", keyRing(t, old), keyRing(t, young), withHeader(object, "gpgsig", pgpSign(t, young, now, object)),
			func(file string) (string, string) { return file, "" }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			file := keysIn(t, kind.one)
			v, err := source.NewVerifier(kind.files(file))
			must(t, err)
			check := func(want string) { t.Helper(); wantReason(t, v.Verify("0123abcd", []byte(kind.object), now), want) }
			check("not signed by a known key")
			must(t, os.WriteFile(file, []byte(kind.two), 0o600))
			check("")
			must(t, os.WriteFile(file, []byte(canary), 0o600))
			check("cannot be read")
			if err := v.Verify("c", []byte(kind.object), now); strings.Contains(err.Error(), canary) {
				t.Errorf("the content is repeated: %v", err)
			}
			must(t, os.WriteFile(file, []byte(kind.two), 0o600))
			check("")
			must(t, os.Remove(file))
			check("cannot be read")
			must(t, os.WriteFile(file+".new", []byte(kind.two+strings.Repeat("\n", 1<<20)), 0o600))
			must(t, os.Rename(file+".new", file))
			check("cannot be read")
			must(t, os.WriteFile(file, []byte(kind.one+kind.two), 0o600))
			check("")
		})
	}
}

// revocation is what `gpg --generate-revocation` prints: no key comes with it.
func revocation(t *testing.T, key *openpgp.Entity) string {
	t.Helper()
	revoked := *key
	must(t, revoked.RevokeKey(packet.KeyCompromised, "", pgpClock(time.Now(), 0)))
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	must(t, err)
	must(t, revoked.Revocations[0].Serialize(w))
	must(t, w.Close())
	return out.String()
}

func TestVerifierRefusesFilesThatVouchForNobody(t *testing.T) {
	t.Parallel()
	key := newSSHKey(t)
	pgp := newPGPKey(t, time.Now(), 0)
	private := strings.ReplaceAll(keyRing(t, pgp), "PUBLIC", "PRIVATE")
	for name, c := range map[string]struct{ pgp, ssh, want string }{
		"nothing":               {"", "", "neither pgpKeyRingFile nor sshAllowedSignersFile"},
		"no keys":               {canary, "", "no armored PGP keys"},
		"private keys":          {private, "", "block 1 is not of public keys"},
		"cut short":             {keyRing(t, pgp)[:200], "", "block 1 "},
		"second block is none":  {keyRing(t, pgp) + "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + "AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n", "", "block 2"},
		"a key twice":           {keyRing(t, pgp, newPGPKey(t, time.Now(), 0), pgp), "", "block 3 holds key " + pgpID(pgp)},
		"a revocation alone":    {keyRing(t, pgp) + revocation(t, pgp), "", "block 2 holds no key"},
		"too large":             {"", strings.Repeat("#", 1<<20+1), "too large"},
		"an authority":          {"", "# a\n" + signerLine(key.PublicKey(), "cert-authority"), "line 2: cert-authority is not supported"},
		"no signer":             {"", "# " + canary + "\n", "names no signer"},
		"rubbish among signers": {"", signerLine(key.PublicKey(), "") + canary + " " + canary + "\n", "line 2: want principals"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := source.NewVerifier(keysIn(t, c.pgp), keysIn(t, c.ssh))
			wantError(t, err, nil, c.want)
		})
	}
	gone := filepath.Join(t.TempDir(), "gone")
	_, err := source.NewVerifier(gone, gone)
	for _, want := range []string{"read pgpKeyRingFile: ", "read sshAllowedSignersFile: "} {
		wantError(t, err, os.ErrNotExist, want)
	}
}

func TestRepositoryVerifies(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	key := newSSHKey(t)
	first := u.change("tenants/acme/a.yaml", "one")
	object := input(u, "", "cat-file", "commit", first) + "\n"
	signed := input(u, withHeader(object, "gpgsig", sshSign(t, key, "git", object)), "hash-object", "-t", "commit", "-w", "--stdin")
	u.git("push", "-q", "origin", "+"+signed+":main")
	r := open(t, source.Options{URL: u.url()})
	v, err := source.NewVerifier("", keysIn(t, signerLine(key.PublicKey(), "")))
	must(t, err)
	head := poll(t, r)
	if head != signed {
		t.Fatalf("the head is %s, want %s", head, signed)
	}
	wantReason(t, r.Verify(t.Context(), head, v, time.Now()), "")
	u.write("tenants/acme/a.yaml", "two")
	u.commit("unsigned")
	u.push("-f")
	wantReason(t, r.Verify(t.Context(), poll(t, r), v, time.Now()), "no signature")
	wantError(t, r.Verify(t.Context(), fmt.Sprintf("%040x", 1), v, time.Now()), source.ErrNotFound, "read commit")
}
