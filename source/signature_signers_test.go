package source

import (
	"crypto/ed25519"
	"crypto/rand"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// aKey is a public key as allowed-signers files have it.
func aKey(t testing.TB) string {
	t.Helper()
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	key, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func certificate(t testing.TB) string {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	c := &ssh.Certificate{Key: signer.PublicKey(), CertType: ssh.UserCert}
	if err := c.SignCert(rand.Reader, signer); err != nil {
		t.Fatal(err)
	}
	return string(ssh.MarshalAuthorizedKey(c))
}

// aDSAKey is one in form; its numbers mean nothing.
func aDSAKey(t testing.TB) string {
	t.Helper()
	p := new(big.Int).Lsh(big.NewInt(1), 1023)
	blob := ssh.Marshal(struct {
		Type       string
		P, Q, G, Y *big.Int
	}{dsa, p, new(big.Int).Lsh(big.NewInt(1), 159), big.NewInt(2), big.NewInt(3)})
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		t.Fatal(err)
	}
	return string(ssh.MarshalAuthorizedKey(key))
}

func TestAllowedSigners(t *testing.T) {
	t.Parallel()
	key := aKey(t)
	vienna := time.FixedZone("there", 3600)
	for name, c := range map[string]struct {
		line          string
		git           bool
		after, before string // RFC 3339
		want          string // of the error
	}{
		"plain":                     {line: "a@example.com " + key, git: true},
		"comment and blanks":        {line: " \ta@example.com,!b@* \t " + key + " laptop of a \t", git: true},
		"principals in quotes":      {line: `"a@example.com,b c" ` + key, git: true},
		"options in any case":       {line: `a NameSpaces="file,git" ` + key, git: true},
		"not for git":               {line: `a namespaces="file,git2,gi" ` + key},
		"git denied":                {line: `a namespaces="!g*,*" ` + key},
		"no namespace at all":       {line: `a namespaces="" ` + key},
		"by pattern":                {line: `a namespaces="?i*t*" ` + key, git: true},
		"dates":                     {line: `a valid-after="20260102",valid-before="20260304z" ` + key, git: true, after: "2026-01-02T00:00:00+01:00", before: "2026-03-04T00:00:00Z"},
		"times":                     {line: `a valid-after="202601020304",valid-before="20260304050607Z" ` + key, git: true, after: "2026-01-02T03:04:00+01:00", before: "2026-03-04T05:06:07Z"},
		"quotation mark in a value": {line: `a namespaces="git,\"" ` + key, git: true},
		"authority":                 {line: `*@example.com cert-authority ` + key, want: "cert-authority is not supported"},
		"authority among others":    {line: `a namespaces="git",CERT-AUTHORITY ` + key, want: "cert-authority is not supported"},
		"no key":                    {line: "a@example.com", want: "there is no key"},
		"no principals":             {line: key, want: "want principals"},
		"nobody":                    {line: "!a,!b " + key, want: "nobody"},
		"empty principals":          {line: `"" ` + key, want: "nobody"},
		"open quotes":               {line: `"a ` + key, want: "not closed"},
		"certificate":               {line: "a " + certificate(t), want: "certificates are not supported"},
		"DSA":                       {line: "a " + aDSAKey(t), want: "DSA"},
		"broken key":                {line: "a ssh-ed25519 AAAA", want: "want principals"},
		"unknown option":            {line: `a no-touch-required="" ` + key, want: "unknown option"},
		"value without quotes":      {line: `a namespaces=git ` + key, want: "not in quotes"},
		"no value":                  {line: `a namespaces ` + key, want: "not in quotes"},
		"twice":                     {line: `a valid-after="20260102",VALID-AFTER="20260103" ` + key, want: "twice"},
		"no such day":               {line: `a valid-after="20260230" ` + key, want: "not of the form"},
		"no time":                   {line: `a valid-after="always" ` + key, want: "not of the form"},
		"never":                     {line: `a valid-after="20260103Z",valid-before="20260102Z" ` + key, want: "not before"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseSigners([]byte("# first\n\n"+c.line+"\r\n"), vienna)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "line 3: ") {
					t.Fatalf("got %v, want line 3 and %q", err, c.want)
				}
				return
			}
			if err != nil || len(got) != 1 {
				t.Fatalf("%d signers, %v", len(got), err)
			}
			s := got[0]
			if s.git != c.git || !s.after.Equal(moment(t, c.after)) || !s.before.Equal(moment(t, c.before)) {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// FuzzAllowedSigners: whatever is in the file, nothing of it is repeated, and
// each signer has a line of its own.
func FuzzAllowedSigners(f *testing.F) {
	key := aKey(f)
	for _, options := range []string{"", `namespaces="git,!*" `, `valid-after="20260102Z",valid-before="20270102" `, "cert-authority "} {
		f.Add([]byte("# x\n\"a@b,!c\" " + options + key + " y\n"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		signers, err := parseSigners(data, time.UTC)
		if err == nil && len(signers) == 0 {
			t.Fatal("neither signers nor an error")
		}
		if err != nil && len(err.Error()) > 120 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
		if len(signers) > strings.Count(string(data), "\n")+1 {
			t.Fatalf("%d signers", len(signers))
		}
		for _, s := range signers {
			if s.key == nil || !s.before.IsZero() && !s.after.Before(s.before) {
				t.Fatalf("signer %+v", s)
			}
		}
	})
}

// FuzzSignedPart: what is signed and the signature are all that there is, and
// what was taken out is in neither.
func FuzzSignedPart(f *testing.F) {
	f.Add([]byte("tree 0\ngpgsig -----BEGIN\n AAAA\n \nencoding x\n\nmessage\n"))
	f.Add([]byte("tree 0\ngpgsig-sha256 a\n b\ngpgsig c\n d\n\n"))
	f.Add([]byte("\ngpgsig x"))
	f.Add([]byte(" gpgsig x\ngpgsig"))
	f.Fuzz(func(t *testing.T, object []byte) {
		payload, signature, err := signedPart(object)
		if err != nil {
			return
		}
		if len(payload)+len(signature) > len(object) {
			t.Fatalf("%d and %d bytes out of %d", len(payload), len(signature), len(object))
		}
		again, none, err := signedPart(payload)
		if err != nil || len(none) > 0 || string(again) != string(payload) {
			t.Fatalf("the payload is signed itself: %q, %v", none, err)
		}
	})
}
