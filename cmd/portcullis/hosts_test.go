package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// Which forge a Config means, and by what it logs in, is said by its type; nil:
// no checks.
func TestForgeIsTheOneOfTheConfig(t *testing.T) {
	t.Parallel()
	app := &policy.GithubApp{AppID: 1, InstallationID: 2, PrivateKeyFile: "/nowhere/key"}
	at := func(host, url, repository, token string) policy.Checks {
		return policy.Checks{Forge: host, URL: url, Repository: repository, TokenFile: token}
	}
	for name, tt := range map[string]struct {
		checks   policy.Checks
		app      *policy.GithubApp
		insecure bool
		want     string // of the type and how it is shown, or of the error
	}{
		"none":                        {policy.Checks{Forge: policy.ForgeNone}, nil, false, "<nil>"},
		"notes":                       {policy.Checks{Forge: policy.ForgeNotes}, nil, false, "*notes.Forge"},
		"gitea":                       {at("gitea", "https://g.example/x", "a/b", "t"), nil, false, "*gitea.Forge https://g.example/x/a/b"},
		"gitea without a token":       {at("gitea", "https://g.example", "a/b", ""), nil, false, "a token file is required"},
		"gitea over http":             {at("gitea", "http://g.example", "a/b", "t"), nil, false, "insecureHTTP"},
		"gitea over http, permitted":  {at("gitea", "http://g.example", "a/b", "t"), nil, true, "*gitea.Forge http://g.example/a/b"},
		"gitlab with groups":          {at("gitlab", "https://gitlab.com", "a/b/c", "t"), nil, false, "*gitlab.Forge https://gitlab.com/a/b/c"},
		"github with a token":         {at("github", "https://github.com", "a/b", "t"), nil, false, "*github.Forge https://github.com/a/b"},
		"github with an App":          {at("github", "https://github.com", "a/b", ""), app, false, "*github.Forge https://github.com/a/b"},
		"github with both":            {at("github", "https://github.com", "a/b", "t"), app, false, "*github.Forge https://github.com/a/b"},
		"github with neither":         {at("github", "https://github.com", "a/b", ""), nil, false, "a token file or an App is required"},
		"an App for Git, notes":       {policy.Checks{Forge: policy.ForgeNotes}, app, false, "*notes.Forge"},
		"an App for Git, gitlab next": {at("gitlab", "https://gitlab.com", "a/b", "t"), app, false, "*gitlab.Forge https://gitlab.com/a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := policy.Source{Name: "customers", URL: "https://github.com/a/b.git", Branch: "main", Path: ".", Checks: tt.checks,
				Credentials: policy.Credentials{GithubApp: tt.app}, InsecureHTTP: tt.insecure}
			host, err := hostFor(t, s)
			got := fmt.Sprintf("%T %v %v", host, host, err)
			if !strings.Contains(got, tt.want) || (err == nil) != (strings.HasPrefix(tt.want, "*") || tt.want == "<nil>") {
				t.Errorf("%s; want %s", got, tt.want)
			}
		})
	}
}

func hostFor(t *testing.T, s policy.Source) (forge.Forge, error) {
	t.Helper()
	app, err := newApp(s, nil)
	if err != nil {
		return nil, err
	}
	if (app != nil) != (login(app) != nil) {
		t.Error("Git does not log in as the App")
	}
	repo, err := source.Open(sourceOptions(s, app, t.TempDir(), logr.Discard()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := repo.Close(); err != nil {
			t.Error(err)
		}
	})
	return newForge(s, app, nil, repo, &policy.Config{Seed: "eu-west"}, t.TempDir(), logr.Discard())
}
