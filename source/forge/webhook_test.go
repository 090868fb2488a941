package forge_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

func TestVerifyWebhook(t *testing.T) {
	t.Parallel()
	const secret, body = "canary-of-a-secret", `{"action":"opened"}`
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	good := hex.EncodeToString(mac.Sum(nil))
	mac = hmac.New(sha256.New, nil)
	mac.Write([]byte(body))
	ofNothing := hex.EncodeToString(mac.Sum(nil))
	for name, tt := range map[string]struct {
		host         string
		header       []string // names and values
		body, secret string
		ok           bool
	}{
		"github":                  {"github", []string{"X-Hub-Signature-256", "sha256=" + good}, body, secret, true},
		"gitea":                   {"gitea", []string{"X-Gitea-Signature", good}, body, secret, true},
		"forgejo":                 {"gitea", []string{"X-Forgejo-Signature", good}, body, secret, true},
		"forgejo sends both":      {"gitea", []string{"X-Forgejo-Signature", good, "X-Gitea-Signature", good}, body, secret, true},
		"gitlab":                  {"gitlab", []string{"X-Gitlab-Token", secret}, body, secret, true},
		"repeated":                {"github", []string{"X-Hub-Signature-256", "sha256=" + good}, body, secret, true},
		"upper case":              {"gitea", []string{"X-Gitea-Signature", strings.ToUpper(good)}, body, secret, true},
		"other body":              {"github", []string{"X-Hub-Signature-256", "sha256=" + good}, body + " ", secret, false},
		"other secret":            {"gitea", []string{"X-Gitea-Signature", good}, body, secret + "x", false},
		"other token":             {"gitlab", []string{"X-Gitlab-Token", secret + "x"}, body, secret, false},
		"half a token":            {"gitlab", []string{"X-Gitlab-Token", secret[:5]}, body, secret, false},
		"no prefix":               {"github", []string{"X-Hub-Signature-256", good}, body, secret, false},
		"SHA-1 alone":             {"github", []string{"X-Hub-Signature", "sha1=" + good}, body, secret, false},
		"another forge's header":  {"github", []string{"X-Gitea-Signature", good}, body, secret, false},
		"half a signature":        {"gitea", []string{"X-Gitea-Signature", good[:32]}, body, secret, false},
		"no hexadecimal":          {"gitea", []string{"X-Gitea-Signature", "zz"}, body, secret, false},
		"no header":               {"gitlab", nil, body, secret, false},
		"empty header":            {"gitlab", []string{"X-Gitlab-Token", ""}, body, secret, false},
		"two headers":             {"gitea", []string{"X-Gitea-Signature", good, "X-Gitea-Signature", ofNothing}, body, secret, false},
		"wrong one of both":       {"gitea", []string{"X-Forgejo-Signature", ofNothing, "X-Gitea-Signature", good}, body, secret, false},
		"no secret":               {"github", []string{"X-Hub-Signature-256", "sha256=" + ofNothing}, body, "", false},
		"no secret, empty header": {"gitlab", []string{"X-Gitlab-Token", ""}, body, "", false},
		"a host without webhooks": {"notes", []string{"X-Gitlab-Token", secret}, body, secret, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			for i := 0; i < len(tt.header); i += 2 {
				header.Add(tt.header[i], tt.header[i+1])
			}
			err := forge.VerifyWebhook(tt.host, header, []byte(tt.body), []byte(tt.secret))
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, forge.ErrSignature) {
				t.Errorf("error %v; want one: %v", err, !tt.ok)
			}
			if err != nil && (strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), good)) {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}
