// Command bench measures bin/portcullis on a real API server: `make bench`,
// and quickly `make bench N=1000`.
//
// It starts etcd and kube-apiserver with KKP's definitions (KKP_CRDS honoured)
// and creates N Clusters, each with its namespace. A repository, served over
// HTTP by Git itself, has a file for each five of them, a tenant a file. The
// command runs as a process of its own, with a schedule of a second, checks as
// notes, and without a limit on writes.
//
// What it does is set against a bare loop, in the same run and on the same
// machine: server-side applies of the very same bodies to the very same
// clusters, eight at a time, by a client that does nothing else. Rates are read
// off the API server's audit log for both, from the first request to the last.
//
// KKP is not played while N clusters are written: what its stand-in does would
// be measured too, and the API server has addresses for 254 Services alone. The
// first commit's check therefore stays pending throughout. The stand-in sees to
// the few clusters of the changed files only, so that their commits come to an
// end.
//
// The table goes to standard output, with the spread of what was repeated; a
// JSON line for each row to build/bench.json. A ratio is ours to the
// reference's: of rates more is better, of times less. Numbers of requests are promises:
// where one is broken the row says so and the exit code is 1. Speed never
// decides. On a machine that does other things, compare the ratios only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// few is up to how many clusters everything is repeated three times by default.
const few = 1000

// options are the flags.
type options struct {
	n, rounds   int
	binary, out string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(logr.Discard()) // the stand-in's
	o, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2) // flag has said why
	}
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string, words io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(words)
	f.IntVar(&o.n, "n", 10_000, "clusters; a multiple of 5, at least 50")
	f.IntVar(&o.rounds, "rounds", 0, "how often to measure what takes all clusters; 0: 3, or 1 for more than 1,000")
	f.StringVar(&o.binary, "binary", "bin/portcullis", "the command to measure")
	f.StringVar(&o.out, "out", "build/bench.json", "file for the JSON lines")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.n%perFile != 0 || o.n < 50 || o.rounds < 0 {
		err := fmt.Errorf("-n %d -rounds %d: see -help", o.n, o.rounds)
		fmt.Fprintln(words, err)
		return o, err
	}
	if o.rounds == 0 {
		o.rounds = 1
		if o.n <= few {
			o.rounds = 3
		}
	}
	return o, nil
}

// deadline bounds a whole run: some writes a second for each cluster and pass
// over all of them, and what does not depend on their number.
func (o options) deadline() time.Duration {
	passes := time.Duration(6 + 6*o.rounds)
	return 15*time.Minute + passes*time.Duration(o.n)*20*time.Millisecond
}

func run(ctx context.Context, o options) (err error) {
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	if _, err := os.Stat(o.binary); err != nil {
		return fmt.Errorf("find the command: %w: run `make build`", err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.deadline())
	defer cancel()
	dir, err := os.MkdirTemp("", "portcullis-bench-")
	if err != nil {
		return fmt.Errorf("make a folder for the run: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := newBench(ctx, o, dir)
	if err != nil {
		return err
	}
	if err := b.measure(ctx); err != nil {
		return errors.Join(err, b.stop(), b.table.print(os.Stdout)) // as far as it came
	}
	return errors.Join(b.stop(), b.table.finish(os.Stdout, o.out))
}
