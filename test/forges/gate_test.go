package forges_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// gate stands before a real host on behalf of one test, and can answer in its
// place: others that use the same host do not notice.
type gate struct {
	*httptest.Server
	mu      sync.Mutex
	when    func(*http.Request) bool // nil: always
	instead http.Handler
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	g, through := &gate{}, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		instead := g.instead
		if g.when != nil && !g.when(r) {
			instead = nil
		}
		g.mu.Unlock()
		if instead != nil {
			instead.ServeHTTP(w, r)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gate) answer(h http.Handler) { g.answerSome(nil, h) }

// answerSome answers only requests that when tells.
func (g *gate) answerSome(when func(*http.Request) bool, h http.Handler) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.when, g.instead = when, h
}
