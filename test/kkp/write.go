package kkp

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// DashboardManager is the field manager of the KKP dashboard's API.
const DashboardManager = "kubermatic-api"

// DashboardWrite does what a save in the KKP dashboard's edit dialog does: a
// full PUT of the Cluster with the given list. The dialog sends the field on
// every save; without addresses as an empty list, never as an absent field.
func DashboardWrite(ctx context.Context, c client.Client, id string, cidrs []string) error {
	return Update(ctx, c, id, WithList(cidrs...))
}

// Update changes a Cluster by a full PUT with the dashboard's field manager,
// again on conflict.
func Update(ctx context.Context, c client.Client, id string, changes ...Option) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		cluster, err := Get(ctx, c, id)
		if err != nil {
			return err
		}
		for _, change := range changes {
			change(cluster)
		}
		return c.Update(ctx, cluster, client.FieldOwner(DashboardManager))
	})
}

// WithoutList removes the allowlist: the field is then absent.
func WithoutList() Option {
	return func(u *unstructured.Unstructured) {
		unstructured.RemoveNestedField(u.Object, "spec", "apiServerAllowedIPRanges")
	}
}

// Resumed ends a pause.
func Resumed() Option {
	return func(u *unstructured.Unstructured) {
		set(false, "spec", "pause")(u)
		unstructured.RemoveNestedField(u.Object, "spec", "pauseReason")
	}
}

// SwitchStrategy moves a Cluster to another expose strategy the way KKP's
// operators do it: with the migration label, which stays.
func SwitchStrategy(ctx context.Context, c client.Client, id, strategy string) error {
	return Update(ctx, c, id, WithLabel(MigrationLabel, "true"), WithStrategy(strategy))
}

func setStatus(ctx context.Context, c client.Client, id string, fields map[string]any) error {
	patch, err := json.Marshal(map[string]any{"status": fields})
	if err != nil {
		return fmt.Errorf("encode status of cluster %s: %w", id, err)
	}
	u := empty("Cluster")
	u.SetName(id)
	if err := c.Status().Patch(ctx, u, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return fmt.Errorf("write status of cluster %s: %w", id, err)
	}
	return nil
}
