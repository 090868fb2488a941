package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/forges"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestGitHubAppReadsAndTells has a stand-in for GitHub, with Git's own server
// behind it: an App logs in for both, and what it tells is check runs.
func TestGitHubAppReadsAndTells(t *testing.T) {
	t.Parallel()
	seed(t)
	hub, err := forges.NewGitHub(nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	dir, name := t.TempDir(), forges.Owner+"/"+forges.Name+".git"
	git := servers.GitHTTPFor(t, dir)
	if err := os.MkdirAll(filepath.Join(dir, forges.Owner), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := git.Init(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	hub.Exists = func(sha string) bool {
		return exec.Command("git", "--git-dir", filepath.Join(dir, name), "cat-file", "-e", sha).Run() == nil
	}
	both, err := hub.WithGit(git.URL, servers.GitUser, servers.GitPassword)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(both)
	t.Cleanup(front.Close)
	key := filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(key, hub.PrivateKey(), 0o600); err != nil {
		t.Fatal(err)
	}
	p := set(t, stage.Options{
		Host: &stage.Host{URL: front.URL + "/" + name, CloneURL: git.CloneURL(name)},
		Config: func(d stage.Document) {
			d.Source()["credentials"] = map[string]any{"githubApp": map[string]any{
				"appID": forges.AppID, "installationID": forges.InstallationID, "privateKeyFile": key}}
			d.Source()["checks"] = map[string]any{"forge": "github", "url": front.URL, "repository": forges.Owner + "/" + forges.Name}
		},
	})
	says := func(sha, state, word string) func(context.Context) error {
		return func(context.Context) error {
			runs := hub.Statuses(sha)
			if len(runs) == 0 {
				return errors.New("no check run yet")
			}
			if last := runs[len(runs)-1]; last.State != state || last.Context != "portcullis/eu-west" || !strings.Contains(last.Title+last.Summary, word) {
				return fmt.Errorf("the check run is %+v", last)
			}
			return nil
		}
	}
	first := p.populate()
	p.start()
	p.await("the first check run", says(first, "failure", "unsupported-expose-strategy"))
	hub.Revoke()
	bad := p.edit("acme/production.yaml", "203.0.113.0/24", "10.0.0.1/8")
	p.await("the check run of a bad file, with another token", says(bad, "failure", "host-bits"))
	detailed(t, hub.Statuses(bad), 1)
	fixed := p.edit("acme/production.yaml", "10.0.0.1/8", "203.0.113.0/24")
	p.await("the check run of the corrected file", says(fixed, "success", ""))
	many := p.edit("acme/production.yaml", "203.0.113.0/24", strings.TrimSuffix(strings.Repeat("10.0.0.1/8, ", 120), ", "))
	p.await("the check run of many faults", says(many, "failure", "and 119 more"))
	detailed(t, hub.Statuses(many), 120)
	if got := hub.Minted(); got != 2 {
		t.Errorf("%d tokens were asked for, want the first and the one after it was revoked", got)
	}
	if log := p.Run.Log(); strings.Contains(log, "ghs_") || strings.Contains(log, "eyJ") {
		t.Error("the log tells a token")
	}
}

// detailed wants the last check run of a commit to say what the commit means,
// in Markdown, and to have that many faults at their lines.
func detailed(t *testing.T, runs []forges.Status, faults int) {
	t.Helper()
	last := runs[len(runs)-1]
	for _, want := range []string{"**review**: ", "Compared: `", "- `tenants/acme/production.yaml:", "error[host-bits]"} {
		if !strings.Contains(last.Summary, want) {
			t.Errorf("the summary does not say %q:\n%s", want, last.Summary)
		}
	}
	failures := 0
	for _, a := range last.Annotations {
		if a.Level == "failure" && a.Path == "tenants/acme/production.yaml" && a.StartLine > 1 && a.Title == "error[host-bits]" {
			failures++
		}
	}
	if failures != faults {
		t.Errorf("%d faults are at their lines, want %d, of %d annotations", failures, faults, len(last.Annotations))
	}
}
