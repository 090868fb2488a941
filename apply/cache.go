package apply

import (
	"maps"
	"slices"
	"strings"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// annotationPrefix is that of the annotations a Cluster may carry for us.
const annotationPrefix = "portcullis.dev/"

// CacheOptions are those of the manager that the controller is added to. They
// keep in memory, of the whole seed, the Clusters and the Services named
// front-loadbalancer, both reduced to what is used. Other kinds that a caller
// reads through the manager's client are cached as they are: state is not, see
// NewStore.
//
// Reads of both kinds share the cache's memory (no copies): what is read must
// not be changed.
func CacheOptions() cache.Options {
	shared, labels := true, &labelSets{}
	return cache.Options{ByObject: map[client.Object]cache.ByObject{
		&Cluster{}: {Transform: labels.trim, UnsafeDisableDeepCopy: &shared},
		&corev1.Service{}: {
			Field:                 fields.OneTermEqualSelector("metadata.name", serviceName),
			Transform:             trimService,
			UnsafeDisableDeepCopy: &shared,
		},
	}}
}

// trimCluster keeps of the metadata what the controller reads. It is called
// again for objects it has trimmed, and then changes nothing.
func trimCluster(obj any) (any, error) {
	c, ok := obj.(*Cluster)
	if !ok { // a tombstone
		return obj, nil
	}
	c.ObjectMeta = metav1.ObjectMeta{
		Name: c.Name, UID: c.UID, ResourceVersion: c.ResourceVersion, Generation: c.Generation,
		DeletionTimestamp: c.DeletionTimestamp,
		Labels:            c.Labels,
		Annotations:       keepOurs(c.Annotations),
		ManagedFields:     owners(c.ManagedFields),
	}
	c.TypeMeta = metav1.TypeMeta{}
	for _, s := range []*string{&c.Spec.ExposeStrategy, &c.Spec.Cloud.Datacenter, &c.Spec.Cloud.ProviderName} {
		*s = intern(*s)
	}
	return c, nil
}

// trimService keeps of a Service what KKP's formula fills, and when that or
// the balancer's answer last changed.
func trimService(obj any) (any, error) {
	svc, ok := obj.(*corev1.Service)
	if !ok {
		return obj, nil
	}
	kept := &corev1.Service{}
	kept.Name, kept.Namespace = svc.Name, svc.Namespace
	kept.UID, kept.ResourceVersion = svc.UID, svc.ResourceVersion
	kept.ManagedFields = lastChange(svc.ManagedFields)
	kept.Spec.LoadBalancerSourceRanges = slices.Clone(svc.Spec.LoadBalancerSourceRanges)
	if joined, ok := svc.Annotations[rangesAnnotation]; ok {
		kept.Annotations = map[string]string{rangesAnnotation: joined}
	}
	return kept, nil
}

func keepOurs(annotations map[string]string) map[string]string {
	kept := maps.Clone(annotations)
	maps.DeleteFunc(kept, func(key, _ string) bool { return !strings.HasPrefix(key, annotationPrefix) })
	if len(kept) == 0 {
		return nil
	}
	return kept
}

func intern(s string) string { return unique.Make(s).Value() }
