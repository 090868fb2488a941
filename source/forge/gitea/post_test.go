package gitea_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/gitea"
)

func TestPost(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	f := open(t, s, func(o *gitea.Options) { o.TargetURL = "https://console.example/" })
	errs := f.Post(t.Context(), []forge.Check{
		check(known, forge.Pending, "1 of 2 applied"),
		check(known, forge.Failure, "acme/list.yaml:12:7: error[host-bits]"),
		check(known, forge.Success, "applied"),
	})
	equal(t, "errors", errs, []error{nil, nil, nil})
	equal(t, "statuses", s.statuses, []posted{
		{known, "pending", "https://console.example/", "1 of 2 applied", "portcullis/eu-west"},
		{known, "failure", "https://console.example/", "acme/list.yaml:12:7: error[host-bits]", "portcullis/eu-west"},
		{known, "success", "https://console.example/", "applied", "portcullis/eu-west"},
	})
	equal(t, "requests", len(s.seen()), 3) // no version, no listing
}

func TestLongTitleIsCut(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	title := "acme/list.yaml:12:7: error[unsafe-text]: " + strings.Repeat("ü", 300)
	equal(t, "errors", open(t, s, nil).Post(t.Context(), []forge.Check{check(known, forge.Failure, title)}), []error{nil})
	got := s.statuses[0].Description
	if utf8.RuneCountInString(got) != 255 || !utf8.ValidString(got) || !strings.HasPrefix(got, "acme/list.yaml:12:7: ") || !strings.HasSuffix(got, "…") {
		t.Errorf("description of %d characters: %s", utf8.RuneCountInString(got), got)
	}
}

func TestCommitGoneIsRefusedAndOthersGoOn(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	errs := open(t, s, nil).Post(t.Context(), []forge.Check{check(gone, forge.Success, "x"), check(known, forge.Success, "x")})
	if !errors.Is(errs[0], forge.ErrRefused) || errs[1] != nil {
		t.Errorf("errors: %v", errs)
	}
}

func TestUnknownStateIsNeverPosted(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	errs := open(t, s, nil).Post(t.Context(), []forge.Check{check(known, "skipped", "x")})
	if !errors.Is(errs[0], forge.ErrRefused) || len(s.seen()) != 0 {
		t.Errorf("errors %v after %v", errs, s.seen())
	}
}

// What an answer means, by what the outbox does with the error: refuse, leave
// the host alone for a while, or try again; and whether the next check of the
// same post is still sent.
func TestAnswers(t *testing.T) {
	t.Parallel()
	says := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			message(w, code, "no luck")
		}
	}
	at, later := "Sun, 22 Nov 2026 20:00:00 GMT", "Sun, 22 Nov 2026 20:03:00 GMT"
	for name, tt := range map[string]struct {
		path    string
		answer  http.HandlerFunc
		after   time.Duration
		goesOn  bool
		contain string
	}{
		"401":                  {"", says(401), time.Minute, false, "token in"},
		"403":                  {"", says(403), time.Minute, false, "write:repository"},
		"404 of all":           {"", says(404), time.Minute, false, "no such repository"},
		"404 of the status":    {"/statuses/", says(404), 0, true, "HTTP 404: no luck"},
		"422":                  {"/statuses/", says(422), 0, true, "HTTP 422"},
		"429":                  {"", says(429), time.Minute, false, "HTTP 429"},
		"429 seconds":          {"", says(429, "Retry-After", "17"), 17 * time.Second, false, "HTTP 429"},
		"429 date":             {"", says(429, "Retry-After", later, "Date", at), 3 * time.Minute, false, "HTTP 429"},
		"429 date gone by":     {"", says(429, "Retry-After", at, "Date", later), time.Second, false, "HTTP 429"},
		"500":                  {"", says(500), 0, true, "HTTP 500"},
		"502":                  {"", says(502), 0, false, "HTTP 502"},
		"503 with Retry-After": {"", says(503, "Retry-After", "40"), 40 * time.Second, false, "HTTP 503"},
		"redirected elsewhere": {"", says(301, "Location", "https://elsewhere.example/"), 0, false, "redirected"},
		"redirected by name":   {"", says(301, "Location", "/api/v1/repos/hosting/renamed/statuses/x"), 0, false, "redirected"},
		"not JSON": {"", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(502)
			_, _ = w.Write([]byte("<html>\n" + strings.Repeat("bad gateway ", 1000)))
		}, 0, false, "HTTP 502"},
		"200 of something else": {"", says(200), 0, true, "HTTP 200"},
		"connection cut": {"", func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, 0, false, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			s.troubled(tt.path, tt.answer)
			errs := open(t, s, nil).Post(t.Context(), []forge.Check{check(known, forge.Success, "x"), check(gone, forge.Success, "x")})
			if errs[0] == nil || errors.Is(errs[0], forge.ErrRefused) {
				t.Fatalf("error %v: want one that is tried again", errs[0])
			}
			pause, _ := errors.AsType[forge.RetryAfterError](errs[0])
			equal(t, "pause", pause.After, tt.after)
			if !strings.Contains(errs[0].Error(), tt.contain) {
				t.Errorf("error does not say %q: %v", tt.contain, errs[0])
			}
			if text := errs[0].Error(); strings.ContainsAny(text, "\n") || len(text) > 600 || strings.Contains(text, s.token) {
				t.Errorf("error is long, of several lines or tells the token: %s", text)
			}
			equal(t, "second is sent", strings.Contains(strings.Join(s.seen(), " "), "POST /api/v1/repos/hosting/allowlists/statuses/"+gone), tt.goesOn)
			if errs[1] == nil {
				t.Error("the second check passes for delivered")
			}
		})
	}
}

