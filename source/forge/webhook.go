package forge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrSignature is a webhook that is not signed with the secret.
var ErrSignature = errors.New("webhook is not signed with the secret")

// VerifyWebhook tells whether a host that knows the secret sent this webhook.
// host is github, gitlab or gitea, which is Forgejo too. body is the request's
// as it came; whoever reads it bounds it. A webhook without a signature, or
// with two, is refused, and so is every webhook where the secret is empty:
// anybody could sign with that.
//
// GitHub, Gitea and Forgejo send an HMAC-SHA256 of the body in hexadecimal
// (X-Hub-Signature-256: sha256=..., X-Gitea-Signature, X-Forgejo-Signature),
// GitLab the secret itself (X-Gitlab-Token). Both are compared in constant
// time. A repeated webhook verifies again: it may only be taken as a hint.
func VerifyWebhook(host string, header http.Header, body, secret []byte) error {
	if len(secret) == 0 {
		return fmt.Errorf("%w: there is none", ErrSignature)
	}
	switch host {
	case "github":
		return verifyBody(header, "X-Hub-Signature-256", "sha256=", body, secret)
	case "gitea":
		if len(header.Values("X-Forgejo-Signature")) > 0 {
			return verifyBody(header, "X-Forgejo-Signature", "", body, secret)
		}
		return verifyBody(header, "X-Gitea-Signature", "", body, secret)
	case "gitlab":
		return verifyToken(header, "X-Gitlab-Token", secret)
	}
	return fmt.Errorf("%w: %q sends no webhooks", ErrSignature, host)
}

func verifyBody(header http.Header, name, prefix string, body, secret []byte) error {
	value, err := only(header, name)
	if err != nil {
		return err
	}
	digits, ok := strings.CutPrefix(value, prefix)
	got, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return fmt.Errorf("%w: %s is no signature", ErrSignature, name)
	}
	if !hmac.Equal(got, sum(body, secret)) {
		return fmt.Errorf("%w: %s does not fit the body", ErrSignature, name)
	}
	return nil
}

// verifyToken compares sums, so that not even the secret's length shows.
func verifyToken(header http.Header, name string, secret []byte) error {
	value, err := only(header, name)
	if err != nil {
		return err
	}
	if !hmac.Equal(sum([]byte(value), secret), sum(secret, secret)) {
		return fmt.Errorf("%w: %s is another", ErrSignature, name)
	}
	return nil
}

func only(header http.Header, name string) (string, error) {
	values := header.Values(name)
	if len(values) != 1 || values[0] == "" {
		return "", fmt.Errorf("%w: want one %s, have %d", ErrSignature, name, len(values))
	}
	return values[0], nil
}

func sum(text, secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(text)
	return mac.Sum(nil)
}
