// Command practice is a seed to learn on, for who has no KKP at hand: the
// tutorial (docs/tutorial.md) uses it.
//
//	practice                          starts the seed, and goes on until Ctrl-C
//	practice dashboard CLUSTER [CIDR...]   a save in KKP's dashboard with this list
//
// The seed is a real etcd and kube-apiserver (from KUBEBUILDER_ASSETS, else
// .tools/bin) with a few Clusters. KKP is played by a stand-in, which makes the
// Service of each cluster's load balancer as KKP would; load balancers and user
// clusters there are none. What each Service lets in is printed when it changes.
// All is on loopback. The kubeconfig of an administrator is written to
// build/practice, which must not be there yet: an earlier lesson's files are the
// learner's to remove.
//
// Exit code: 0 when it was asked to end, 1 where it could not go on, 2 for usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// folder is where the lesson's files go, below the working directory.
const folder = "build/practice"

// kubeconfig is an administrator's access to the practice seed.
var kubeconfig = filepath.Join(folder, "seed.kubeconfig")

// errUsage ends the program with 2.
var errUsage = errors.New("usage: practice, or practice dashboard CLUSTER [CIDR...]")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(logr.Discard()) // the stand-in's; the lesson is not about it
	err := dispatch(ctx, os.Args[1:], os.Stdout)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "practice:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	switch {
	case len(args) == 0:
		return run(ctx, out)
	case args[0] == "dashboard" && len(args) > 1:
		return dashboard(ctx, args[1], args[2:])
	}
	return errUsage
}
