package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// shared is what all tests use, made by the first that needs it.
var shared struct {
	binary struct {
		sync.Once
		dir, path string
		err       error
	}
	seed struct {
		sync.Once
		*stage.Seed
		err error
	}
	gitea struct {
		sync.Once
		*servers.Gitea
		err error
	}
	stages atomic.Int64
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	servers.WaitTogether()
	code := m.Run()
	for _, err := range tearDown() {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func tearDown() []error {
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if shared.seed.Seed != nil {
		note(shared.seed.Stop())
	}
	if shared.gitea.Gitea != nil {
		note(shared.gitea.Stop())
	}
	if shared.binary.dir != "" {
		note(os.RemoveAll(shared.binary.dir))
	}
	return errs
}

// binary is the command, built as the tests are: with the race detector where
// they have it.
func binary(t *testing.T) string {
	t.Helper()
	b := &shared.binary
	b.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "portcullis-e2e-"); b.err != nil {
			return
		}
		b.path = filepath.Join(b.dir, "portcullis")
		args := []string{"build", "-buildvcs=false", "-o", b.path}
		if raceDetector {
			args = append(args, "-race")
		}
		out, err := exec.Command("go", append(args, "github.com/portcullis-gitops/portcullis/cmd/portcullis")...).CombinedOutput()
		if err != nil {
			b.err = fmt.Errorf("build the command: %w: %s", err, out)
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

// seed is the control plane, with an audit log.
func seed(t *testing.T) *stage.Seed {
	t.Helper()
	servers.Need(t, "etcd", "kube-apiserver")
	s := &shared.seed
	s.Do(func() {
		s.Seed, s.err = stage.StartSeed(context.Background(), servers.ControlPlaneOptions{Audit: true})
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.Seed
}

// gitea is a real one, shared: each test has a repository of its own.
func gitea(t *testing.T) *servers.Gitea {
	t.Helper()
	servers.Need(t, "gitea")
	g := &shared.gitea
	g.Do(func() { g.Gitea, g.err = servers.StartGitea(context.Background()) })
	if g.err != nil {
		t.Fatal(g.err)
	}
	return g.Gitea
}

// suffix is that of the next stage.
func suffix() string { return fmt.Sprintf("%03d", shared.stages.Add(1)) }
