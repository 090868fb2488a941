package forges_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/gitea"
	"github.com/portcullis-gitops/portcullis/source/forge/github"
	"github.com/portcullis-gitops/portcullis/source/forge/gitlab"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// before is a host with its own authority before a contender's.
func before(t *testing.T, to string) (front *httptest.Server, ca string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	front = httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }})
	t.Cleanup(front.Close)
	return front, secretFile(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})))
}

func TestOwnAuthority(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		commit := c.Commit()
		var ca string
		secure := func(trust bool) func(*wire.Options) {
			return func(o *wire.Options) {
				front, file := before(t, o.URL)
				o.URL, ca = front.URL, file
				if trust {
					o.CAFile = ca
				}
			}
		}
		equal(t, "errors", c.open(t, secure(true)).Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")}), []error{nil})
		err := c.open(t, secure(false)).Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")})[0]
		if err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("a stranger's certificate: %v", err)
		}
	})
}

func TestProxy(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		commit := c.Commit()
		f := c.open(t, func(o *wire.Options) { // the host itself takes what is asked of a proxy
			o.Proxy, o.URL, o.InsecureHTTP = o.URL, "http://git.invalid", true
		})
		equal(t, "errors", f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")}), []error{nil})
	})
}

// TestTokenStaysWithItsHost redirects to another one, which would be told all.
func TestTokenStaysWithItsHost(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		told := make(chan string, 100)
		thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			told <- r.Header.Get("Authorization") + r.Header.Get("Private-Token")
			w.WriteHeader(http.StatusCreated)
		}))
		t.Cleanup(thief.Close)
		commit := c.Commit()
		f := c.open(t, nil)
		for _, code := range []int{301, 302, 303, 307, 308} {
			c.Answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief.URL+r.URL.Path, code) }))
			if err := f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")})[0]; err == nil {
				t.Errorf("%d passed for delivered", code)
			}
			if _, err := f.OpenPullRequests(t.Context(), "main"); err == nil {
				t.Errorf("%d passed for a listing", code)
			}
		}
		if len(told) > 0 {
			t.Errorf("the other host was asked %d times, the first with %q", len(told), <-told)
		}
	})
}

// Options that cannot work are refused before anybody is contacted, without
// telling what they hold.
func TestOptions(t *testing.T) {
	t.Parallel()
	makers := map[string]func(wire.Options) error{
		"gitea":  func(o wire.Options) error { _, err := gitea.New(o); return err },
		"github": func(o wire.Options) error { _, err := github.New(github.Options{Options: o}); return err },
		"gitlab": func(o wire.Options) error { _, err := gitlab.New(gitlab.Options{Options: o}); return err },
	}
	good := wire.Options{URL: "https://git.example.com/path/", Repository: "a/b", TokenFile: "/nowhere/yet"}
	notPEM := secretFile(t, "not a certificate")
	for name, tt := range map[string]struct {
		spoil func(*wire.Options)
		only  string // the forge that takes it all the same
	}{
		"no URL":             {func(o *wire.Options) { o.URL = "" }, ""},
		"ssh":                {func(o *wire.Options) { o.URL = "ssh://git.example.com" }, ""},
		"http elsewhere":     {func(o *wire.Options) { o.URL = "http://git.example.com" }, ""},
		"userinfo":           {func(o *wire.Options) { o.URL = "https://u:hunter2@git.example.com" }, ""},
		"broken, userinfo":   {func(o *wire.Options) { o.URL = "https://u:hunter2@git.example.com:port" }, ""},
		"query":              {func(o *wire.Options) { o.URL = "https://git.example.com?x=1" }, ""},
		"no owner":           {func(o *wire.Options) { o.Repository = "allowlists" }, ""},
		"no name":            {func(o *wire.Options) { o.Repository = "a/" }, ""},
		"deep":               {func(o *wire.Options) { o.Repository = "a/b/c" }, "gitlab"},
		"no token":           {func(o *wire.Options) { o.TokenFile = "" }, ""},
		"CA file not there":  {func(o *wire.Options) { o.CAFile = "/nowhere" }, ""},
		"CA file is none":    {func(o *wire.Options) { o.CAFile = notPEM }, ""},
		"proxy without host": {func(o *wire.Options) { o.Proxy = "hunter2" }, ""},
	} {
		o := good
		tt.spoil(&o)
		for host, make := range makers {
			if err := make(good); err != nil {
				t.Errorf("%s: good options: %v", host, err)
			}
			err := make(o)
			if (err == nil) != (host == tt.only) || err != nil && (strings.Contains(err.Error(), "hunter2") || !strings.HasPrefix(err.Error(), host+": ")) {
				t.Errorf("%s: %s: error %v", host, name, err)
			}
		}
	}
}
