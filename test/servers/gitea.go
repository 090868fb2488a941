package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// giteaPatience is how long Gitea may take to answer for the first time.
const giteaPatience = 2 * time.Minute

// GiteaAdmin is the name of the first user, an administrator.
const GiteaAdmin = "portcullis-admin"

// Gitea is a running Gitea with an administrator.
type Gitea struct {
	// URL is without a slash at its end, and does not change in Gitea's life.
	URL string
	// Admin may do all; the token has all scopes.
	Admin GiteaUser
	// Meter has every request: API, pages, Git.
	Meter *Meter

	dir     string
	program string
	config  string // path of app.ini
	process *process
	front   *web
}

// GiteaFor starts a Gitea for a test and stops it at its end.
func GiteaFor(tb TB) *Gitea {
	tb.Helper()
	Need(tb, "gitea")
	g, err := StartGitea(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := g.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return g
}

// StartGitea starts Gitea on a free port of loopback and returns once it
// answers. ctx bounds the start alone; Stop ends what was started.
//
// Gitea itself listens on a socket in its folder. What has the port is a
// proxy in this process, so the port is known, and surely ours, before Gitea
// is told its own URL, and the Meter sees each request.
func StartGitea(ctx context.Context) (*Gitea, error) {
	program, err := Find("gitea")
	if err != nil {
		return nil, err
	}
	// Not below a test's folder: the path of a socket may have 104 bytes.
	dir, err := os.MkdirTemp("", "portcullis-gitea-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for Gitea: %w", err)
	}
	g := &Gitea{Meter: &Meter{}, dir: dir, program: program}
	ctx, cancel := context.WithTimeout(ctx, giteaPatience)
	defer cancel()
	if err := g.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start Gitea: %w", err), g.Stop())
	}
	return g, nil
}

func (g *Gitea) start(ctx context.Context) error {
	var err error
	if g.front, err = serve(g.Meter.before(socketProxy(g.socket()))); err != nil {
		return err
	}
	g.URL = g.front.url
	if err := g.configure(); err != nil {
		return err
	}
	if _, err := g.command(ctx, "migrate"); err != nil {
		return err
	}
	if err := g.createAdmin(ctx); err != nil {
		return err
	}
	if g.process, err = startProcess(g.gitea(context.Background(), "web")); err != nil {
		return err
	}
	return g.process.until(ctx, g.healthy)
}

func (g *Gitea) socket() string { return filepath.Join(g.dir, "http.sock") }

func (g *Gitea) configure() error {
	me, err := currentUser()
	if err != nil {
		return err
	}
	static, err := giteaStatic(g.program)
	if err != nil {
		return err
	}
	g.config, err = giteaConfig{User: me, Dir: g.dir, Socket: g.socket(), URL: g.URL, Static: static}.write()
	return err
}

// createAdmin uses the command line, before the server runs: there is nobody
// yet who could ask the API.
func (g *Gitea) createAdmin(ctx context.Context) error {
	g.Admin = GiteaUser{Name: GiteaAdmin, Password: giteaPassword}
	_, err := g.command(ctx, "admin", "user", "create", "--admin", "--username", g.Admin.Name,
		"--password", g.Admin.Password, "--email", g.Admin.Name+"@example.com", "--must-change-password=false")
	if err != nil {
		return err
	}
	out, err := g.command(ctx, "admin", "user", "generate-access-token", "--username", g.Admin.Name,
		"--token-name", "first", "--scopes", "all", "--raw")
	if err != nil {
		return err
	}
	if g.Admin.Token = giteaToken.FindString(out); g.Admin.Token == "" {
		return errors.New("gitea admin user generate-access-token: its output holds no token")
	}
	return nil
}

// giteaToken is a line with a token. On a busy machine, Gitea may print log
// lines before it and after it, such as one about a slow query.
var giteaToken = regexp.MustCompile(`(?m)^[0-9a-f]{40}$`)

// command runs one of Gitea's subcommands and returns what it printed.
func (g *Gitea) command(ctx context.Context, args ...string) (string, error) {
	cmd := g.gitea(ctx, args...)
	var stderr tail
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		// Not the arguments: there may be a password among them.
		return "", fmt.Errorf("gitea %s: %w: %s%s", args[0], err, out, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}

// gitea is the program with the user's own settings, of Git and of another
// Gitea, out of its sight.
func (g *Gitea) gitea(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.program, append([]string{"--config", g.config}, args...)...)
	cmd.Dir = g.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "USER=" + os.Getenv("USER"),
		"HOME=" + g.dir, "GITEA_WORK_DIR=" + g.dir,
	}
	return cmd
}

// healthy asks past the Meter, which is for what tests ask.
func (g *Gitea) healthy(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://gitea/api/healthz", nil)
	if err != nil {
		return err
	}
	transport := socketTransport(g.socket())
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("its health check answered %s", response.Status)
	}
	return nil
}

// Stop ends Gitea and removes its data. It may be called again.
func (g *Gitea) Stop() error {
	var errs []error
	if g.front != nil {
		errs = append(errs, g.front.stop())
	}
	if g.process != nil {
		errs = append(errs, g.process.kill())
		g.process = nil
	}
	errs = append(errs, os.RemoveAll(g.dir))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop Gitea: %w", err)
	}
	return nil
}

func socketTransport(socket string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}
}

// socketProxy hands every request to who listens on the socket, as it came.
func socketProxy(socket string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "gitea"})
			r.Out.Host = r.In.Host
		},
		Transport:     socketTransport(socket),
		FlushInterval: -1, // a push shows its progress
	}
}
