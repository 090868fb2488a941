package forges_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

func says(code int, body string, header ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(strings.ReplaceAll(body, "ECHO", r.Header.Get("Authorization")+r.Header.Get("Private-Token"))))
	})
}

// TestTroubleIsNeverAVerdict has hosts fare badly: whatever a forge is asked
// for fails, in a way that is tried again, and works again afterwards.
func TestTroubleIsNeverAVerdict(t *testing.T) {
	const words = `{"message": "you sent ECHO"}`
	troubles := map[string]struct {
		answer http.Handler
		after  time.Duration
	}{
		"401":                  {says(401, words), time.Minute},
		"403":                  {says(403, words), time.Minute},
		"429":                  {says(429, words), time.Minute},
		"429 seconds":          {says(429, words, "Retry-After", "17"), 17 * time.Second},
		"500":                  {says(500, words), 0},
		"502, a page":          {says(502, "<html>\nECHO"+strings.Repeat("bad gateway ", 1000)), 0},
		"503 with Retry-After": {says(503, words, "Retry-After", "40"), 40 * time.Second},
		"redirected elsewhere": {says(301, "", "Location", "https://elsewhere.example/"), 0},
		"200, not JSON":        {says(200, "<html>welcome ECHO"), 0},
		"204":                  {says(204, ""), 0},
		"cut": {http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}), 0},
		"cut short": {says(201, "{", "Content-Length", "1000"), -1},
	}
	each(t, func(t *testing.T, c contender) {
		commit := c.Commit()
		pr := c.Open("a", "main", "alice", false)
		mark := forge.Mark("portcullis/eu-west")
		f := c.open(t, nil)
		asks := map[string]func() error{
			"list": func() error { _, err := f.OpenPullRequests(t.Context(), "main"); return err },
			"show": func() error { _, err := f.PullRequest(t.Context(), pr.Number); return err },
			"comment": func() error {
				_, err := f.Comment(t.Context(), forge.Comment{PullRequest: pr.Number, Mark: mark, Body: "one"})
				return err
			},
			"post": func() error { return f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")})[0] },
		}
		for name, trouble := range troubles {
			c.Answer(trouble.answer)
			for what, ask := range asks {
				err := ask()
				if trouble.after < 0 && what == "post" && err == nil {
					continue // what was answered says that it was done
				}
				pause, _ := errors.AsType[forge.RetryAfterError](err)
				if err == nil || errors.Is(err, forge.ErrRefused) || pause.After != max(0, trouble.after) {
					t.Errorf("%s, %s: error %v, waits %s; want one that is tried again after %s", name, what, err, pause.After, trouble.after)
				}
				c.untold(t, err)
			}
			c.Answer(nil)
		}
		for what, ask := range asks {
			if err := ask(); err != nil {
				t.Errorf("%s after all that: %v", what, err)
			}
		}
		equal(t, "state", newest(t, c, commit).State, "success")
		equal(t, "comments", len(c.Comments(pr.Number)), 1)
	})
}

func TestHostThatHangsIsLeft(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		commit := c.Commit()
		f := c.open(t, func(o *wire.Options) { o.Timeout = 50 * time.Millisecond })
		c.Answer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // a server notices a client that left only then
			<-r.Context().Done()
		}))
		defer c.Answer(nil)
		err := f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")})[0]
		if err == nil || errors.Is(err, forge.ErrRefused) {
			t.Errorf("error: %v", err)
		}
		c.untold(t, err)
	})
}

func TestTokenIsReadAnew(t *testing.T) {
	t.Parallel()
	for name, start := range contenders {
		if strings.Contains(name, "App") {
			continue // see TestKeyIsReadAnew
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			var file string
			f := c.open(t, func(o *wire.Options) { file = o.TokenFile })
			good, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			commit := c.Commit()
			for _, text := range []string{"", "two words", "outdated"} {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				err := f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")})[0]
				if err == nil || !strings.Contains(err.Error(), file) || text != "" && strings.Contains(err.Error(), text) {
					t.Errorf("token %q: %v; want an error with the file's name", text, err)
				}
			}
			if err := os.WriteFile(file, good, 0o600); err != nil {
				t.Fatal(err)
			}
			equal(t, "errors", f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")}), []error{nil})
		})
	}
}
