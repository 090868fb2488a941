package browser_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// patience is how long one thing may take on a busy machine.
const patience = 90 * time.Second

// shared is what all tests look at, made by the first that needs it.
var shared struct {
	sync.Once
	dir string
	*house
	*browser
	axe string // its source
	err error
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	servers.WaitTogether()
	code := m.Run()
	if err := tearDown(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func tearDown() error {
	var errs []error
	if shared.browser != nil {
		shared.browser.stop()
	}
	if shared.house != nil {
		errs = append(errs, shared.house.stop())
	}
	if shared.dir != "" {
		errs = append(errs, os.RemoveAll(shared.dir))
	}
	return errors.Join(errs...)
}

// look is the installation and a browser to look at it with; the test is skipped
// where there is none to be had.
func look(t *testing.T) (*house, *browser) {
	t.Helper()
	servers.Need(t, "etcd", "kube-apiserver")
	needBrowser(t)
	shared.Do(func() { shared.err = prepare() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.house, shared.browser
}

func prepare() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var err error
	if shared.dir, err = os.MkdirTemp("", "portcullis-browser-"); err != nil {
		return err
	}
	if shared.axe, err = axeSource(ctx); err != nil {
		return err
	}
	binary := filepath.Join(shared.dir, "portcullis")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "./cmd/portcullis")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the command: %w: %s", err, out)
	}
	if shared.house, err = openHouse(ctx, shared.dir, binary); err != nil {
		return err
	}
	shared.browser, err = openBrowser()
	return err
}