func TestSameHostRedirectKeepsMethodAndBody(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.troubled("/old/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(r.URL.Path, "/old/", "/allowlists/", 1), http.StatusTemporaryRedirect)
	})
	f := open(t, s, func(o *gitea.Options) { o.Repository = "hosting/old" })
	equal(t, "errors", f.Post(t.Context(), []forge.Check{check(known, forge.Success, "x")}), []error{nil})
	equal(t, "statuses", len(s.statuses), 1)
}

func TestTokenIsReadAnew(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	file := tokenFile(t, "outdated")
	f := open(t, s, func(o *gitea.Options) { o.TokenFile = file })
	c := []forge.Check{check(known, forge.Success, "x")}
	err := f.Post(t.Context(), c)[0]
	if err == nil || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "outdated") {
		t.Errorf("error: %v; want one that names the file and not the token", err)
	}
	for _, text := range []string{"", "two words"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Post(t.Context(), c)[0]; err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("token %q: %v", text, err)
		}
	}
	if err := os.WriteFile(file, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	equal(t, "errors", f.Post(t.Context(), c), []error{nil})
}

func TestErrorEchoingTheTokenIsCleaned(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.troubled("", func(w http.ResponseWriter, r *http.Request) {
		message(w, 502, "you sent "+r.Header.Get("Authorization"))
	})
	err := open(t, s, nil).Post(t.Context(), []forge.Check{check(known, forge.Success, "x")})[0]
	if err == nil || strings.Contains(err.Error(), s.token) || !strings.Contains(err.Error(), "[token]") {
		t.Errorf("error: %v", err)
	}
}

func TestTimeoutAndContextEndAPost(t *testing.T) {
	t.Parallel()
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server notices a client that left only then
		<-r.Context().Done()
	}))
	t.Cleanup(hang.Close)
	o := gitea.Options{URL: hang.URL, Repository: "a/b", TokenFile: tokenFile(t, "x")}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx     context.Context
		timeout time.Duration
	}{"timeout": {t.Context(), 50 * time.Millisecond}, "context": {ended, time.Hour}} {
		o.Timeout = tt.timeout
		f, err := gitea.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Post(tt.ctx, []forge.Check{check(known, forge.Success, "x")})[0]; err == nil {
			t.Errorf("%s: a host that hangs passed for one that answers", name)
		}
	}
}

func TestCAFile(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 201, map[string]any{}) }))
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for file, trusted := range map[string]bool{ca: true, "": false} {
		f, err := gitea.New(gitea.Options{URL: secure.URL, Repository: "a/b", TokenFile: tokenFile(t, "x"), CAFile: file})
		if err != nil {
			t.Fatal(err)
		}
		err = f.Post(t.Context(), []forge.Check{check(known, forge.Success, "x")})[0]
		if (err == nil) != trusted {
			t.Errorf("CA file %q: %v", file, err)
		}
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	f := open(t, s, func(o *gitea.Options) { o.Proxy, o.URL, o.InsecureHTTP = s.URL, "http://git.invalid", true })
	equal(t, "errors", f.Post(t.Context(), []forge.Check{check(known, forge.Success, "x")}), []error{nil})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := gitea.Options{URL: "https://git.example.com/gitea/", Repository: "a/b", TokenFile: "/nowhere/yet"}
	if _, err := gitea.New(good); err != nil {
		t.Errorf("good options: %v", err)
	}
	notPEM := tokenFile(t, "not a certificate")
	for name, spoil := range map[string]func(*gitea.Options){
		"no URL":             func(o *gitea.Options) { o.URL = "" },
		"ssh":                func(o *gitea.Options) { o.URL = "ssh://git.example.com" },
		"http elsewhere":     func(o *gitea.Options) { o.URL = "http://git.example.com" },
		"userinfo":           func(o *gitea.Options) { o.URL = "https://u:hunter2@git.example.com" },
		"broken, userinfo":   func(o *gitea.Options) { o.URL = "https://u:hunter2@git.example.com:port" },
		"query":              func(o *gitea.Options) { o.URL = "https://git.example.com?x=1" },
		"no owner":           func(o *gitea.Options) { o.Repository = "allowlists" },
		"too deep":           func(o *gitea.Options) { o.Repository = "a/b/c" },
		"no token":           func(o *gitea.Options) { o.TokenFile = "" },
		"CA file not there":  func(o *gitea.Options) { o.CAFile = "/nowhere" },
		"CA file is none":    func(o *gitea.Options) { o.CAFile = notPEM },
		"proxy without host": func(o *gitea.Options) { o.Proxy = "hunter2" },
	} {
		o := good
		spoil(&o)
		if _, err := gitea.New(o); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestListingOfARepositoryThatIsTakenForEmpty is no reason to leave the host
// alone for a minute, as one that cannot be seen is.
func TestListingOfARepositoryThatIsTakenForEmpty(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		repo  map[string]any
		soon  bool
		pause time.Duration
	}{
		"empty":     {map[string]any{"id": 1, "empty": true}, true, 0},
		"not empty": {map[string]any{"id": 1, "empty": false}, false, time.Minute},
		"not there": {nil, false, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			s.troubled("", func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/pulls") || tt.repo == nil {
					message(w, 404, "The target couldn't be found.")
					return
				}
				answer(w, 200, tt.repo)
			})
			_, err := open(t, s, nil).OpenPullRequests(t.Context(), "main")
			pause, _ := errors.AsType[forge.RetryAfterError](err)
			if err == nil || errors.Is(err, forge.ErrNotYet) != tt.soon || pause.After != tt.pause {
				t.Errorf("error %v, pause %s", err, pause.After)
			}
		})
	}
}
