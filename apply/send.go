package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/render"
)

// sendList writes a list, in the very words that `portcullis render` prints,
// and answers the Cluster as it then stands.
func (c *Controller) sendList(ctx context.Context, cl *Cluster, list []netip.Prefix, more ...client.PatchOption) (*Cluster, error) {
	body, err := render.Patch(cl.Name, string(cl.UID), list)
	if err != nil {
		return nil, fmt.Errorf("encode the list: %w", err)
	}
	return c.patch(ctx, cl, client.RawPatch(types.ApplyPatchType, body),
		append(more, client.ForceOwnership, client.FieldOwner(Manager))...)
}

// sendRemoval removes the field. Server-side apply cannot: giving the field up
// would leave an object without cidrBlocks, which the CRD requires. The tests
// keep it from touching any other version of the Cluster than the one judged.
func (c *Controller) sendRemoval(ctx context.Context, cl *Cluster) (*Cluster, error) {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value string `json:"value,omitempty"`
	}
	body, err := json.Marshal([]operation{
		{Op: "test", Path: "/metadata/uid", Value: string(cl.UID)},
		{Op: "test", Path: "/metadata/resourceVersion", Value: cl.ResourceVersion},
		{Op: "remove", Path: "/spec/apiServerAllowedIPRanges"},
	})
	if err != nil {
		return nil, fmt.Errorf("encode the removal: %w", err)
	}
	return c.patch(ctx, cl, client.RawPatch(types.JSONPatchType, body), client.FieldOwner(Manager))
}

func (c *Controller) patch(ctx context.Context, cl *Cluster, patch client.Patch, options ...client.PatchOption) (*Cluster, error) {
	after := &Cluster{}
	after.Name = cl.Name
	if err := c.client.Patch(ctx, after, patch, options...); err != nil {
		return nil, fmt.Errorf("patch cluster %s: %w", cl.Name, err)
	}
	if _, err := trimCluster(after); err != nil {
		return nil, err
	}
	return after, nil
}
