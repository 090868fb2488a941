package fault_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// shared is what all tests use, made by the first that needs it.
var shared struct {
	dir    string
	binary func() (string, error)
	seed   func() (*stage.Seed, error)
	gitea  func() (*servers.Gitea, error)
	stages atomic.Int64
	stops  []func() error
	mu     sync.Mutex
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	var err error
	if shared.dir, err = os.MkdirTemp("", "portcullis-fault-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared.binary = sync.OnceValues(build)
	shared.seed = sync.OnceValues(startSeed)
	shared.gitea = sync.OnceValues(startGitea)
	code := m.Run()
	for _, stop := range append(shared.stops, func() error { return os.RemoveAll(shared.dir) }) {
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// atEnd has something stopped when all tests have ended.
func atEnd(stop func() error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.stops = append(shared.stops, stop)
}

// build makes the command as the tests are: with the race detector where they
// have it.
func build() (string, error) {
	path := filepath.Join(shared.dir, "portcullis")
	args := []string{"build", "-buildvcs=false", "-o", path}
	if raceDetector {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "github.com/portcullis-gitops/portcullis/cmd/portcullis")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the command: %w: %s", err, out)
	}
	return path, nil
}

// startSeed has room for the Services of a thousand clusters.
func startSeed() (*stage.Seed, error) {
	s, err := stage.StartSeed(context.Background(), servers.ControlPlaneOptions{Audit: true, Services: "10.0.0.0/16"})
	if err == nil {
		atEnd(s.Stop)
	}
	return s, err
}

func startGitea() (*servers.Gitea, error) {
	g, err := servers.StartGitea(context.Background())
	if err == nil {
		atEnd(g.Stop)
	}
	return g, err
}

// suffix is that of the next stage.
func suffix() string { return fmt.Sprintf("%03d", shared.stages.Add(1)) }

// long tells whether there is time for all of it.
func long() bool { return os.Getenv("PORTCULLIS_FAULTS") == "long" }

// outage is how long something is away.
func outage() time.Duration {
	if long() {
		return time.Minute
	}
	return 4 * time.Second
}
