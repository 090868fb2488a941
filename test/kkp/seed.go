package kkp

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// NewSeed builds a Seed that passes KKP's CRD. Its namespace is to be there.
func NewSeed(key types.NamespacedName, sourceRanges, defaultRanges []string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"kubeconfig": map[string]any{"name": "kubeconfig", "namespace": key.Namespace},
		},
	}}
	u.SetGroupVersionKind(groupVersion.WithKind("Seed"))
	u.SetNamespace(key.Namespace)
	u.SetName(key.Name)
	SetSeedRanges(u, sourceRanges, defaultRanges)
	return u
}

// WithServiceType gives a Seed a datacenter whose clusters have Service
// apiserver-external of this type: ClusterIP, NodePort or LoadBalancer.
func WithServiceType(seed *unstructured.Unstructured, datacenter, kind string) {
	set(kind, "spec", "datacenters", datacenter, "spec", "apiServerServiceType")(seed)
}

// The two lists of a Seed that end up on front-loadbalancer.
var (
	sourcePath  = []string{"spec", "nodeportProxy", "envoy", "loadBalancerService", "sourceRanges"}
	defaultPath = []string{"spec", "defaultAPIServerAllowedIPRanges"}
)

// SetSeedRanges replaces both lists of a Seed; nil removes one.
func SetSeedRanges(seed *unstructured.Unstructured, sourceRanges, defaultRanges []string) {
	replace(seed, sourceRanges, sourcePath)
	replace(seed, defaultRanges, defaultPath)
}

func replace(u *unstructured.Unstructured, values, path []string) {
	if values == nil {
		unstructured.RemoveNestedField(u.Object, path...)
		return
	}
	if err := unstructured.SetNestedStringSlice(u.Object, values, path...); err != nil {
		panic(err)
	}
}

func seedRanges(seed *unstructured.Unstructured) (source, defaults []string) {
	source, _, _ = unstructured.NestedStringSlice(seed.Object, sourcePath...)
	defaults, _, _ = unstructured.NestedStringSlice(seed.Object, defaultPath...)
	return source, defaults
}
