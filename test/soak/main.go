// Command soak keeps bin/portcullis at work for a long time on real servers and
// tells whether it stays as it was: `make soak`, an hour, or
// `make soak DURATION=10m`.
//
// It starts etcd, kube-apiserver with KKP's objects, the stand-in for KKP, and
// a repository over HTTP. Then, without end but that of the time given: commits
// that change every list, hands in the dashboard, a Git host that is restarted,
// an API server that cannot be reached for some seconds. After each commit it
// waits until every cluster carries the list, and takes the time from the push.
//
// Over each tenth of the time, of the same work, it reports: the command's
// memory (resident, and Go's heap), its goroutines, its requests a commit to the
// API server and to the Git host, and the lag. An observer sees every version
// of every Cluster meanwhile. The exit code is 1 where that saw what must not
// be, where a commit did not come through, or where memory or goroutines at the
// end are beyond the bounds of main.go; lag never decides.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// What the command may have grown by from the first sample to the last.
const (
	moreMemory     = 48.0 // MiB resident, beyond half as much again
	moreGoroutines = 40   // connections come and go
)

type options struct {
	duration time.Duration
	clusters int
	binary   string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(logr.Discard()) // the stand-in's
	o := options{}
	flag.DurationVar(&o.duration, "for", time.Hour, "how long; at least a minute")
	flag.IntVar(&o.clusters, "n", 50, "clusters")
	flag.StringVar(&o.binary, "binary", "bin/portcullis", "the command")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.duration < time.Minute || o.clusters < 1 {
		return fmt.Errorf("-for %s -n %d: see -help", o.duration, o.clusters)
	}
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	if _, err := os.Stat(o.binary); err != nil {
		return fmt.Errorf("find the command: %w: run `make build`", err)
	}
	dir, err := os.MkdirTemp("", "portcullis-soak-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := newSoak(ctx, o, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return s.run(ctx)
}
