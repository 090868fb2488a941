package kkp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	serviceName      = "front-loadbalancer"
	clusterLabel     = "cluster"
	rangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges"
)

type reconciler struct {
	client client.Client
	seed   types.NamespacedName
	worker string
}

// Reconcile makes one cluster's Service what KKP would make it.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	cluster := empty("Cluster")
	if err := r.client.Get(ctx, req.NamespacedName, cluster); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	namespace := servedIn(cluster)
	if namespace == "" || cluster.GetLabels()[WorkerLabel] != r.worker {
		return reconcile.Result{}, nil
	}
	ranges, err := r.ranges(ctx, cluster)
	if err != nil {
		return reconcile.Result{}, err
	}
	refused := r.write(ctx, cluster.GetName(), namespace, ranges)
	if refused == nil {
		if faulty, err := r.fault(ctx, cluster); faulty || err != nil {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{}, r.tell(ctx, cluster, refused)
}

// servedIn answers the namespace to make the Service in; empty for clusters
// that KKP would leave alone.
func servedIn(cluster *unstructured.Unstructured) string {
	namespace, _, _ := unstructured.NestedString(cluster.Object, "status", "namespaceName")
	strategy, _, _ := unstructured.NestedString(cluster.Object, "spec", "exposeStrategy")
	paused, _, _ := unstructured.NestedBool(cluster.Object, "spec", "pause")
	if paused || strategy != "LoadBalancer" || cluster.GetDeletionTimestamp() != nil {
		return ""
	}
	return namespace
}

// ranges is the formula of KKP v2.31: the Seed's source ranges; and, where the
// Cluster has the field, be it empty, its list and the Seed's default ranges.
func (r *reconciler) ranges(ctx context.Context, cluster *unstructured.Unstructured) ([]string, error) {
	var source, defaults []string
	if r.seed.Name != "" {
		seed := empty("Seed")
		if err := r.client.Get(ctx, r.seed, seed); client.IgnoreNotFound(err) != nil {
			return nil, fmt.Errorf("get seed %s: %w", r.seed, err)
		}
		source, defaults = seedRanges(seed)
	}
	all := slices.Clone(source)
	if list, set := List(cluster); set {
		all = slices.Concat(all, list, defaults)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (r *reconciler) write(ctx context.Context, id, namespace string, ranges []string) error {
	svc := &corev1.Service{}
	svc.SetNamespace(namespace)
	svc.SetName(serviceName)
	_, err := controllerutil.CreateOrUpdate(ctx, r.client, svc, func() error {
		fill(svc, id, ranges)
		return nil
	})
	if err != nil {
		return fmt.Errorf("write service %s/%s: %w", namespace, serviceName, err)
	}
	return nil
}

func fill(svc *corev1.Service, id string, ranges []string) {
	svc.Labels = map[string]string{clusterLabel: id}
	svc.Spec.Type = corev1.ServiceTypeLoadBalancer
	svc.Spec.AllocateLoadBalancerNodePorts = new(bool)
	if len(svc.Spec.Ports) == 0 {
		svc.Spec.Ports = []corev1.ServicePort{{Name: "secure", Port: 443}}
	}
	svc.Spec.LoadBalancerSourceRanges = ranges
	delete(svc.Annotations, rangesAnnotation)
	if len(ranges) > 0 {
		if svc.Annotations == nil {
			svc.Annotations = map[string]string{}
		}
		svc.Annotations[rangesAnnotation] = strings.Join(ranges, ",")
	}
}

// tell writes to the Cluster's status whether the Service was refused, and
// hands the refusal back so that it is tried again.
func (r *reconciler) tell(ctx context.Context, cluster *unstructured.Unstructured, refused error) error {
	before, _, _ := unstructured.NestedString(cluster.Object, "status", "errorReason")
	if refused == nil && before == "" {
		return nil
	}
	fields := map[string]any{"errorReason": nil, "errorMessage": nil}
	if refused != nil {
		fields = map[string]any{"errorReason": "ReconcileError", "errorMessage": refused.Error()}
	}
	if err := setStatus(ctx, r.client, cluster.GetName(), fields); err != nil {
		return err
	}
	return refused
}
