package kkp

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// groupVersion is that of KKP's API.
var groupVersion = schema.GroupVersion{Group: "kubermatic.k8c.io", Version: "v1"}

// MigrationLabel makes KKP permit a change of the expose strategy.
const MigrationLabel = "unsafe-expose-strategy-migration"

// WorkerLabel gives a Cluster to one of several KKP controllers.
const WorkerLabel = "worker-name"

// Option changes a Cluster that is being built.
type Option func(*unstructured.Unstructured)

// NewCluster builds a Cluster that passes KKP's CRD and webhook: exposed by
// LoadBalancer, in datacenter dc-1, without a list. Its human-readable name is
// its ID unless WithName says otherwise.
func NewCluster(id, project string, options ...Option) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"humanReadableName": id,
			"version":           "1.34.1",
			"exposeStrategy":    "LoadBalancer",
			"cloud":             map[string]any{"dc": "dc-1", "providerName": "fake"},
			"clusterNetwork": map[string]any{
				"dnsDomain": "cluster.local",
				"proxyMode": "ebpf",
				"pods":      map[string]any{"cidrBlocks": []any{"172.25.0.0/16"}},
				"services":  map[string]any{"cidrBlocks": []any{"10.240.16.0/20"}},
			},
		},
	}}
	u.SetGroupVersionKind(groupVersion.WithKind("Cluster"))
	u.SetName(id)
	u.SetLabels(map[string]string{"project-id": project})
	for _, option := range options {
		option(u)
	}
	return u
}

// WithName sets spec.humanReadableName.
func WithName(name string) Option { return set(name, "spec", "humanReadableName") }

// WithStrategy sets spec.exposeStrategy: NodePort, LoadBalancer or Tunneling.
func WithStrategy(strategy string) Option { return set(strategy, "spec", "exposeStrategy") }

// WithDatacenter sets spec.cloud.dc.
func WithDatacenter(dc string) Option { return set(dc, "spec", "cloud", "dc") }

// WithList sets the allowlist; without arguments to an empty one, `[]`.
func WithList(cidrs ...string) Option {
	return func(u *unstructured.Unstructured) { setList(u, cidrs) }
}

// Paused sets spec.pause and its reason.
func Paused(reason string) Option {
	return func(u *unstructured.Unstructured) {
		set(true, "spec", "pause")(u)
		set(reason, "spec", "pauseReason")(u)
	}
}

// WithLabel sets one more label.
func WithLabel(key, value string) Option {
	return set(value, "metadata", "labels", key)
}

// set panics on paths that the builder itself got wrong.
func set(value any, path ...string) Option {
	return func(u *unstructured.Unstructured) {
		if err := unstructured.SetNestedField(u.Object, value, path...); err != nil {
			panic(err)
		}
	}
}

func setList(u *unstructured.Unstructured, cidrs []string) {
	list := make([]any, 0, len(cidrs))
	for _, cidr := range cidrs {
		list = append(list, cidr)
	}
	set(list, "spec", "apiServerAllowedIPRanges", "cidrBlocks")(u)
}

// Create creates a Cluster and, as KKP does, its namespace (GiveNamespace).
// For a cluster still without one use the client's Create.
func Create(ctx context.Context, c client.Client, cluster *unstructured.Unstructured) error {
	if err := c.Create(ctx, cluster); err != nil {
		return fmt.Errorf("create cluster %s: %w", cluster.GetName(), err)
	}
	return GiveNamespace(ctx, c, cluster.GetName())
}

// GiveNamespace makes the namespace cluster-<id> and tells the Cluster's
// status of it.
func GiveNamespace(ctx context.Context, c client.Client, id string) error {
	ns := &corev1.Namespace{}
	ns.SetName("cluster-" + id)
	if err := c.Create(ctx, ns); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace of cluster %s: %w", id, err)
	}
	return setStatus(ctx, c, id, map[string]any{"namespaceName": ns.GetName()})
}

// Get reads a Cluster.
func Get(ctx context.Context, c client.Reader, id string) (*unstructured.Unstructured, error) {
	u := empty("Cluster")
	if err := c.Get(ctx, client.ObjectKey{Name: id}, u); err != nil {
		return nil, fmt.Errorf("get cluster %s: %w", id, err)
	}
	return u, nil
}

// List answers a Cluster's allowlist, and whether the field is there at all.
func List(cluster *unstructured.Unstructured) (cidrs []string, set bool) {
	cidrs, set, _ = unstructured.NestedStringSlice(cluster.Object, "spec", "apiServerAllowedIPRanges", "cidrBlocks")
	return cidrs, set
}
