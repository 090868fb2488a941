package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// engine is what a user would take instead: it is given all manifests each
// time, and finds out itself what there is to do.
type engine struct {
	name, user string
	clusters   int // how many of the n it is given
	// apply applies a file of manifests, and answers what that took of the
	// machine.
	apply func(ctx context.Context, path string) (processor float64, err error)
	end   func() error
}

// pass is one application of a file.
type pass struct {
	seconds, processor, servers float64
	requests, writes            int
}

// most is how many clusters kubectl is given, to keep the run short: it sends one
// request after the other, so that twice as many take twice as long.
const most = 1000

// kubectlUser is its name at the API server.
const kubectlUser = "kubectl"

// startFlux starts Flux's engine, which is one process for all passes, as its
// controller is.
func (b *bench) startFlux(ctx context.Context) (*engine, error) {
	kubeconfig, err := b.kubeconfig(fluxUser)
	if err != nil {
		return nil, err
	}
	p, err := startPeer(ctx, "flux", kubeconfig)
	if err != nil {
		return nil, err
	}
	apply := func(_ context.Context, path string) (float64, error) {
		a, err := p.ask(path)
		return a.Processor, err
	}
	return &engine{"Flux's engine", fluxUser, b.n, apply, p.end}, nil
}

// kubectl is a process for each pass.
func (b *bench) kubectl() (*engine, error) {
	kubeconfig, err := b.kubeconfig(kubectlUser)
	if err != nil {
		return nil, err
	}
	apply := func(ctx context.Context, path string) (float64, error) {
		used, err := runProgram(exec.CommandContext(ctx, b.options.kubectl, "--kubeconfig", kubeconfig, "--cache-dir", filepath.Join(b.dir, "kubectl"),
			"apply", "--server-side", "--force-conflicts", "--field-manager", "pipeline", "-f", path))
		return used.processor.Seconds(), err
	}
	return &engine{"kubectl", kubectlUser, min(b.n, most), apply, func() error { return nil }}, nil
}

// kubeconfig writes down an access of one of the references.
func (b *bench) kubeconfig(user string) (string, error) {
	config, err := b.plane.User(user, "system:masters")
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.dir, user+".kubeconfig")
	return path, servers.WriteKubeconfig(config, path)
}

// manifests writes partial Clusters: the lists of the first so many, that of
// the first one from another edition.
func (b *bench) manifests(name string, from, to, editionOfFirst int) (string, error) {
	var out strings.Builder
	for i := from; i < to; i++ {
		list := b.bare.lists[i]
		if i == from && editionOfFirst > 0 {
			list = append(list[:len(list):len(list)], fmt.Sprintf("2001:db8:%x::/48", 0xf000+editionOfFirst))
		}
		fmt.Fprintf(&out, "---\napiVersion: kubermatic.k8c.io/v1\nkind: Cluster\nmetadata: {name: %s}\nspec: {apiServerAllowedIPRanges: {cidrBlocks: [%q]}}\n",
			b.cluster(i), strings.Join(list, `", "`))
	}
	path := filepath.Join(b.dir, name+".yaml")
	text := strings.ReplaceAll(out.String(), `\"`, `"`)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// engineRound is a first sync by an engine, an interval with nothing changed,
// and one with one file changed.
func (b *bench) engineRound(ctx context.Context, e *engine, round int) error {
	if err := b.reset(ctx, [2]int{0, e.clusters}); err != nil {
		return err
	}
	all, err := b.manifests(e.user+"-all", 0, e.clusters, 0)
	if err != nil {
		return err
	}
	other, err := b.manifests(fmt.Sprintf("%s-changed-%d", e.user, round), 0, e.clusters, round+1)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		work, path string
		writes     int
	}{
		{"first", all, e.clusters}, {"unchanged", all, 0}, {"changed", other, 1},
	} {
		p, err := b.pass(ctx, e, part.path)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", e.name, part.work, err)
		}
		if e.user == fluxUser && p.writes != part.writes {
			return fmt.Errorf("%s, %s: it wrote %d clusters, not %d", e.name, part.work, p.writes, part.writes)
		}
		b.series.pass(e.user+" "+part.work, p)
		b.say("%s, %s, %d clusters: %.1fs, %.1fs of processor time, %d requests", e.name, part.work, e.clusters, p.seconds, p.processor, p.requests)
	}
	return nil
}

func (b *bench) pass(ctx context.Context, e *engine, path string) (pass, error) {
	before, began := serversProcessor(), time.Now()
	processor, err := e.apply(ctx, path)
	p := pass{seconds: time.Since(began).Seconds(), processor: processor, servers: (serversProcessor() - before).Seconds()}
	if err != nil {
		return p, err
	}
	events, err := b.trail.events(e.user, began, time.Time{})
	p.requests, p.writes = len(events), len(listWrites(events))
	return p, err
}

// engines measures all of them, in the rounds of the run.
func (b *bench) engines(ctx context.Context) (err error) {
	flux, err := b.startFlux(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, flux.end()) }()
	list := []*engine{flux}
	if b.options.kubectl != "" {
		k, err := b.kubectl()
		if err != nil {
			return err
		}
		list = append(list, k)
	}
	for round := range b.options.rounds {
		for _, e := range list {
			if err := b.engineRound(ctx, e, round); err != nil {
				return err
			}
		}
		if err := b.plane.Compact(ctx); err != nil {
			return err
		}
	}
	return nil
}
