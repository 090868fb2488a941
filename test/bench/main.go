// Command bench measures bin/portcullis on a real API server, beside what a user
// would take instead: `make bench`, and quickly `make bench N=1000`.
//
// It starts etcd and kube-apiserver with KKP's definitions (KKP_CRDS honoured)
// and creates N Clusters, each with its namespace. A repository, served over
// HTTP by Git itself, has a file for each, five to a tenant. The command runs as
// a process of its own, with a schedule of a second, checks as notes, and
// without a limit on writes. The references run in the same run, on the same
// API server and the same clusters:
//
//	bare loop        server-side applies of the very same bodies, eight at a
//	                 time, by a client that does nothing else: the limit
//	Flux's engine    github.com/fluxcd/pkg/ssa as kustomize-controller calls it,
//	                 four objects at a time; building manifests is left out
//	kubectl          apply --server-side of the same manifests; it sends one
//	                 request after the other, and is given 1,000 at most
//	bare informer    a cache of the same objects, trimmed by the same functions
//	git              clone --bare, and fetch
//	bare nodes       the same files, taken apart by yaml.v3 and dropped
//
// Each is a process of its own where its memory or its processor time counts.
// Rates and requests are read off the API server's audit log.
//
// With -seeds, only the load of several reconcilers on one Gitea is measured,
// without the N clusters.
//
// With -pages (`make readers`), the pages alone are measured: 20 readers of the
// fleet and its JSON, while the command changes all lists, which it does as often
// without readers. They ask a second after their last answer, and in passes of
// their own without a pause.
//
// KKP is not played while N clusters are written: what its stand-in does would
// be measured too, and the API server has addresses for 254 Services alone. The
// first commit's check therefore stays pending throughout. The stand-in sees to
// the few clusters of the changed files only, so that their commits come to an
// end.
//
// The table goes to standard output, with the spread of what was repeated; a
// JSON line for each row to build/bench.json, with what its runs were to
// build/bench-runs.json, the table in Markdown to build/bench.md; a chart of cost
// against N to build/bench.svg, for which the cheaper part is also measured with 100 and
// 1,000 clusters. A ratio is ours to the reference's: of rates more is better,
// of times less. Numbers of requests are promises: where one is broken the row
// says so and the exit code is 1. Speed never decides. On a machine that does
// other things, compare the ratios only.
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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// options are the flags.
type options struct {
	n, rounds            int
	also                 []int // other sizes, of which little is measured
	binary, kubectl, out string
	brief, pulls         bool
	pages, seeds, memory bool // alone
	pace                 pace
}

// pace is how often, and for how long, is looked at what does not take all
// clusters.
type pace struct {
	repeats, changes int
	rests            time.Duration // of the bare informer, before its memory counts
	seedsPoll        time.Duration // interval of the reconcilers on one repository; a tenth of it is jitter
}

func usual() pace {
	return pace{repeats: 3, changes: changes, rests: 15 * time.Second, seedsPoll: 10 * time.Second}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && peers[os.Args[1]] != nil {
		end(runPeer(context.Background(), os.Args[1], os.Args[2:])) // it ends with its input
	}
	ctrl.SetLogger(logr.Discard()) // the stand-in's
	o, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2) // flag has said why
	}
	end(runAll(ctx, o, os.Stdout))
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func parse(args []string, words io.Writer) (options, error) {
	o := options{pace: usual()}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(words)
	f.IntVar(&o.n, "n", 10_000, "clusters; a multiple of 5, at least 50")
	f.IntVar(&o.rounds, "rounds", 3, "how often to measure what takes all clusters")
	also := f.String("also", "100,1000", "other numbers of clusters for the chart, where they are smaller; empty: none")
	f.StringVar(&o.binary, "binary", "bin/portcullis", "the command to measure")
	f.StringVar(&o.kubectl, "kubectl", "", "kubectl, to measure beside it; empty: not measured")
	f.BoolVar(&o.pulls, "pulls", true, "measure pull requests, on a Gitea")
	f.BoolVar(&o.pages, "pages", false, "measure the pages beside changes of all lists, and nothing else")
	f.BoolVar(&o.memory, "memory", false, "measure the memory at rest, and nothing else")
	f.BoolVar(&o.seeds, "seeds", false, "measure several reconcilers on one repository, and nothing else")
	f.StringVar(&o.out, "out", "build/bench.json", "file for the JSON lines; the chart goes beside it")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	for _, word := range strings.FieldsFunc(*also, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(word)
		if err == nil && n%perTenant == 0 && n >= 50 {
			o.also = append(o.also, n)
			continue
		}
		err = fmt.Errorf("-also %s: see -help", *also)
		fmt.Fprintln(words, err)
		return o, err
	}
	if o.n%perTenant != 0 || o.n < 50 || o.rounds < 1 {
		err := fmt.Errorf("-n %d -rounds %d: see -help", o.n, o.rounds)
		fmt.Fprintln(words, err)
		return o, err
	}
	return o, nil
}

// deadline bounds a whole run: some writes a second for each cluster and pass
// over all of them, and what does not depend on their number.
func (o options) deadline() time.Duration {
	passes := time.Duration(6 + 12*o.rounds)
	return 20*time.Minute + passes*time.Duration(o.n)*20*time.Millisecond
}

// runAll measures each size, the smallest first, and tells what came of it; of
// the pages, the largest alone.
func runAll(ctx context.Context, o options, out io.Writer) (err error) {
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	for _, path := range []string{o.binary, o.kubectl} {
		if _, err := os.Stat(path); path != "" && err != nil {
			return fmt.Errorf("find the programs to measure: %w: run `make bench`", err)
		}
	}
	var tables []*table
	for _, n := range slices.Sorted(slices.Values(o.also)) {
		if n < o.n && !o.pages && !o.seeds && !o.memory {
			small := o
			small.n, small.brief, small.kubectl = n, true, ""
			t, err := run(ctx, small)
			if err != nil {
				return err
			}
			tables = append(tables, t)
		}
	}
	t, err := run(ctx, o)
	if t != nil {
		tables = append(tables, t)
	}
	return errors.Join(err, finish(out, o.out, tables))
}

// finish prints the tables, writes them as JSON lines and in Markdown, and the
// chart, and fails where a promise is broken.
func finish(out io.Writer, path string, tables []*table) error {
	var errs []error
	for i, t := range tables {
		if i > 0 {
			fmt.Fprintln(out)
		}
		errs = append(errs, t.print(out), t.broken())
	}
	var page strings.Builder
	for _, t := range tables {
		fmt.Fprintln(&page, t.markdown())
	}
	errs = append(errs, save(path, tables), os.WriteFile(beside(path, ".md"), []byte(page.String()), 0o644), drawTo(beside(path, ".svg"), tables))
	return errors.Join(errs...)
}

// run is one size; of a run that came to an early end the table is what it has.
func run(ctx context.Context, o options) (*table, error) {
	ctx, cancel := context.WithTimeout(ctx, o.deadline())
	defer cancel()
	dir, err := os.MkdirTemp("", "portcullis-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the run: %w", err)
	}
	b, err := newBench(ctx, o, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	switch {
	case o.pages:
		err = b.pages(ctx)
	case o.memory:
		err = b.memory(ctx)
	case o.seeds:
		err = b.seedsAlone(ctx)
		b.tell()
	default:
		err = b.measure(ctx)
		b.tell()
	}
	return b.table, errors.Join(err, b.stop(), os.RemoveAll(dir))
}
