package stage

import (
	"context"
	"os"
	"path/filepath"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// Host is an empty repository on a Git host.
type Host struct {
	URL      string // as it is in the Config
	CloneURL string // for the git program, with credentials
	// Token is what the reconciler logs in with.
	Token string
}

// host makes the repository, or takes the one that was given.
func (s *Stage) host(ctx context.Context, o Options) error {
	if o.Host != nil {
		return s.hosted(ctx, *o.Host)
	}
	if o.HTTP {
		if err := s.serve(); err != nil {
			return err
		}
	}
	var err error
	s.Repository, s.URL, err = s.NewRepository(ctx, "allowlists", Tenants)
	return err
}

// serve serves the folder of the repositories over HTTP.
func (s *Stage) serve() error {
	hosted := filepath.Dir(s.folder(""))
	if err := os.MkdirAll(hosted, 0o755); err != nil {
		return err
	}
	var err error
	if s.HTTP, err = servers.StartGitHTTP(hosted); err != nil {
		return err
	}
	return s.login(Document{"username": servers.GitUser}, "passwordFile", servers.GitPassword)
}

// folder is where a repository of the stage's own is.
func (s *Stage) folder(name string) string { return filepath.Join(s.dir, "host", name+".git") }

// NewRepository makes another repository beside the first, and answers its URL
// for the Config; root is what paths in it are below.
func (s *Stage) NewRepository(ctx context.Context, name, root string) (*Repository, string, error) {
	bare := s.folder(name)
	if err := os.MkdirAll(bare, 0o755); err != nil {
		return nil, "", err
	}
	if _, err := git(ctx, bare, "init", "--quiet", "--bare", "--initial-branch=main"); err != nil {
		return nil, "", err
	}
	url, remote := "file://"+filepath.ToSlash(bare), bare
	if s.HTTP != nil {
		url, remote = s.HTTP.URL+"/"+name+".git", s.HTTP.CloneURL(name+".git")
	}
	r, err := newRepository(ctx, filepath.Join(s.dir, "work", name), remote, root, s.names)
	r.bare = bare
	return r, url, err
}

func (s *Stage) hosted(ctx context.Context, h Host) error {
	s.URL = h.URL
	if err := s.login(Document{}, "tokenFile", h.Token); err != nil {
		return err
	}
	var err error
	s.Repository, err = newRepository(ctx, filepath.Join(s.dir, "work", "allowlists"), h.CloneURL, Tenants, s.names)
	return err
}

// login writes a secret down and makes credentials of it.
func (s *Stage) login(credentials Document, key, secret string) error {
	path := filepath.Join(s.dir, "secret")
	credentials[key] = path
	s.credentials = credentials
	return os.WriteFile(path, []byte(secret+"\n"), 0o600)
}
