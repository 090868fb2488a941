package hooks_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/hooks"
)

const secret = "canary-of-a-secret"

// replica is one that takes webhooks for a source.
type replica struct {
	*httptest.Server
	file  string
	woken atomic.Int64
	leads atomic.Bool
}

func start(t *testing.T, leads bool, pass func(context.Context, string, http.Header, []byte) error) *replica {
	t.Helper()
	r := &replica{file: filepath.Join(t.TempDir(), "secret")}
	r.leads.Store(leads)
	write(t, r.file, secret+"\n")
	r.Server = httptest.NewServer(hooks.New(hooks.Options{Leads: r.leads.Load, Pass: pass, Log: logr.Discard(), Sources: map[string]hooks.Source{
		"customers": {Forge: "gitea", SecretFile: r.file, Wake: func() { r.woken.Add(1) }}}}))
	t.Cleanup(r.Close)
	return r
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *replica) send(t *testing.T, method, path, body, secret string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	request.Header.Set("X-Gitea-Signature", hex.EncodeToString(mac.Sum(nil)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		method, path, body, secret string
		status                     int
	}{
		"taken":              {"POST", "/hooks/customers", `{"action":"opened"}`, secret, 202},
		"no content":         {"POST", "/hooks/customers", "", secret, 202},
		"largest":            {"POST", "/hooks/customers", strings.Repeat("x", hooks.MaxBody), secret, 202},
		"not signed":         {"POST", "/hooks/customers", "{}", "another", 401},
		"another source":     {"POST", "/hooks/others", "{}", secret, 404},
		"no source":          {"POST", "/hooks/", "{}", secret, 404},
		"another path":       {"POST", "/customers", "{}", secret, 404},
		"below":              {"POST", "/hooks/customers/x", "{}", secret, 404},
		"read":               {"GET", "/hooks/customers", "", secret, 405},
		"read what is not":   {"GET", "/hooks/others", "", secret, 404},
		"too large":          {"POST", "/hooks/customers", strings.Repeat("x", hooks.MaxBody+1), secret, 413},
		"too large unsigned": {"POST", "/hooks/customers", strings.Repeat("x", 2*hooks.MaxBody), "another", 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, true, nil)
			status, text := r.send(t, tt.method, tt.path, tt.body, tt.secret)
			if woken := r.woken.Load() == 1; status != tt.status || woken != (tt.status == 202) || strings.Contains(text, "canary") {
				t.Errorf("%d %q, woken: %v; want %d", status, text, woken, tt.status)
			}
		})
	}
}

// TestSecretIsReadAnew replaces it, and takes it away.
func TestSecretIsReadAnew(t *testing.T) {
	t.Parallel()
	r := start(t, true, nil)
	write(t, r.file, "newer")
	for _, tt := range []struct {
		secret string
		status int
	}{{secret, 401}, {"newer", 202}} {
		if status, _ := r.send(t, "POST", "/hooks/customers", "{}", tt.secret); status != tt.status {
			t.Errorf("%d with %q, want %d", status, tt.secret, tt.status)
		}
	}
	write(t, r.file, "\n")
	if status, _ := r.send(t, "POST", "/hooks/customers", "{}", ""); status != 401 {
		t.Errorf("%d with no secret at all", status)
	}
	if err := os.Remove(r.file); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.send(t, "POST", "/hooks/customers", "{}", "newer"); status != 401 {
		t.Errorf("%d without the file", status)
	}
}

// peers are the other replicas of one, at addresses of loopback.
func peers(t *testing.T, of *replica, addresses ...string) func(context.Context, string, http.Header, []byte) error {
	t.Helper()
	base, err := url.Parse(of.URL)
	if err != nil {
		t.Fatal(err)
	}
	return hooks.Peers(base, func(context.Context, string) ([]string, error) { return addresses, nil })
}

// TestStandbyPassesOn sends to a replica that does not lead.
func TestStandbyPassesOn(t *testing.T) {
	t.Parallel()
	leader := start(t, true, nil)
	// An address at which nobody answers is no reason to give up.
	standby := start(t, false, peers(t, leader, "127.0.0.9", "127.0.0.1"))
	if status, _ := standby.send(t, "POST", "/hooks/customers", `{"a":1}`, secret); status != 202 || leader.woken.Load() != 1 || standby.woken.Load() != 0 {
		t.Errorf("%d, leader woken %d times", status, leader.woken.Load())
	}
	if status, _ := standby.send(t, "POST", "/hooks/customers", `{"a":1}`, "another"); status != 401 || leader.woken.Load() != 1 {
		t.Errorf("%d for one that is not signed", status)
	}
	leader.leads.Store(false)
	if status, _ := standby.send(t, "POST", "/hooks/customers", `{"a":1}`, secret); status != 503 {
		t.Errorf("%d while nobody leads", status)
	}
}

// TestNotPassedOnTwice has two replicas of which none leads.
func TestNotPassedOnTwice(t *testing.T) {
	t.Parallel()
	var hops atomic.Int64
	second := start(t, false, func(context.Context, string, http.Header, []byte) error {
		hops.Add(1)
		return nil
	})
	first := start(t, false, peers(t, second, "127.0.0.1"))
	if status, _ := first.send(t, "POST", "/hooks/customers", "{}", secret); status != 503 || hops.Load() > 0 {
		t.Errorf("%d after %d hops", status, hops.Load())
	}
}

func TestNobodyToPassItTo(t *testing.T) {
	t.Parallel()
	alone := start(t, false, nil)
	if status, _ := alone.send(t, "POST", "/hooks/customers", "{}", secret); status != 503 {
		t.Errorf("%d", status)
	}
	base := &url.URL{Scheme: "http", Host: "nowhere.invalid:1"}
	lost := start(t, false, hooks.Peers(base, func(context.Context, string) ([]string, error) { return nil, errors.New("no such host") }))
	if status, _ := lost.send(t, "POST", "/hooks/customers", "{}", secret); status != 503 {
		t.Errorf("%d", status)
	}
}
