package e2e_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

const hookSecret = "canary-of-the-webhooks"

// takesHooks is a stage that polls for webhooks only, and takes them at an
// address.
func takesHooks(t *testing.T) (p *onStandIn, address string) {
	t.Helper()
	p, _ = onGitHub(t, false)
	file := filepath.Join(t.TempDir(), "hook")
	p.must(os.WriteFile(file, []byte(hookSecret+"\n"), 0o600))
	p.must(p.Reconfigure(func(d stage.Document) {
		d["schedule"] = "@every 12h"
		checks, _ := d.Source()["checks"].(map[string]any)
		checks["webhookSecretFile"] = file
	}))
	return p, freeAddress(t)
}

// hook sends a webhook as GitHub signs it, and answers the status.
func hook(ctx context.Context, client *http.Client, method, url, secret string, body []byte) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// certificate writes down one for loopback; the client knows it.
func certificate(t *testing.T) (client *http.Client, certFile, keyFile string) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return server.Client(), certFile, keyFile
}

// TestWebhooks come over TLS, many at once and again and again: a push is in
// force without a poll's time having come, and however many come, there is a
// poll a second at most. What is not signed, too large or for nobody is refused
// and polls nothing.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	p, address := takesHooks(t)
	client, certFile, keyFile := certificate(t)
	p.Run.Args = append(p.Run.Args, "--webhook-address", address, "--webhook-cert-file", certFile, "--webhook-key-file", keyFile)
	p.begin()
	url := "https://" + address + "/hooks/customers"
	polls := func() int { return p.git.Meter.Count(isListing) }
	before := polls()
	body := []byte(`{"ref":"refs/heads/main"}`)
	for name, tt := range map[string]struct {
		method, url, secret string
		body                []byte
		want                int
	}{
		"another secret": {"POST", url, "another", body, 401},
		"no secret":      {"POST", url, "", body, 401},
		"another source": {"POST", "https://" + address + "/hooks/others", hookSecret, body, 404},
		"not sent":       {"GET", url, hookSecret, nil, 405},
		"too large":      {"POST", url, hookSecret, bytes.Repeat([]byte("x"), 2<<20), 413},
	} {
		got, text, err := hook(t.Context(), client, tt.method, tt.url, tt.secret, tt.body)
		if got != tt.want && (tt.want != 413 || err == nil) || strings.Contains(text, "canary") { // the body need not be heard to its end
			t.Errorf("%s: %d %q %v, want %d", name, got, text, err, tt.want)
		}
	}
	if got, _, err := hook(t.Context(), http.DefaultClient, "POST", "http://"+address+"/hooks/customers", hookSecret, body); err == nil && got != 400 {
		t.Errorf("without TLS: %d", got)
	}
	if n := polls() - before; n > 0 {
		t.Errorf("%d polls for what was refused", n)
	}

	p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	p.storm(client, url, body, 1)
	p.await("the change", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...))

	p.git.Meter.Reset()
	p.storm(client, url, body, 20) // a replay: nothing is new
	p.await("a poll for the replay", func(context.Context) error {
		if polls() == 0 {
			return errors.New("no poll")
		}
		return nil
	})
	p.notTooOften()
	if strings.Contains(p.Run.Log(), "canary") {
		t.Error("the log tells the secret")
	}
}

// storm sends the same webhook so many times from each of 20, who never wait
// for long, and sees that it is taken, or refused because they are too many.
func (p *onStandIn) storm(client *http.Client, url string, body []byte, times int) {
	p.t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	answers := map[int]int{}
	for range 20 {
		all.Go(func() {
			for range times {
				got, _, err := hook(p.ctx, client, "POST", url, hookSecret, body)
				mu.Lock()
				answers[got]++
				mu.Unlock()
				if err != nil {
					p.t.Errorf("a webhook: %v", err)
				}
				time.Sleep(100 * time.Millisecond) // so that they last for some polls
			}
		})
	}
	all.Wait()
	if answers[202] == 0 || answers[202]+answers[503] != 20*times {
		p.t.Errorf("answers by status: %v", answers)
	}
}

// notTooOften fails where there were more polls than a second apart fit in.
// The first may have come late to its server, and the last in time.
func (p *onStandIn) notTooOften() {
	p.t.Helper()
	var polls []time.Time
	for _, r := range p.git.Meter.Requests() {
		if isListing(r) {
			polls = append(polls, r.Time)
		}
	}
	if span := polls[len(polls)-1].Sub(polls[0]); len(polls) > int(span/time.Second)+2 {
		p.t.Errorf("%d polls in %s", len(polls), span)
	}
}

// TestWebhookOnAStandby: whichever replica takes it, the one that leads polls.
func TestWebhookOnAStandby(t *testing.T) {
	t.Parallel()
	p, address := takesHooks(t)
	first := p.populate()
	other := freeAddress(t)
	replicas := map[string]*stage.Replica{}
	for name, args := range map[string][]string{
		"leader":  {"--webhook-address", address},
		"standby": {"--webhook-address", other, "--webhook-peers", "http://" + address},
	} {
		r, err := p.Replica(name, stage.ReplicaOptions{})
		p.must(err)
		r.Args = append(r.Args, args...)
		replicas[name] = r
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("what the %s logged:\n%s", name, tailOf(r.Log()))
			}
			if err := r.Kill(); err != nil {
				t.Error(err)
			}
		})
	}
	elect := []string{"--leader-elect", "--leader-elect-lease-duration", longLease}
	p.must(replicas["leader"].Start(elect...))
	p.expect("the first commit's check", p.says(first, stage.Failure, "unsupported-expose-strategy"))
	p.must(replicas["standby"].Start(elect...))
	url := "http://" + other + "/hooks/customers"
	p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	p.expect("the standby to take it", func(ctx context.Context) error {
		got, _, err := hook(ctx, http.DefaultClient, "POST", url, hookSecret, []byte("{}"))
		if err == nil && got != 202 {
			err = fmt.Errorf("it answers %d", got)
		}
		return err
	})
	p.expect("the change", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...))
	if got, _, err := hook(t.Context(), http.DefaultClient, "POST", url, "another", []byte("{}")); got != 401 || err != nil {
		t.Errorf("with another secret: %d %v", got, err)
	}
	p.must(replicas["leader"].Kill())
	if got, _, err := hook(t.Context(), http.DefaultClient, "POST", url, hookSecret, []byte("{}")); got != 503 || err != nil {
		t.Errorf("while nobody leads: %d %v", got, err)
	}
}
