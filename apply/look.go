package apply

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/portcullis-gitops/portcullis/render"
)

// Seen is one cluster as the cache has it now, for people who look at it.
type Seen struct {
	// Exists is false where there is no such Cluster: nothing else is set then.
	Exists bool
	render.Cluster
	PauseReason string // spec.pauseReason
	// ErrorReason and ErrorMessage are KKP's, of the Cluster's status.
	ErrorReason, ErrorMessage string
	// Service tells whether KKP has made front-loadbalancer; Ranges are what that
	// carries, and Carried whether it is what KKP's formula makes of the Cluster.
	Service bool
	Ranges  []string
	Carried bool
}

// Look is what is known of a cluster now. It makes no request; it waits until
// the manager has started and the cache is filled.
func (c *Controller) Look(ctx context.Context, id string) (Seen, error) {
	if !c.synced(ctx) {
		return Seen{}, fmt.Errorf("wait for the cache of clusters: %w", context.Cause(ctx))
	}
	cl := &Cluster{}
	err := c.client.Get(ctx, request(id).NamespacedName, cl)
	if apierrors.IsNotFound(err) {
		return Seen{}, nil
	}
	if err != nil {
		return Seen{}, fmt.Errorf("get cluster %s from the cache: %w", id, err)
	}
	s := Seen{Exists: true, Cluster: known(cl), PauseReason: cl.Spec.PauseReason,
		ErrorReason: cl.Status.ErrorReason, ErrorMessage: cl.Status.ErrorMessage}
	if s.Namespace == "" {
		return s, nil
	}
	svc, err := c.service(ctx, s.Namespace)
	if svc != nil {
		s.Service, s.Ranges = true, slices.Clone(svc.Spec.LoadBalancerSourceRanges)
		s.Carried = carries(svc, serviceRanges(c.seed.last(), s.Live))
	}
	return s, err
}

// Words are a state's message with the problems that stand, as `status` has it.
func (s ClusterState) Words() string { return besides(s.State, s.Message, s.Standing.Problems()) }
