package apply

import (
	"context"
	"fmt"
	"maps"

	"github.com/portcullis-gitops/portcullis/render"
)

// projectLabel names a cluster's project; KKP requires it and keeps it from
// being changed.
const projectLabel = "project-id"

// Inventory is what the cache knows of the seed now. It makes no request. It
// waits until the manager has started and the cache is filled, and for up to
// ten seconds for the first answer about the Seed.
func (c *Controller) Inventory(ctx context.Context) (render.Inventory, error) {
	if !c.synced(ctx) {
		return render.Inventory{}, fmt.Errorf("wait for the cache of clusters: %w", context.Cause(ctx))
	}
	var list ClusterList
	if err := c.client.List(ctx, &list); err != nil {
		return render.Inventory{}, fmt.Errorf("list clusters from the cache: %w", err)
	}
	clusters := make(map[string]render.Cluster, len(list.Items))
	for i := range list.Items {
		cluster := known(&list.Items[i])
		cluster.Ours = c.overwritten.lastOurs(&list.Items[i])
		clusters[cluster.ID] = cluster
	}
	return render.Inventory{Known: true, Clusters: clusters, Seed: c.seed.get(ctx)}, nil
}

// known is what a plan needs to know of a Cluster.
func known(c *Cluster) render.Cluster {
	return render.Cluster{
		ID: c.Name, UID: string(c.UID), Project: c.Labels[projectLabel],
		Name: c.Spec.HumanReadableName, Datacenter: c.Spec.Cloud.Datacenter,
		ExposeStrategy: c.Spec.ExposeStrategy, Namespace: c.Status.NamespaceName,
		Labels: c.Labels, Paused: c.Spec.Pause, Deleting: c.DeletionTimestamp != nil,
		Live: liveList(c),
	}
}

// liveList keeps an absent field and an empty list apart.
func liveList(c *Cluster) render.Live {
	if c.Spec.AllowedIPRanges == nil {
		return render.Live{}
	}
	return render.Live{Set: true, CIDRs: c.Spec.AllowedIPRanges.CIDRBlocks}
}

// sameToPlan tells whether two versions of a Cluster look the same to a plan.
// The live list is not part of it: a plan says what is wanted, not what is.
func sameToPlan(a, b *Cluster) bool {
	ka, kb := known(a), known(b)
	return ka.UID == kb.UID && ka.Project == kb.Project && ka.Name == kb.Name &&
		ka.Datacenter == kb.Datacenter && ka.ExposeStrategy == kb.ExposeStrategy &&
		ka.Namespace == kb.Namespace && ka.Paused == kb.Paused &&
		ka.Deleting == kb.Deleting && maps.Equal(ka.Labels, kb.Labels)
}
