package rights_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// command is the program under test, built by the first test that needs it.
var command struct {
	sync.Once
	dir, path string
	err       error
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	code := m.Run()
	if err := os.RemoveAll(command.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func binary(t *testing.T) string {
	t.Helper()
	command.Do(func() {
		if command.dir, command.err = os.MkdirTemp("", "portcullis-rights-"); command.err != nil {
			return
		}
		command.path = filepath.Join(command.dir, "portcullis")
		build := exec.Command("go", "build", "-buildvcs=false", "-o", command.path, "github.com/portcullis-gitops/portcullis/cmd/portcullis")
		if out, err := build.CombinedOutput(); err != nil {
			command.err = fmt.Errorf("build the command: %w: %s", err, out)
		}
	})
	if command.err != nil {
		t.Fatal(command.err)
	}
	return command.path
}

// house is a seed with the shipped roles and the reconciler's policy, and an
// installation on it that runs as the shipped account.
type house struct {
	*stage.Stage
	t     *testing.T
	ctx   context.Context
	dir   string
	agent *rest.Config // the account's access
}

func newHouse(t *testing.T, o stage.Options) *house {
	t.Helper()
	servers.Need(t, "etcd", "kube-apiserver")
	o.Dir, o.Binary, o.HTTP = t.TempDir(), binary(t), true
	seed, err := stage.StartSeed(t.Context(), servers.ControlPlaneOptions{Audit: true})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, ctx: t.Context(), dir: o.Dir}
	t.Cleanup(func() { h.must(seed.Stop()) })
	install(t, seed.Client, shipped(t, "namespace.yaml", "rbac-reconciler.yaml", "rbac-outside.yaml", "rbac-operator.yaml",
		"rbac-reader.yaml", "admission-reconciler.yaml"))
	h.Stage, err = stage.New(t.Context(), seed, o)
	h.must(err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what portcullis logged:\n%s", h.Run.Log())
		}
		h.must(h.Close(context.WithoutCancel(t.Context())))
	})
	h.agent, err = asAccount(t.Context(), seed.Plane.Config)
	h.must(err)
	h.must(servers.WriteKubeconfig(h.agent, h.Kubeconfig))
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) await(what string, condition func(context.Context) error) {
	h.t.Helper()
	h.must(h.Await(h.ctx, what, patience, condition))
}

// member writes a kubeconfig of somebody in a group, and answers its path.
func (h *house) member(group string) string {
	h.t.Helper()
	cfg, err := h.Seed.Plane.User("member-of-"+group, group)
	h.must(err)
	path := filepath.Join(h.dir, group)
	h.must(servers.WriteKubeconfig(cfg, path))
	return path
}

// call runs a command to its end, and answers what it printed.
func (h *house) call(kubeconfig string, args ...string) (string, error) {
	h.t.Helper()
	out, err := exec.CommandContext(h.ctx, binary(h.t), append(args, "--kubeconfig", kubeconfig)...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("portcullis %s: %w: %s", args[0], err, out)
	}
	return string(out), err
}
