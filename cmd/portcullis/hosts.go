package main

import (
	"net/url"
	"path/filepath"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/gitea"
	"github.com/portcullis-gitops/portcullis/source/forge/github"
	"github.com/portcullis-gitops/portcullis/source/forge/gitlab"
	"github.com/portcullis-gitops/portcullis/source/forge/notes"
	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

// newApp is the GitHub App that a source logs in as, for Git and for checks
// alike; nil: none.
func newApp(s policy.Source, observe func(code int)) (*github.App, error) {
	app := s.Credentials.GithubApp
	if app == nil {
		return nil, nil
	}
	options := hostOptions(s, observe)
	if s.Checks.Forge != policy.ForgeGithub {
		options.URL = hostOf(s.URL)
	}
	return github.NewApp(github.AppOptions{Options: options,
		AppID: app.AppID, InstallationID: app.InstallationID, PrivateKeyFile: app.PrivateKeyFile})
}

// hostOf is the address of the host that a repository is on.
func hostOf(repository string) string {
	u, err := url.Parse(repository)
	if err != nil { // checked with the Config
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

// hostOptions are what every forge is told. observe counts its answers.
func hostOptions(s policy.Source, observe func(code int)) wire.Options {
	return wire.Options{URL: s.Checks.URL, Repository: s.Checks.Repository, TokenFile: s.Checks.TokenFile,
		CAFile: s.Credentials.CAFile, Proxy: s.Credentials.Proxy, InsecureHTTP: s.InsecureHTTP, Observe: observe}
}

// newForge is where the source's commits are told how they went; nil: nowhere.
// On GitHub a token of its own comes before the App that Git logs in as.
func newForge(s policy.Source, app *github.App, observe func(code int), repo *source.Repository, config *policy.Config, dir string, log logr.Logger) (forge.Forge, error) {
	options := hostOptions(s, observe)
	options.TargetURL = config.Console.URL
	switch s.Checks.Forge {
	case policy.ForgeGitea:
		return gitea.New(options)
	case policy.ForgeGitlab:
		return gitlab.New(gitlab.Options{Options: options, Branch: s.Branch})
	case policy.ForgeGithub:
		if !detailed(s) {
			app = nil
		}
		return github.New(github.Options{Options: options, App: app})
	case policy.ForgeNotes:
		return notes.New(notes.Options{Dir: filepath.Join(dir, s.Name+"-notes"), Remote: repo.Remote(),
			Ref: "refs/notes/portcullis/" + config.Seed, Log: log})
	}
	return nil, nil
}

// detailed tells whether the host of a source shows more of a check than a line:
// GitHub does, of those that an App makes.
func detailed(s policy.Source) bool {
	return s.Checks.Forge == policy.ForgeGithub && s.Checks.TokenFile == "" && s.Credentials.GithubApp != nil
}

// login is how Git over https logs in as an App; nil without one.
func login(app *github.App) source.Login {
	if app == nil {
		return nil
	}
	return app
}
