package main

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
)

const (
	// perTenant is how many clusters a tenant has, with a file for each.
	perTenant = 5
	// concurrency is that of the command: how many clusters it writes at a time.
	concurrency = 8
	// changes is how many files are changed, one after the other.
	changes = 5
	// worker marks the clusters that the stand-in for KKP sees to.
	worker = "bench"
)

// fixture names what there is n of: clusters, and files.
type fixture struct{ n int }

func (f fixture) cluster(i int) string { return fmt.Sprintf("c%09d", i) }
func (f fixture) project(i int) string { return fmt.Sprintf("p%09d", i/perTenant) }
func (f fixture) path(i int) string {
	return fmt.Sprintf("%s/production-%d.yaml", f.project(i), i%perTenant)
}
func (f fixture) served(i int) bool { return i < changes }
func (f fixture) all() [2]int       { return [2]int{0, f.n} }

// spare are clusters beyond the n, of no file: the bare loop's own.
func (f fixture) spare() [2]int { return [2]int{f.n, f.n + changes} }

// file is the allowlist of one cluster; an edition changes what it lets in.
func (f fixture) file(i, edition int) string {
	return fmt.Sprintf(`apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: production-%d}
spec:
  seed: eu-west
  clusters: [%s]
  nodeEgress: [198.51.100.40]   # where the cluster's own nodes come from
  entries:
    - {description: office, owner: netops@tenant.example, ticket: OPS-%d, cidrs: [203.0.113.0/24, "2001:db8:%x::/48"]}
    - {description: build servers, owner: ci@tenant.example, cidr: 198.18.%d.%d}
    - {description: contractor, owner: ci@tenant.example, cidr: 192.0.2.%d}
    - group: provider/noc
  tests:
    - allow: 203.0.113.10
    - deny: 192.0.2.250
`, i%perTenant, f.cluster(i), i, i+1, i>>8&0xff, i&0xff, 64+edition)
}

// platform is the provider's range, of a policy's edition.
func platform(edition int) []any {
	return []any{map[string]any{"cidr": fmt.Sprintf("192.0.2.%d/32", edition), "description": "NOC"}}
}

func (b *bench) createClusters(ctx context.Context, clusters [2]int) error {
	return each(ctx, clusters, func(ctx context.Context, i int) error {
		options := []kkp.Option{kkp.WithName(fmt.Sprintf("production-%d", i))}
		if b.served(i) {
			options = append(options, kkp.WithLabel(kkp.WorkerLabel, worker))
		}
		return kkp.Create(ctx, b.client, kkp.NewCluster(b.cluster(i), b.project(i), options...))
	})
}

// reset takes every list away, and with it who owns it.
func (b *bench) reset(ctx context.Context, r [2]int) error {
	const remove = `{"spec": {"apiServerAllowedIPRanges": null}}`
	return each(ctx, r, func(ctx context.Context, i int) error {
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
