// Command demo tells the whole story of Portcullis on a real API server, and
// checks each step of it: `make demo`.
//
// It starts etcd and kube-apiserver (from KUBEBUILDER_ASSETS, else .tools/bin)
// with clusters of three tenants, a bare repository made from examples/, and
// bin/portcullis, and works on them as tenants, KKP's dashboard and KKP's
// operators would. KKP itself is played by a stand-in. A second act follows a
// pull request on a real Gitea, from a tenant's fork to the load balancer; where
// Gitea is not built it is left out, and a line says so. All of it is on
// loopback and in a temporary folder, and gone at the end; with KEEP=1 the first
// act stays until Ctrl-C, with words on what to try.
//
// Exit code: 0 where every step held, 1 else.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// binary is what `make build` makes.
const binary = "bin/portcullis"

// cleanup is how long the end may take, Ctrl-C or not.
const cleanup = 2 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(logr.Discard()) // the stand-in's; the story is not about it
	log.SetOutput(io.Discard)      // the proxies', of connections that end with their servers
	out := newPrinter(os.Stdout)
	if err := run(ctx, out, os.Getenv("KEEP") == "1"); err != nil {
		out.failed(err)
		os.Exit(1)
	}
}

// run plays the story and takes everything down again.
func run(ctx context.Context, out *printer, keep bool) (err error) {
	path, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("find the command: %w: run `make build`", err)
	}
	dir, err := os.MkdirTemp("", "portcullis-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out.heading("Setting up")
	out.Say("etcd and kube-apiserver start, with KKP's definitions and a stand-in for KKP")
	seed, err := stage.StartSeed(ctx, servers.ControlPlaneOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, seed.Stop()) }()
	return onStage(ctx, out, seed, stage.Options{Dir: dir, Binary: path}, keep)
}

func onStage(ctx context.Context, out *printer, seed *stage.Seed, o stage.Options, keep bool) (err error) {
	st, err := stage.New(ctx, seed, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end(st)) }()
	st.Run.Args = append(st.Run.Args, "--console-address", "127.0.0.1:0")
	out.Say("an empty repository is made, and the Config of the seed eu-west: how a commit went is to stand beside it, as a Git note")
	if err := tell(ctx, out, st); err != nil {
		return err
	}
	if err := reviewOn(ctx, out, seed, o); err != nil {
		return err
	}
	if keep {
		out.try(st)
		<-ctx.Done()
		out.Say("cleaning up")
	}
	return nil
}

// end takes its own time: the story's may be over.
func end(st *stage.Stage) error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanup)
	defer cancel()
	return st.Close(ctx)
}

// tell plays the steps, and stops at the first that does not hold: the others
// need it.
func tell(ctx context.Context, out *printer, st *stage.Stage) error {
	return play(ctx, out, st, stage.Story(st))
}

func play(ctx context.Context, out *printer, st *stage.Stage, steps []stage.Step) error {
	for i, step := range steps {
		out.heading(fmt.Sprintf("%d. %s", i+1, step.Title))
		if err := step.Play(ctx, out); err != nil {
			out.log(st.Run.Log())
			return fmt.Errorf("%s: %w", step.Title, err)
		}
		out.held()
	}
	out.heading(fmt.Sprintf("All %d steps held", len(steps)))
	return nil
}
