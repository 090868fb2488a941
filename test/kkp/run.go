package kkp

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// RunOption changes how the stand-in runs.
type RunOption func(*reconciler)

// WithSeed names the Seed whose ranges are added to every list. Without it
// none are.
func WithSeed(key types.NamespacedName) RunOption {
	return func(r *reconciler) { r.seed = key }
}

// WithWorker names the stand-in: it then sees to the clusters whose label
// worker-name says so, and to no other. Without it, as in KKP, clusters with
// such a label are left alone.
func WithWorker(name string) RunOption {
	return func(r *reconciler) { r.worker = name }
}

// workers is how many clusters KKP reconciles at a time by default.
const workers = 10

// Run plays KKP's controller until ctx ends: it makes and keeps the Service
// front-loadbalancer of every Cluster that is exposed by LoadBalancer, not
// paused, not being deleted, and has a namespace. It writes nothing else but
// status.errorReason and errorMessage, where the API server refuses the
// Service, and clears both when it no longer does.
//
// Each Service takes a cluster IP: for many clusters the control plane needs a
// --service-cluster-ip-range to match.
func Run(ctx context.Context, cfg *rest.Config, options ...RunOption) error {
	r := &reconciler{}
	for _, option := range options {
		option(r)
	}
	mgr, err := newManager(cfg)
	if err != nil {
		return err
	}
	r.client = mgr.GetClient()
	if err := r.watch(mgr); err != nil {
		return fmt.Errorf("set up the stand-in for KKP: %w", err)
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("run the stand-in for KKP: %w", err)
	}
	return nil
}

func newManager(cfg *rest.Config) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register core types: %w", err)
	}
	own := rest.CopyConfig(cfg)
	own.QPS = -1
	own.UserAgent = "stand-in-for-kkp"
	onlyOurs := cache.ByObject{Field: fields.OneTermEqualSelector("metadata.name", serviceName)}
	mgr, err := ctrl.NewManager(own, ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{ByObject: map[client.Object]cache.ByObject{&corev1.Service{}: onlyOurs}},
		Client:  client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		return nil, fmt.Errorf("make the stand-in's manager: %w", err)
	}
	return mgr, nil
}

func (r *reconciler) watch(mgr ctrl.Manager) error {
	toCluster := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, svc client.Object) []reconcile.Request {
		return request(svc.GetLabels()[clusterLabel])
	})
	many := true
	b := ctrl.NewControllerManagedBy(mgr).Named("stand-in-for-kkp").
		WithOptions(controller.Options{MaxConcurrentReconciles: workers, SkipNameValidation: &many}).
		For(empty("Cluster")).
		Watches(&corev1.Service{}, toCluster)
	if r.seed.Name != "" {
		b = b.Watches(empty("Seed"), handler.EnqueueRequestsFromMapFunc(r.everyCluster))
	}
	return b.Complete(r)
}

func (r *reconciler) everyCluster(ctx context.Context, _ client.Object) []reconcile.Request {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(groupVersion.WithKind("ClusterList"))
	if err := r.client.List(ctx, list); err != nil {
		return nil
	}
	var out []reconcile.Request
	for _, cluster := range list.Items {
		out = append(out, request(cluster.GetName())...)
	}
	return out
}

func request(id string) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: id}}}
}

func empty(kind string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(groupVersion.WithKind(kind))
	return u
}
