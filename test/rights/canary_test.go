package rights_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// The canaries. None of them may come out anywhere.
const (
	forgeToken    = "canary-forge-token-6b1f"
	webhookSecret = "canary-webhook-secret-93ac"
	sshKey        = "canary-ssh-key-d07e"
	twoLines      = "canary-of-two-lines-51c8"
	adminToken    = "canary-admin-token-e2b4"
	kubeToken     = "canary-kube-token-77fd"
)

// TestNoSecretComesOut has everything go wrong that has to do with
// credentials, with hosts that hand back what they were sent, and looks for
// the credentials in all that the command says: its log, metrics, Events,
// ConfigMaps, checks and notes, what it posts, and what other commands print.
func TestNoSecretComesOut(t *testing.T) {
	t.Parallel()
	git, host := &mirrorOf{}, &mirrorOf{}
	gitServer, hostServer := httptest.NewServer(git), httptest.NewServer(host)
	t.Cleanup(gitServer.Close)
	t.Cleanup(hostServer.Close)
	secrets := t.TempDir()
	secret := func(name, content string) string {
		path := filepath.Join(secrets, name)
		if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	h := newHouse(t, stage.Options{Config: func(d stage.Document) {
		source := d.Source()
		direct, _ := source["url"].(string)
		source["url"] = gitServer.URL + "/allowlists.git"
		git.passTo(t, direct)
		checked := stage.Document{"name": "forge", "tenant": "elsewhere", "url": gitServer.URL + "/allowlists.git", "credentials": source["credentials"],
			"checks": map[string]any{"forge": "gitea", "url": hostServer.URL, "repository": "a/b",
				"tokenFile": secret("forge", forgeToken), "webhookSecretFile": secret("webhook", webhookSecret)}}
		source["tenants"] = []any{"acme", stage.GlobexProject, stage.InitechProject}
		d.AddSource(checked)
		d.AddSource(stage.Document{"name": "broken-key", "tenant": "nowhere", "url": "ssh://git@127.0.0.1:9/a.git", "checks": map[string]any{"forge": "none"},
			"credentials": map[string]any{"sshKeyFile": secret("key", sshKey), "knownHostsFile": secret("hosts", "127.0.0.1 ssh-ed25519 AAAA")}})
		d.AddSource(stage.Document{"name": "broken-token", "tenant": "nobody", "url": gitServer.URL + "/allowlists.git", "checks": map[string]any{"forge": "none"},
			"credentials": map[string]any{"tokenFile": secret("token", twoLines+"\n"+twoLines)}})
	}, Policy: func(d stage.Document) {
		tenants, _ := d["tenants"].(map[string]any)
		for i, name := range []string{"elsewhere", "nowhere", "nobody"} {
			tenants[name] = map[string]any{"projects": []any{fmt.Sprintf("noproject%d", i)}}
		}
	}})
	metrics, pages := h.goesWrong(git, host)
	if !git.heard(forms(servers.GitPassword)[4]) {
		t.Error("the Git host was not given the password: it had nothing to hand back")
	}

	known := map[string]string{"git password": servers.GitPassword, "forge token": forgeToken, "webhook secret": webhookSecret,
		"ssh key": sshKey, "token of two lines": twoLines, "admin token": adminToken, "kube token": kubeToken,
		"the account's token": h.agent.BearerToken}
	said := h.said()
	said["the metrics"], said["what is posted"], said["the pages"] = metrics, host.bodies(), pages
	for where, text := range said {
		if text == "" {
			t.Errorf("nothing was found in %s: it was not looked at", where)
		}
		for what, canary := range known {
			for _, form := range forms(canary) {
				if i := strings.Index(text, form); i >= 0 {
					t.Errorf("%s holds the %s: ...%s...", where, what, text[max(0, i-200):min(len(text), i+20)])
				}
			}
		}
	}
}

// forms are ways in which a secret may come out.
func forms(secret string) []string {
	encode := base64.StdEncoding.EncodeToString
	return []string{secret, url.QueryEscape(secret), url.PathEscape(secret),
		encode([]byte(secret)), encode([]byte(servers.GitUser + ":" + secret))}
}

// goesWrong is what happens; it answers metrics and pages as they are at the end.
func (h *house) goesWrong(git, host *mirrorOf) (metrics, pages string) {
	h.t.Helper()
	address, console := free(h.t), free(h.t)
	_, err := h.Populate(h.ctx)
	h.must(err)
	h.must(h.Seed.Client.Status().Patch(h.ctx, kkp.NewCluster(stage.ShopProd, ""), client.RawPatch(types.MergePatchType,
		[]byte(`{"status":{"address":{"adminToken":"`+adminToken+`"}}}`))))
	h.must(h.Run.Start("--leader-elect", "--metrics-address", address, "--console-address", console))
	h.await("the first sync", h.InForce(stage.ShopProd, stage.ProdList()...))
	h.must(h.Dashboard(h.ctx, stage.ShopProd, "0.0.0.0/0"))
	h.await("the list to be put back", h.InForce(stage.ShopProd, stage.ProdList()...))
	h.await("the event", func(context.Context) error { return h.asked(username, "create", "events", "default") })
	h.await("what is wrong with the files", func(context.Context) error {
		return logs(h.Run.Log(), "holds no private key", "holds more than one line")
	})
	h.await("the forge to be asked", func(context.Context) error {
		if !host.heard(forgeToken) {
			return fmt.Errorf("it was not given the token")
		}
		return nil
	})
	git.answer(http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError, http.StatusOK)
	h.await("polls that go wrong", func(context.Context) error {
		if left := git.left(); left > 0 {
			return fmt.Errorf("%d answers are left", left)
		}
		return nil
	})
	sha, err := h.Edit(h.ctx, "Mistype", "acme/production.yaml", "203.0.113.0/24", "10.0.0.1/8")
	h.must(err)
	h.await("its check", h.Noted(sha, stage.Failure))
	metrics, pages = h.fetch("http://"+address+"/metrics"), h.pages("http://"+console, sha)
	h.must(h.Run.Stop(h.ctx))
	h.strangers()
	return metrics, pages
}

// pages are those of one cluster and of one commit, the front page, and the same
// as JSON. Each has to say what it is about.
func (h *house) pages(from, sha string) string {
	h.t.Helper()
	id := h.Own(stage.ShopProd)
	var all strings.Builder
	for path, about := range map[string]string{
		"/": id, "/clusters/" + id: id, "/revisions/customers/" + sha: "host-bits", "/explain?cluster=" + id + "&address=203.0.113.9": "203.0.113.9", "/draft": "draft",
		"/api/v1/status": id, "/api/v1/clusters/" + id: id, "/api/v1/revisions/customers/" + sha: "host-bits",
	} {
		page := h.fetch(from + path)
		if !strings.Contains(page, about) {
			h.t.Errorf("the page %s does not say %q: %.300s", path, about, page)
		}
		all.WriteString(page)
	}
	return all.String()
}

func (h *house) fetch(url string) string {
	h.t.Helper()
	response, err := http.Get(url)
	h.must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	h.must(err)
	return string(body)
}

// free is an address of loopback on which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// strangers run the command with a token that the API server does not know.
func (h *house) strangers() {
	h.t.Helper()
	wrong := *h.agent
	wrong.BearerToken = kubeToken
	path := filepath.Join(h.dir, "wrong")
	h.must(servers.WriteKubeconfig(&wrong, path))
	for _, args := range [][]string{
		{"status"}, {"approve", "customers@" + strings.Repeat("a", 40), "--reason", "none"},
		{"run", "--config", h.Config}, {"import", "--out", filepath.Join(h.dir, "imported"), "--seed", "eu-west"},
	} {
		out, err := h.call(path, args...)
		if err == nil || !strings.Contains(out, "provide credentials") {
			h.t.Errorf("%s with a wrong token: %v: %s", args[0], err, out)
		}
		_, _ = h.Run.Write([]byte(out))
	}
}

func logs(log string, words ...string) error {
	for _, word := range words {
		if !strings.Contains(log, word) {
			return fmt.Errorf("the log does not say %q", word)
		}
	}
	return nil
}

// said is all that came out, by where.
func (h *house) said() map[string]string {
	h.t.Helper()
	var maps corev1.ConfigMapList
	var events corev1.EventList
	h.must(h.Seed.Client.List(h.ctx, &maps, client.InNamespace(namespace)))
	h.must(h.Seed.Client.List(h.ctx, &events))
	head, err := h.Head(h.ctx)
	h.must(err)
	note, err := h.Note(h.ctx, head)
	h.must(err)
	status, err := h.call(h.member("portcullis-operators"), "status", "-o", "json")
	h.must(err)
	return map[string]string{"the log": h.Run.Log(), "the ConfigMaps": text(h.t, maps.Items), "the Events": text(h.t, events.Items),
		"the note": note, "the status": status}
}

func text(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// mirrorOf is a host that hands back, in any way it can, what it was sent; or,
// where nothing is to go wrong, passes it on to another.
type mirrorOf struct {
	next http.Handler // nil: there is none, and all goes wrong

	mu     sync.Mutex
	codes  []int           // of the next answers
	sent   strings.Builder // credentials
	posted strings.Builder // bodies
}

func (m *mirrorOf) passTo(t *testing.T, to string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	m.next = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: u.Scheme, Host: u.Host})
}

func (m *mirrorOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code := m.takeCode()
	if code == 0 {
		m.next.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	user, password, _ := r.BasicAuth()
	header := r.Header.Get("Authorization")
	m.mu.Lock()
	m.sent.WriteString(header)
	fmt.Fprintf(&m.posted, "%s %s %s\n", r.Method, r.URL, body)
	m.mu.Unlock()
	w.Header().Set("WWW-Authenticate", `Basic realm="`+header+`"`)
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"message": "you sent %s, which is %s and %s"}`, header, user, password)
}

func (m *mirrorOf) takeCode() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.codes) > 0 {
		code := m.codes[0]
		m.codes = m.codes[1:]
		return code
	}
	if m.next == nil {
		return http.StatusInternalServerError
	}
	return 0
}

// answer gives the next answers these codes.
func (m *mirrorOf) answer(codes ...int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.codes = codes
}

func (m *mirrorOf) left() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.codes)
}

func (m *mirrorOf) heard(credential string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Contains(m.sent.String(), credential)
}

func (m *mirrorOf) bodies() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.posted.String()
}
