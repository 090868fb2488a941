package forges_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/github"
	"github.com/portcullis-gitops/portcullis/source/forge/gitlab"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
	"github.com/portcullis-gitops/portcullis/test/forges"
)

// host is a Git host with a repository, as the tests of every forge want it.
type host interface {
	// Commit makes a commit.
	Commit() string
	// Statuses are those of a commit, the newest last.
	Statuses(commit string) []forges.Status
	// Open opens a pull request from a branch of the repository, or of a fork.
	Open(branch, target, author string, fork bool) forges.Pull
	// OpenMany opens many from branches of the repository.
	OpenMany(n int, target, author string) []forges.Pull
	Push(number int) string
	Close(number int)
	Reopen(number int)
	Retarget(number int, target string)
	Merge(number int) string
	Say(number int, author, body string)
	Comments(number int) []forges.Comment
	Uncomment(number int)
	// Answer has the handler answer instead; nil: no longer.
	Answer(http.Handler)
}

// contender is a forge and a host that it speaks to.
type contender struct {
	host
	// open makes a forge that knows nothing yet, as a new process does.
	open func(t *testing.T, change func(*wire.Options)) forge.PullRequests
	// secrets must never be told.
	secrets []string
	// me is who comments.
	me       string
	maxTitle int  // characters
	etags    bool // answers in short
	many     int  // pull requests that take several pages
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// pulls is what the stand-ins have in common to change pull requests.
type pulls struct {
	standIn
}

type standIn interface {
	Commit() string
	Statuses(string) []forges.Status
	Open(branch, target, author string, fork bool) forges.Pull
	Push(int) string
	Merge(int) string
	Say(int, string, string)
	Comments(int) []forges.Comment
	Uncomment(int)
	Answer(http.Handler)
	Change(int, func(*forges.Pull))
}

func (p pulls) OpenMany(n int, target, author string) (all []forges.Pull) {
	for i := range n {
		all = append(all, p.Open(fmt.Sprint("branch-", i), target, author, false))
	}
	return all
}

func (p pulls) Close(n int)  { p.Change(n, func(p *forges.Pull) { p.State = "closed" }) }
func (p pulls) Reopen(n int) { p.Change(n, func(p *forges.Pull) { p.State = "open" }) }
func (p pulls) Retarget(n int, target string) {
	p.Change(n, func(p *forges.Pull) { p.Target = target })
}

// described reads GitHub's description once.
var described = sync.OnceValues(func() (*forges.Description, error) {
	if os.Getenv("PORTCULLIS_TEST_SERVERS") == "none" {
		return nil, errors.New("PORTCULLIS_TEST_SERVERS=none")
	}
	path, err := forges.Octokit(context(), func(s string) { fmt.Fprintln(os.Stderr, s) })
	if err != nil {
		return nil, err
	}
	return forges.ReadDescription(path)
})

// startGitHub starts a stand-in whose every exchange is held against GitHub's
// description at the end, where that is to be had.
func startGitHub(t *testing.T, now func() time.Time) *forges.GitHub {
	t.Helper()
	d, err := described()
	if err != nil {
		t.Logf("GitHub's description is not to be had, so its stand-in is not checked: %v", err)
	}
	g, err := forges.NewGitHub(d, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	t.Cleanup(func() {
		for _, e := range g.Exchanges() {
			path, _ := strings.CutPrefix(e.Path, "/api/v3")
			e.Path = path
			if d == nil {
				continue
			}
			if err := d.Check(e); err != nil {
				t.Errorf("against GitHub's description: %v\nrequest: %.500s\nanswer: %.500s", err, e.Request, e.Answer)
			}
		}
	})
	return g
}

func githubOptions(g *forges.GitHub, change func(*wire.Options)) wire.Options {
	o := wire.Options{URL: g.URL, Repository: forges.Owner + "/" + forges.Name}
	if change != nil {
		change(&o)
	}
	return o
}

func githubByToken(t *testing.T) contender {
	g := startGitHub(t, time.Now)
	return contender{host: pulls{g}, secrets: []string{forges.RobotToken}, me: forges.Robot, maxTitle: 140, etags: true, many: 230,
		open: func(t *testing.T, change func(*wire.Options)) forge.PullRequests {
			o := githubOptions(g, func(o *wire.Options) {
				o.TokenFile = secretFile(t, forges.RobotToken)
				if change != nil {
					change(o)
				}
			})
			f, err := github.New(github.Options{Options: o})
			if err != nil {
				t.Fatal(err)
			}
			return f
		}}
}

func githubByApp(t *testing.T) contender {
	g := startGitHub(t, time.Now)
	return contender{host: pulls{g}, secrets: []string{"ghs_canary", "PRIVATE KEY", "eyJ"}, me: forges.AppLogin, maxTitle: 255, etags: true, many: 230,
		open: func(t *testing.T, change func(*wire.Options)) forge.PullRequests {
			o := githubOptions(g, change)
			f, err := github.New(github.Options{Options: o, App: openApp(t, g, o, time.Now)})
			if err != nil {
				t.Fatal(err)
			}
			return f
		}}
}

func openApp(t *testing.T, g *forges.GitHub, o wire.Options, now func() time.Time) *github.App {
	t.Helper()
	app, err := github.NewApp(github.AppOptions{Options: o, AppID: forges.AppID, InstallationID: forges.InstallationID,
		PrivateKeyFile: secretFile(t, string(g.PrivateKey())), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// startGitLab starts a stand-in whose every exchange is held against what
// GitLab declares at the end.
func startGitLab(t *testing.T) *forges.GitLab {
	t.Helper()
	g := forges.NewGitLab()
	t.Cleanup(g.Close)
	t.Cleanup(func() {
		for _, e := range g.Exchanges() {
			if err := forges.CheckGitLab(e); err != nil && e.Code != http.StatusNotFound {
				t.Errorf("against what GitLab declares: %s %s: %v\nrequest: %.500s\nanswer: %.500s", e.Method, e.Path, err, e.Request, e.Answer)
			}
		}
	})
	return g
}

func gitlabByToken(t *testing.T) contender {
	g := startGitLab(t)
	return contender{host: pulls{g}, secrets: []string{forges.RobotToken}, me: forges.Robot, maxTitle: 255, etags: true, many: 230,
		open: func(t *testing.T, change func(*wire.Options)) forge.PullRequests {
			o := wire.Options{URL: g.URL, Repository: forges.Owner + "/" + forges.Name, TokenFile: secretFile(t, forges.RobotToken)}
			if change != nil {
				change(&o)
			}
			f, err := gitlab.New(gitlab.Options{Options: o, Branch: "main"})
			if err != nil {
				t.Fatal(err)
			}
			return f
		}}
}

// contenders are all forges with pull requests, each with a host of its own.
var contenders = map[string]func(*testing.T) contender{
	"gitea, real":         giteaByToken,
	"github with a token": githubByToken,
	"github with an App":  githubByApp,
	"gitlab":              gitlabByToken,
}

// each runs a test for every forge.
func each(t *testing.T, test func(t *testing.T, c contender)) {
	t.Helper()
	t.Parallel()
	for name, start := range contenders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t))
		})
	}
}

func check(commit string, state forge.State, title string) forge.Check {
	return forge.Check{Commit: commit, Context: "portcullis/eu-west", State: state, Title: title, Body: "shop-prod: Synced\n"}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// untold sees that an error tells no secret, and is one line of some length.
func (c contender) untold(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	if slices.ContainsFunc(c.secrets, func(s string) bool { return strings.Contains(text, s) }) {
		t.Errorf("the error tells a secret: %s", text)
	}
	if strings.Contains(text, "\n") || len(text) > 1000 {
		t.Errorf("the error is long, or of several lines: %s", text)
	}
}
