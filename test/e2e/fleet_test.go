package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// fleet creates the clusters.
func (p *play) fleet() []string {
	p.t.Helper()
	var ids []string
	for i := range fleet {
		id := fmt.Sprintf("fleet%02dxyz", i)
		ids = append(ids, id)
		p.must(p.Create(p.ctx, stage.Cluster{ID: id, Project: stage.AcmeProject}))
	}
	return ids
}

func fleetFile(ids []string, cidr string) string {
	return `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: fleet}
spec:
  seed: eu-west
  clusters: [` + strings.Join(ids, ", ") + `]
  nodeEgress: none
  entries: [{description: everywhere, cidr: ` + cidr + `}]
`
}

// watch notes every list that a cluster of acme has from now on, until the
// answer is asked for: how often by list.
func (p *play) watch() (seen func() map[string]int) {
	p.t.Helper()
	watching, err := client.NewWithWatch(p.Seed.Plane.Config, client.Options{})
	p.must(err)
	clusters := p.clusters()
	p.must(p.Seed.Client.List(p.ctx, clusters, p.ofAcme()))
	changes, err := watching.Watch(p.ctx, clusters, p.ofAcme(), &client.ListOptions{
		Raw: &metav1.ListOptions{ResourceVersion: clusters.GetResourceVersion()}})
	p.must(err)
	lists := make(chan map[string]int, 1)
	go func() {
		counts := map[string]int{}
		for change := range changes.ResultChan() {
			if cluster, ok := change.Object.(*unstructured.Unstructured); ok {
				counts[listOf(cluster)]++
			}
		}
		lists <- counts
	}()
	return func() map[string]int {
		changes.Stop()
		counts := <-lists
		if len(counts) == 0 {
			p.t.Error("the watch saw nothing")
		}
		return counts
	}
}

// listOf is a cluster's list in one line; none is told from an empty one.
func listOf(cluster *unstructured.Unstructured) string {
	list, set := kkp.List(cluster)
	if !set {
		return "none"
	}
	return lineOf(list)
}

func lineOf(list []string) string {
	return fmt.Sprint(slices.Sorted(slices.Values(list)))
}

func (p *play) clusters() *unstructured.UnstructuredList {
	clusters := &unstructured.UnstructuredList{}
	clusters.SetGroupVersionKind(schema.GroupVersionKind{Group: "kubermatic.k8c.io", Version: "v1", Kind: "ClusterList"})
	return clusters
}

func (p *play) ofAcme() client.MatchingLabels {
	return client.MatchingLabels{"project-id": p.Own(stage.AcmeProject)}
}

// everywhere is a condition: all clusters carry this list.
func (p *play) everywhere(ids []string, want []string) func(context.Context) error {
	return func(ctx context.Context) error {
		n, err := p.carry(ctx, ids, want)
		if err == nil && n < len(ids) {
			err = fmt.Errorf("%d of %d clusters carry it", n, len(ids))
		}
		return err
	}
}

// carry counts the clusters that carry this list. One read is for all of them.
func (p *play) carry(ctx context.Context, ids []string, want []string) (int, error) {
	clusters := p.clusters()
	if err := p.Seed.Client.List(ctx, clusters, p.ofAcme()); err != nil {
		return 0, fmt.Errorf("list the clusters: %w", err)
	}
	n := 0
	for i := range clusters.Items {
		if listOf(&clusters.Items[i]) == lineOf(want) {
			n++
		}
	}
	return n, nil
}
