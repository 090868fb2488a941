package source_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr/funcr"

	"github.com/portcullis-gitops/portcullis/source"
)

// Readers go on while the branch moves and the mirror is made anew.
func TestReadersDuringPolls(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	opts := source.Options{URL: u.url(), Path: "tenants", Dir: t.TempDir(), MaxPacks: 2}
	r := open(t, opts)
	poll(t, r)
	hash := at(snapshot(t, r, first), "tenants/acme/a.yaml").Hash
	var readers sync.WaitGroup
	var stop atomic.Bool
	for range 3 {
		readers.Go(func() {
			for !stop.Load() {
				if text, err := r.Read(t.Context(), hash); err != nil || string(text) != "one" {
					t.Errorf("read %q, %v", text, err)
					return
				}
				if s, err := r.Snapshot(t.Context(), first); err != nil || len(s.Files) != 1 {
					t.Errorf("snapshot %v, %v", s, err)
					return
				}
				if !r.Has(first) {
					t.Error("the commit is gone")
				}
			}
		})
	}
	for i := range 6 {
		c := u.change("tenants/acme/b.yaml", string(rune('a'+i)))
		if got := poll(t, r); got != c {
			t.Errorf("head %s, want %s", got, c)
		}
		if i == 3 {
			damage(t, filepath.Join(opts.Dir, "mirror.git/refs/portcullis/head"), "nonsense")
		}
	}
	stop.Store(true)
	readers.Wait()
}

// A reader that asks for a commit which the mirror does not have looks whether
// the mirror is damaged: a head that a poll has just brought is no damage.
func TestReadersMeetNoHeadThatTheyCannotSee(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	h := serve(t, u, false)
	log := &lines{}
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Dir: t.TempDir(), Log: funcr.New(log.add, funcr.Options{})})
	poll(t, r)
	made := len(log.all())
	const unknown = "0123456789012345678901234567890123456789"
	var readers sync.WaitGroup
	var stop atomic.Bool
	for range 3 {
		readers.Go(func() {
			for !stop.Load() {
				if _, err := r.IsAncestor(t.Context(), first, unknown); !errors.Is(err, source.ErrNotFound) {
					t.Errorf("error %v", err)
					return
				}
			}
		})
	}
	for i := range 12 {
		poll(t, r)
		u.change("tenants/acme/b.yaml", fmt.Sprint(i))
		poll(t, r)
	}
	stop.Store(true)
	readers.Wait()
	for _, line := range log.all()[made:] {
		if strings.Contains(line, "made anew") {
			t.Errorf("it was taken for damaged: %s", line)
		}
	}
}

func TestProxyIsUsed(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	h := serve(t, u, false)
	var through atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through.Add(1)
		target := &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host}
		(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}).ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Proxy: proxy.URL})
	if got := poll(t, r); got != first {
		t.Errorf("head %s, want %s", got, first)
	}
	if got := through.Load(); got != 2 {
		t.Errorf("%d requests went through the proxy, want 2", got)
	}
	proxy.Close()
	_, err := r.Poll(t.Context())
	wantError(t, err, source.ErrUnavailable, "proxyconnect")
}
