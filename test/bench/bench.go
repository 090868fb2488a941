package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
)

// bench is one run.
type bench struct {
	fixture
	options options
	dir     string
	plane   *servers.ControlPlane
	client  client.Client // an administrator's, for what is not measured
	trail   *trail
	bare    *reference
	table   *table

	begun  time.Time
	series series
}

// seedResource is the Seed that the examples' Config names.
var seedResource = types.NamespacedName{Namespace: "kubermatic", Name: "eu-west"}

// newBench starts the control plane and creates all clusters.
func newBench(ctx context.Context, o options, dir string) (*bench, error) {
	b := &bench{options: o, fixture: fixture{o.n}, dir: dir, begun: time.Now(), series: series{}}
	b.table = newTable(o.n)
	b.say("etcd and kube-apiserver start")
	var err error
	if b.plane, err = servers.StartControlPlane(ctx, servers.ControlPlaneOptions{Audit: true}); err != nil {
		return nil, err
	}
	if err := b.furnish(ctx); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	return b, nil
}

func (b *bench) furnish(ctx context.Context) error {
	b.trail = &trail{dir: filepath.Dir(b.plane.Kubeconfig)}
	if err := kkp.Install(ctx, b.plane.Config); err != nil {
		return err
	}
	var err error
	if b.client, err = client.New(b.plane.Config, client.Options{}); err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	if b.bare, err = newReference(b.plane); err != nil {
		return err
	}
	if err := b.createSeed(ctx); err != nil {
		return err
	}
	clusters := [2]int{0, b.spare()[1]}
	if b.options.seeds {
		clusters = b.spare()
	}
	b.say("%d clusters are created", clusters[1]-clusters[0])
	return b.createClusters(ctx, clusters)
}

func (b *bench) createSeed(ctx context.Context) error {
	namespace := &corev1.Namespace{}
	namespace.SetName(seedResource.Namespace)
	if err := b.client.Create(ctx, namespace); err != nil {
		return fmt.Errorf("create the namespace %s: %w", namespace.Name, err)
	}
	if err := b.client.Create(ctx, kkp.NewSeed(seedResource, nil, []string{"198.51.100.240/28"})); err != nil {
		return fmt.Errorf("create the seed %s: %w", seedResource, err)
	}
	return nil
}

// measure does everything, in the order that it needs: each round is a first
// sync and a change of all clusters, by the bare loop and by the command, which
// is measured at rest in the last round. Then come the others, and what takes
// no clusters.
func (b *bench) measure(ctx context.Context) error {
	if err := errors.Join(b.bare.prepare(ctx, b), b.idleBystander(ctx)); err != nil {
		return err
	}
	for round := range b.options.rounds {
		last := round == b.options.rounds-1
		bareFirst := (b.options.rounds-1-round)%2 == 0 // in turn, and the command's last
		if bareFirst {
			if err := b.bareRound(ctx); err != nil {
				return err
			}
		}
		if err := b.productRound(ctx, round, last); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
		if !bareFirst {
			if err := b.bareRound(ctx); err != nil {
				return err
			}
		}
		if err := b.plane.Compact(ctx); err != nil {
			return err
		}
	}
	parts := []func(context.Context) error{b.engines}
	if !b.options.brief {
		parts = append(parts, b.reading, b.checking)
	}
	if !b.options.brief && b.options.pulls {
		parts = append(parts, b.pullRequest)
	}
	for _, part := range parts {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// productRound is one life of an installation: a repository, a state and a
// mirror of its own.
func (b *bench) productRound(ctx context.Context, round int, last bool) (err error) {
	p, err := b.newProduct(ctx, round)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	parts := []func(context.Context, *product) error{b.firstSync}
	if last {
		parts = append(parts, b.fileChanges, b.atRest)
	}
	if last && !b.options.brief {
		parts = append(parts, b.restarts)
	}
	if !b.options.brief {
		parts = append(parts, b.policyChange)
	}
	for _, part := range parts {
		if err := part(ctx, p); err != nil {
			return fmt.Errorf("%w; the last that portcullis logged: %s", err, p.lastLines())
		}
	}
	return nil
}

func (b *bench) stop() error { return b.plane.Stop() }

// say tells on standard error how far the run is.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(b.begun).Seconds(), fmt.Sprintf(format, args...))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
