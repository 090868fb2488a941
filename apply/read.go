package apply

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/pager"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/render"
)

// pageSize is how many Clusters are asked for at once: some megabytes.
const pageSize = 500

// ReadInventory reads from a seed what a plan needs to know of it: all its
// Clusters, by pages, and the Seed object that is named, as namespace and
// name. It writes nothing, and reads nothing again: for a reconciler see
// Controller.Inventory.
//
// Without a Seed (the empty name) its ranges are not known and count as none.
// One that is named and cannot be read is an error, for whoever named it wants
// to know.
func ReadInventory(ctx context.Context, c client.Reader, seed types.NamespacedName) (render.Inventory, error) {
	out := render.Inventory{Known: true, Clusters: map[string]render.Cluster{}}
	pages := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		var page ClusterList
		err := c.List(ctx, &page, &client.ListOptions{Limit: o.Limit, Continue: o.Continue})
		return &page, err
	})
	pages.PageSize = pageSize
	err := pages.EachListItem(ctx, metav1.ListOptions{}, func(obj runtime.Object) error {
		if cluster, ok := obj.(*Cluster); ok {
			out.Clusters[cluster.Name] = known(cluster)
		}
		return nil
	})
	if err != nil {
		return render.Inventory{}, fmt.Errorf("list clusters: %w", err)
	}
	out.Seed, err = readSeed(ctx, c, seed)
	return out, err
}

func readSeed(ctx context.Context, c client.Reader, key types.NamespacedName) (render.SeedRanges, error) {
	if key.Name == "" {
		return render.SeedRanges{}, nil
	}
	var seed Seed
	if err := c.Get(ctx, key, &seed); err != nil {
		return render.SeedRanges{}, fmt.Errorf("read seed %s: %w", key, err)
	}
	return rangesOf(&seed), nil
}

// rangesOf are the ranges that KKP adds to the lists of a Seed's clusters.
func rangesOf(seed *Seed) render.SeedRanges {
	return render.SeedRanges{
		Known:   true,
		Source:  seed.Spec.NodeportProxy.Envoy.LoadBalancerService.SourceRanges,
		Default: seed.Spec.DefaultRanges,
	}
}
