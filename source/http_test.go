package source_test

import (
	"encoding/pem"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	canary = "s3cr3t-c4n4ry"
	userOK = "git"
)

// host serves an upstream over smart http with Git's own program, asks for a
// password, and counts. A fault, if set, answers instead.
type host struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
	fault    func(w http.ResponseWriter, r *http.Request, real http.Handler) bool
	second   bool // speaks version 2 of the protocol
}

func serve(t testing.TB, u *upstream, tls bool) *host {
	t.Helper()
	core, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	u.run(u.bare, "config", "http.receivepack", "true")
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(core)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + filepath.Dir(u.bare), "GIT_HTTP_EXPORT_ALL=1"},
	}
	h := &host{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.answer(w, r, backend) })
	if tls {
		h.Server = httptest.NewTLSServer(handler)
	} else {
		h.Server = httptest.NewServer(handler)
	}
	t.Cleanup(h.Close)
	return h
}

func (h *host) answer(w http.ResponseWriter, r *http.Request, real http.Handler) {
	h.mu.Lock()
	h.requests = append(h.requests, r.Method+" "+r.URL.Path[strings.LastIndex(r.URL.Path, ".git")+4:])
	fault, second := h.fault, h.second
	h.mu.Unlock()
	user, password, _ := r.BasicAuth()
	if user != userOK || password != canary {
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "not with "+password+" "+r.Header.Get("Authorization"), http.StatusUnauthorized)
		return
	}
	if !second {
		r.Header.Set("Git-Protocol", "")
	}
	if fault != nil && fault(w, r, real) {
		return
	}
	real.ServeHTTP(w, r)
}

// modern has it speak version 2 as well.
func (h *host) modern() *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.second = true
	return h
}

func (h *host) breakWith(fault func(w http.ResponseWriter, r *http.Request, real http.Handler) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault = fault
}

// seen are the requests since the last call.
func (h *host) seen() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.requests
	h.requests = nil
	return out
}

func (h *host) url() string { return h.URL + "/allowlists.git" }

func certificate(h *host) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})
}
