package forges_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/github"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
	"github.com/portcullis-gitops/portcullis/test/forges"
)

func annotations(n int) (out []forge.Annotation) {
	for i := range n {
		out = append(out, forge.Annotation{Path: "acme/list.yaml", Line: i + 1, Column: i % 3, Failure: i%2 == 0,
			Title: "error[host-bits]", Message: fmt.Sprint("finding ", i)})
	}
	return out
}

// appHost is a stand-in with a forge that logs in as the App.
func appHost(t *testing.T) (*forges.GitHub, contender) {
	t.Helper()
	c := githubByApp(t)
	return c.host.(pulls).standIn.(*forges.GitHub), c
}

// runRequests are how many requests about check runs were made.
func runRequests(g *forges.GitHub) (n int) {
	for _, e := range g.Exchanges() {
		if strings.Contains(e.Path, "/check-runs") {
			n++
		}
	}
	return n
}

func TestCheckRunSaysItAll(t *testing.T) {
	t.Parallel()
	g, c := appHost(t)
	f, commit := c.open(t, nil), g.Commit()
	pending := check(commit, forge.Pending, "1 of 2 applied")
	pending.Body = "```\nshop-prod: Applied\n"
	failed := check(commit, forge.Failure, "2 errors")
	failed.Summary, failed.URL, failed.Annotations = "## What changes\n", "https://console.example/", annotations(120)
	equal(t, "errors", f.Post(t.Context(), []forge.Check{pending}), []error{nil})
	got := g.Statuses(commit)[0]
	equal(t, "summary of plain text", got.Summary, "````\n```\nshop-prod: Applied\n````\n")
	equal(t, "errors", f.Post(t.Context(), []forge.Check{failed}), []error{nil})
	all := g.Statuses(commit)
	if len(all) != 1 {
		t.Fatalf("%d check runs, want the pending one to be gone on with", len(all))
	}
	got = all[0]
	equal(t, "check run", []string{got.State, got.Title, got.Summary, got.URL, got.ExternalID},
		[]string{"failure", "2 errors", "## What changes\n", "https://console.example/", failed.Hash()})
	equal(t, "requests", runRequests(g), 4) // 1 pending, 50 + 50 + 20 annotations
	equal(t, "annotations", len(got.Annotations), 120)
	for i, a := range got.Annotations {
		column := i % 3
		want := forges.Annotation{Path: "acme/list.yaml", StartLine: i + 1, EndLine: i + 1, StartColumn: column, EndColumn: column,
			Level: []string{"failure", "warning"}[i%2], Message: fmt.Sprint("finding ", i), Title: "error[host-bits]"}
		equal(t, fmt.Sprint("annotation ", i), a, want)
	}
}

// cutOff has a check with 120 annotations posted as far as the second of its
// three requests.
func cutOff(t *testing.T, g *forges.GitHub, c contender, check forge.Check) forge.Forge {
	t.Helper()
	gate := newGate(t, g.URL)
	f := c.open(t, func(o *wire.Options) { o.URL = gate.URL })
	check.Annotations = annotations(120)
	passed := 0
	gate.answerSome(func(r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/check-runs") {
			passed++
		}
		return passed == 3
	}, says(502, "{}"))
	if err := f.Post(t.Context(), []forge.Check{check})[0]; err == nil || errors.Is(err, forge.ErrRefused) {
		t.Fatalf("error: %v", err)
	}
	gate.answer(nil)
	got := newest(t, c, check.Commit)
	equal(t, "after two of three requests", []any{got.State, len(got.Annotations)}, []any{"pending", 100})
	return f
}

func TestCheckRunIsNotCompletedEarly(t *testing.T) {
	t.Parallel()
	g, c := appHost(t)
	check := check(g.Commit(), forge.Success, "120 warnings")
	f := cutOff(t, g, c, check)
	check.Annotations = annotations(120)
	equal(t, "errors", f.Post(t.Context(), []forge.Check{check}), []error{nil})
	got := newest(t, c, check.Commit)
	equal(t, "in the end", []any{len(g.Statuses(check.Commit)), got.State, len(got.Annotations)}, []any{1, "success", 120})
}

