package servers

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The only user that GitHTTP lets in, to read and to push.
const (
	GitUser     = "git"
	GitPassword = "a password for loopback"
)

// GitHTTP serves the bare repositories below a folder.
type GitHTTP struct {
	// URL is that of the folder; a repository's is URL + "/" + its path.
	URL string
	// Meter has every request, those without the password too.
	Meter *Meter

	dir    string
	server *web
}

// GitHTTPFor starts a server for a test, with dir as its folder, and stops it at
// the test's end.
func GitHTTPFor(tb TB, dir string) *GitHTTP {
	tb.Helper()
	server, err := StartGitHTTP(dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return server
}

// StartGitHTTP serves the bare repositories below dir, which are made by Init
// or by others, with Git's own http-backend on a free port of loopback.
func StartGitHTTP(dir string) (*GitHTTP, error) {
	backend, err := gitBackend()
	if err != nil {
		return nil, fmt.Errorf("serve %s by git http-backend: %w", dir, err)
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("serve %s by git http-backend: %w", dir, err)
	}
	meter := &Meter{}
	server, err := serve(meter.before(withPassword(wholeBodies(gitCGI(backend, root)))))
	if err != nil {
		return nil, fmt.Errorf("serve %s by git http-backend: %w", dir, err)
	}
	return &GitHTTP{URL: server.url, Meter: meter, dir: root, server: server}, nil
}

// Init makes an empty bare repository with the branch main as its HEAD.
func (g *GitHTTP) Init(ctx context.Context, name string) error {
	cmd := exec.CommandContext(ctx, "git", "init", "--quiet", "--bare", "--initial-branch=main", filepath.Join(g.dir, name))
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the repository %s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// CloneURL is a repository's URL with user and password in it, for the git
// program.
func (g *GitHTTP) CloneURL(name string) string {
	return withUser(g.URL, GitUser, GitPassword) + "/" + name
}

// Stop ends the server; the repositories stay. It may be called again.
func (g *GitHTTP) Stop() error { return g.server.stop() }

func gitBackend() (string, error) {
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return "", fmt.Errorf("ask git for its programs: %w", err)
	}
	path := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("this git comes without http-backend: %w", err)
	}
	return path, nil
}

// gitCGI runs http-backend for each request. REMOTE_USER is what makes it
// accept a push. The configuration of who runs the tests plays no part.
func gitCGI(backend, root string) http.Handler {
	return &cgi.Handler{
		Path:       backend,
		Root:       "/",
		InheritEnv: []string{"PATH", "TMPDIR"},
		Env: []string{
			"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=" + GitUser,
			"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		},
		Stderr: io.Discard,
	}
}

func withPassword(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != GitUser || subtle.ConstantTimeCompare([]byte(password), []byte(GitPassword)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// wholeBodies reads a body that comes in chunks, for a CGI program must be
// told its length. Git sends a push of more than 1 MiB so.
func wholeBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength >= 0 {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "read the body: "+err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength, r.TransferEncoding = int64(len(body)), nil
		next.ServeHTTP(w, r)
	})
}

// withUser puts user and password into a URL that was made here.
func withUser(raw, user, password string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

// web is an HTTP server on a free port of loopback.
type web struct {
	url    string
	server *http.Server
}

func serve(h http.Handler) (*web, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	w := &web{url: "http://" + listener.Addr().String(), server: &http.Server{Handler: h}}
	go w.server.Serve(listener) //nolint:errcheck // always an error: it was closed
	return w, nil
}

func (w *web) stop() error {
	if err := w.server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop the server of %s: %w", w.url, err)
	}
	return nil
}
