package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
)

const (
	// perFile is how many clusters a file has.
	perFile = 5
	// concurrency is that of the command: how many clusters it writes at a time.
	concurrency = 8
	// changes is how many files are changed, one after the other.
	changes = 5
	// worker marks the clusters that the stand-in for KKP sees to.
	worker = "bench"
)

// fixture names what there is n of.
type fixture struct{ n int }

func (f fixture) files() int             { return f.n / perFile }
func (f fixture) cluster(i int) string   { return fmt.Sprintf("c%09d", i) }
func (f fixture) project(i int) string   { return fmt.Sprintf("p%09d", i) }
func (f fixture) path(i int) string      { return f.project(i) + "/allowlist.yaml" }
func (f fixture) served(i int) bool      { return i < changes*perFile }
func (f fixture) clusterRange() [2]int   { return [2]int{0, f.n} }
func (f fixture) of(file int) (i [2]int) { return [2]int{file * perFile, (file + 1) * perFile} }

// spare are clusters beyond the n, of no file: the bare loop's own.
func (f fixture) spare() [2]int { return f.of(f.files()) }

// file is the allowlist of one tenant; an edition changes what it lets in.
func (f fixture) file(i, edition int) string {
	var ids []string
	for c := f.of(i)[0]; c < f.of(i)[1]; c++ {
		ids = append(ids, f.cluster(c))
	}
	return fmt.Sprintf(`apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: production}
spec:
  seed: eu-west
  clusters: [%s]
  nodeEgress: [198.51.100.40]   # where the clusters' own nodes come from
  entries:
    - {description: office, owner: netops@tenant.example, ticket: OPS-%d, cidrs: [203.0.113.0/24, "2001:db8:%x::/48"]}
    - {description: build servers, owner: ci@tenant.example, cidr: 198.18.%d.%d}
    - {description: contractor, owner: ci@tenant.example, cidr: 192.0.2.%d}
    - group: provider/noc
  tests:
    - allow: 203.0.113.10
    - deny: 192.0.2.250
`, strings.Join(ids, ", "), i, i+1, i>>8&0xff, i&0xff, 64+edition)
}

// platform is the provider's range, of a policy's edition.
func platform(edition int) []any {
	return []any{map[string]any{"cidr": fmt.Sprintf("192.0.2.%d/32", edition), "description": "NOC"}}
}

func (b *bench) createClusters(ctx context.Context) error {
	return each(ctx, [2]int{0, b.n + perFile}, func(ctx context.Context, i int) error {
		options := []kkp.Option{kkp.WithName(fmt.Sprintf("production-%d", i))}
		if b.served(i) {
			options = append(options, kkp.WithLabel(kkp.WorkerLabel, worker))
		}
		return kkp.Create(ctx, b.client, kkp.NewCluster(b.cluster(i), b.project(i/perFile), options...))
	})
}

// reset takes every list away, and with it who owns it.
func (b *bench) reset(ctx context.Context) error {
	const remove = `{"spec": {"apiServerAllowedIPRanges": null}}`
	return each(ctx, b.clusterRange(), func(ctx context.Context, i int) error {
		cluster := &unstructured.Unstructured{}
		cluster.SetAPIVersion("kubermatic.k8c.io/v1")
		cluster.SetKind("Cluster")
		cluster.SetName(b.cluster(i))
		if err := b.client.Patch(ctx, cluster, client.RawPatch(types.MergePatchType, []byte(remove))); err != nil {
			return fmt.Errorf("remove the list of %s: %w", cluster.GetName(), err)
		}
		return nil
	})
}

// each does something for every index from the first up to the second, as many
// at a time as the command does, and stops at the first error.
func each(ctx context.Context, indexes [2]int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	todo := make(chan int)
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for i := range todo {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := indexes[0]; i < indexes[1] && ctx.Err() == nil; i++ {
		select {
		case todo <- i:
		case <-ctx.Done():
		}
	}
	close(todo)
	workers.Wait()
	return context.Cause(ctx)
}