// TestSameNewsWithOtherAnnotations is cut off, and has fewer to say then.
func TestSameNewsWithOtherAnnotations(t *testing.T) {
	t.Parallel()
	g, c := appHost(t)
	check := check(g.Commit(), forge.Success, "warnings")
	check.Identity = "the same"
	f := cutOff(t, g, c, check)
	check.Annotations = annotations(3)
	equal(t, "errors", f.Post(t.Context(), []forge.Check{check}), []error{nil})
	got := newest(t, c, check.Commit)
	equal(t, "in the end", []any{got.State, len(got.Annotations)}, []any{"success", 3})
}

// TestCheckRunThatIsGoneIsMadeAnew: somebody deleted it, or GitHub did.
func TestCheckRunThatIsGoneIsMadeAnew(t *testing.T) {
	t.Parallel()
	g, c := appHost(t)
	f, commit := c.open(t, nil), g.Commit()
	equal(t, "errors", f.Post(t.Context(), []forge.Check{check(commit, forge.Pending, "x")}), []error{nil})
	g.Forget(commit)
	if err := f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "y")})[0]; err == nil || errors.Is(err, forge.ErrRefused) {
		t.Errorf("error %v; want one that is tried again", err)
	}
	equal(t, "errors", f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "y")}), []error{nil})
	equal(t, "state", newest(t, c, commit).State, "success")
}

// TestAnnotationsOfOtherNewsAreNotMixed: a run cannot lose annotations.
func TestAnnotationsOfOtherNewsAreNotMixed(t *testing.T) {
	t.Parallel()
	g, c := appHost(t)
	f, commit := c.open(t, nil), g.Commit()
	first := check(commit, forge.Pending, "one")
	first.Annotations = annotations(60)
	second := check(commit, forge.Success, "two")
	second.Annotations = annotations(1)
	equal(t, "errors", f.Post(t.Context(), []forge.Check{first, second}), []error{nil, nil})
	got := newest(t, c, commit)
	equal(t, "newest", []any{got.State, len(got.Annotations), len(g.Statuses(commit))}, []any{"success", 1, 2})
}

func TestLongSummaryIsCut(t *testing.T) {
	t.Parallel()
	g, c := appHost(t)
	commit := g.Commit()
	long := check(commit, forge.Success, "x")
	long.Body = strings.Repeat("shop-prod (qvjdddt72t): Synced ü\n", 10_000)
	equal(t, "errors", c.open(t, nil).Post(t.Context(), []forge.Check{long}), []error{nil})
	if got := newest(t, c, commit).Summary; len(got) > 65535 || !strings.Contains(got, "cut: more than") {
		t.Errorf("a summary of %d bytes", len(got))
	}
}

func TestStatusesBeyondTheLimitAreRefused(t *testing.T) {
	t.Parallel()
	c := githubByToken(t)
	g := c.host.(pulls).standIn.(*forges.GitHub)
	commit := g.Commit()
	g.Fill(commit, "portcullis/eu-west")
	f := c.open(t, nil)
	other := check(commit, forge.Success, "x")
	other.Context = "portcullis/us-east"
	errs := f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x"), other, check(g.Commit(), forge.Success, "x")})
	if !errors.Is(errs[0], forge.ErrRefused) || errs[1] != nil || errs[2] != nil {
		t.Errorf("errors: %v", errs)
	}
}

