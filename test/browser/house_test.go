package browser_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// What a viewer's proxy sends. The installation's viewers are limited to what it
// says; operators sends the word for everything.
const (
	projectsHeader = "X-Projects"
	operators      = "operators"
	visitor        = "203.0.113.10" // where viewers come from; in acme's list
)

// Clusters beside those of the examples.
const (
	unlisted = "n7w3c9k5qd" // of acme, with no list
	hostile  = "x4q7m2v9ks" // of initech, with a list full of markup
)

// harm is markup that would leave a mark, were it taken for any.
const harm = `</td></textarea><script>window.harmed=1</script><img src=x onerror="window.harmed=1">'"`

// hostileFile is a list in which nearly all is markup; hostileName its path.
const (
	hostileName = stage.InitechProject + `/<img src=x onerror=window.harmed=1>'"&.yaml`
	hostileFile = `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: hostile}
spec:
  seed: eu-west
  clusters: [` + hostile + `]
  nodeEgress: none
  entries:
    - description: '` + `</td></textarea><script>window.harmed=1</script><img src=x onerror="window.harmed=1">''"` + `'
      owner: 'javascript:window.harmed=1'
      ticket: '"><svg onload=window.harmed=1>'
      cidr: 203.0.113.10
    - {description: 'משרד <b>תל אביב</b>', owner: 'مكتب', cidr: 203.0.113.77, expires: 2031-12-31}
    - {description: long, owner: 'somebody-with-a-long-name@initech.example', ticket: 'https://tickets.initech.example/browse/NETWORK-20311', cidr: '2001:db8:1234:5678:9abc:def0:1234:5678'}
`
)

// house is the installation that the tests look at. Nobody changes it once it is
// open.
type house struct {
	*stage.Stage
	seed *stage.Seed
	url  string // of the pages, without a slash at its end
	// commits of the story
	first, good, bad, held string
}

// openHouse plays the demo's story, and what a tenant with evil designs and one
// who rewinds the branch add to it.
func openHouse(ctx context.Context, dir, binary string) (*house, error) {
	seed, err := stage.StartSeed(ctx, servers.ControlPlaneOptions{})
	if err != nil {
		return nil, err
	}
	h := &house{seed: seed}
	if err := h.open(ctx, dir, binary); err != nil {
		log := ""
		if h.Stage != nil {
			log = h.Run.Log()
		}
		return nil, errors.Join(fmt.Errorf("open the house: %w; the log ends with\n%s", err, log[max(0, len(log)-3000):]), h.stop())
	}
	return h, nil
}

func (h *house) open(ctx context.Context, dir, binary string) error {
	var err error
	h.Stage, err = stage.New(ctx, h.seed, stage.Options{Dir: dir, Binary: binary, Config: func(d stage.Document) {
		d["console"] = map[string]any{"projectsHeader": projectsHeader, "allProjects": operators, "trustedProxies": []any{"127.0.0.1/32"}}
	}})
	if err != nil {
		return err
	}
	h.Run.Args = append(h.Run.Args, "--console-address", "127.0.0.1:0")
	for _, step := range stage.Story(h.Stage) {
		if err := step.Play(ctx, silent{}); err != nil {
			return fmt.Errorf("%s: %w", step.Title, err)
		}
	}
	if h.url, err = pagesIn(h.Run.Log()); err != nil {
		return err
	}
	if h.good, err = h.Head(ctx); err != nil {
		return err
	}
	return h.add(ctx)
}

// add has a hostile list accepted, then broken, and a commit that is held.
func (h *house) add(ctx context.Context) error {
	err := h.Create(ctx,
		stage.Cluster{ID: unlisted, Project: stage.AcmeProject, Name: "shop-next", Options: []kkp.Option{kkp.WithDatacenter("aws-eu-1a")}},
		stage.Cluster{ID: hostile, Project: stage.InitechProject, Name: harm})
	if err != nil {
		return err
	}
	if h.first, err = h.Push(ctx, stage.Commit{Message: harm, Write: map[string]string{hostileName: hostileFile}}); err != nil {
		return err
	}
	if err := h.Await(ctx, "the hostile list", patience, h.Noted(h.first, stage.Success)); err != nil {
		return err
	}
	broken := strings.Replace(hostileFile, "  nodeEgress: none", `  "<script>window.harmed=1</script>": 1`, 1)
	if h.bad, err = h.Push(ctx, stage.Commit{Message: harm, Write: map[string]string{hostileName: broken}}); err != nil {
		return err
	}
	if err := h.Await(ctx, "the broken list", patience, h.Noted(h.bad, stage.Failure, "unknown-field")); err != nil {
		return err
	}
	if err := h.Rewind(ctx, h.good); err != nil {
		return err
	}
	h.held = h.good
	return h.Await(ctx, "the hold", patience, func(ctx context.Context) error {
		_, body, err := h.get(ctx, "/", http.Header{projectsHeader: {operators}})
		if err == nil && !strings.Contains(body, "Waits for approval") {
			err = errors.New("nothing waits for approval")
		}
		return err
	})
}

func (h *house) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var err error
	if h.Stage != nil {
		err = h.Close(ctx)
	}
	return errors.Join(err, h.seed.Stop())
}

// get asks for a path as a program would.
func (h *house) get(ctx context.Context, path string, header http.Header) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+path, nil)
	if err != nil {
		return 0, "", err
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// command runs the command beside the one that serves; its exit code is no error.
func (h *house) command(ctx context.Context, args ...string) (string, int, error) {
	cmd := exec.CommandContext(ctx, h.Run.Binary, args...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return string(out), cmd.ProcessState.ExitCode(), err
}

func (h *house) policy() string { return filepath.Join(filepath.Dir(h.Config), "policy.yaml") }

var served = regexp.MustCompile(`"Serving the pages","address":"([^"]+)"`)

// pagesIn is the address of the pages, by the reconciler's log.
func pagesIn(log string) (string, error) {
	found := served.FindStringSubmatch(log)
	if found == nil {
		return "", errors.New("the log does not say where the pages are served")
	}
	return found[1], nil
}

// silent is told the story, which is not what is tested here.
type silent struct{}

func (silent) Say(string, ...any)  {}
func (silent) Show(string, string) {}