// GitHub's limits are kept to as it says, on the second, by its own clock.
func TestLimitsAreKeptTo(t *testing.T) {
	t.Parallel()
	const at, reset = "Sun, 22 Nov 2026 20:00:00 GMT", "1795378200" // 20:10:00
	secondary := `{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
		"documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	for name, tt := range map[string]struct {
		answer http.Handler
		after  time.Duration
	}{
		"primary":                  {says(403, "{}", "Date", at, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset), 10 * time.Minute},
		"primary, as 429":          {says(429, "{}", "Date", at, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset), 10 * time.Minute},
		"primary, no time":         {says(403, "{}", "X-RateLimit-Remaining", "0"), time.Minute},
		"secondary, Retry-After":   {says(403, secondary, "Retry-After", "17", "X-RateLimit-Remaining", "12"), 17 * time.Second},
		"secondary, by its words":  {says(403, secondary, "X-RateLimit-Remaining", "12"), time.Minute},
		"secondary, without a URL": {says(403, `{"message": "You have exceeded a secondary rate limit."}`), time.Minute},
		"remaining 0 and taken":    {says(201, "{}", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := githubByToken(t)
			f, commit := c.open(t, nil), c.Commit()
			c.Answer(tt.answer)
			errs := f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x"), check(commit, forge.Success, "y")})
			for _, err := range errs {
				pause, _ := errors.AsType[forge.RetryAfterError](err)
				if pause.After != tt.after || (err == nil) != (tt.after == 0) {
					t.Errorf("error %v, waits %s; want %s", err, pause.After, tt.after)
				}
			}
		})
	}
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// TestAppTokenIsRefreshedBeforeItEnds has two clocks that may differ: GitHub's
// decides, and what is handed out is always good for some minutes.
func TestAppTokenIsRefreshedBeforeItEnds(t *testing.T) {
	t.Parallel()
	for name, slip := range map[string]time.Duration{"same clocks": 0, "ours is slow": -50 * time.Second, "ours is fast": 50 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirs := &clock{at: time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)}
			ours := &clock{at: theirs.at.Add(slip)}
			g := startGitHub(t, theirs.now)
			app := openApp(t, g, githubOptions(g, nil), ours.now)
			for range 240 {
				token, err := app.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				theirs.move(5 * time.Minute)
				if !g.TokenIsGood(token) {
					t.Fatal("a token ended five minutes after it was handed out")
				}
				theirs.move(-4 * time.Minute)
				ours.move(time.Minute)
			}
			if got := g.Minted(); got < 4 || got > 6 {
				t.Errorf("%d tokens for four hours", got)
			}
		})
	}
}

func TestRevokedAppTokenIsReplaced(t *testing.T) {
	t.Parallel()
	g, c := appHost(t)
	f, commit := c.open(t, nil), g.Commit()
	equal(t, "errors", f.Post(t.Context(), []forge.Check{check(commit, forge.Pending, "x")}), []error{nil})
	g.Revoke()
	err := f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")})[0]
	if _, ok := errors.AsType[forge.RetryAfterError](err); !ok {
		t.Errorf("error of a revoked token: %v", err)
	}
	equal(t, "errors", f.Post(t.Context(), []forge.Check{check(commit, forge.Success, "x")}), []error{nil})
	equal(t, "state", newest(t, c, commit).State, "success")
}

func TestKeyIsReadAnew(t *testing.T) {
	t.Parallel()
	g := startGitHub(t, time.Now)
	file := secretFile(t, "canary")
	app, err := github.NewApp(github.AppOptions{Options: githubOptions(g, nil), AppID: forges.AppID, InstallationID: forges.InstallationID, PrivateKeyFile: file})
	if err != nil {
		t.Fatal(err)
	}
	other, err := forges.NewGitHub(nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	broken := strings.Replace(string(g.PrivateKey()), "\nM", "\ncanaryM", 1)
	for _, text := range []string{"", "canary", broken, string(other.PrivateKey())} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := app.Token(t.Context())
		if err == nil || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "eyJ") {
			t.Errorf("key %.20q: error %v; want one that names the file and tells nothing of it", text, err)
		}
	}
	if err := os.WriteFile(file, g.PrivateKey(), 0o600); err != nil {
		t.Fatal(err)
	}
	token, err := app.Token(t.Context())
	if err != nil || !g.TokenIsGood(token) {
		t.Errorf("with the key: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if again, err := app.Token(t.Context()); err != nil || again != token {
		t.Errorf("a good token is not used: %v", err)
	}
}

func TestAppOptions(t *testing.T) {
	t.Parallel()
	good := github.AppOptions{Options: wire.Options{URL: "https://github.com"}, AppID: 1, InstallationID: 2, PrivateKeyFile: "/nowhere/yet"}
	if _, err := github.NewApp(good); err != nil {
		t.Errorf("good options: %v", err)
	}
	for name, spoil := range map[string]func(*github.AppOptions){
		"no App":          func(o *github.AppOptions) { o.AppID = 0 },
		"no installation": func(o *github.AppOptions) { o.InstallationID = -1 },
		"no key":          func(o *github.AppOptions) { o.PrivateKeyFile = "" },
		"ssh":             func(o *github.AppOptions) { o.URL = "ssh://git@github.com" },
		"http":            func(o *github.AppOptions) { o.URL = "http://github.com" },
		"a CA of nothing": func(o *github.AppOptions) { o.CAFile = "/nowhere" },
	} {
		o := good
		spoil(&o)
		if _, err := github.NewApp(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
