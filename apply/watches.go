package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// onCluster tells apart what matters to the plan, what matters here, and the
// noise of KKP's status, which is most of it.
func (c *Controller) onCluster() handler.TypedEventHandler[*Cluster, reconcile.Request] {
	return handler.TypedFuncs[*Cluster, reconcile.Request]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*Cluster], _ queue) {
			c.news.signal()
			if !e.IsInInitialList { // start sees to those, in their order
				c.lookAt(e.Object.Name)
			}
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*Cluster], _ queue) {
			c.gone(e.Object.Name)
			c.news.signal()
			c.lookAt(e.Object.Name)
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*Cluster], _ queue) {
			planned := sameToPlan(e.ObjectOld, e.ObjectNew)
			if !planned {
				c.news.signal()
			}
			if !planned || !sameToUs(e.ObjectOld, e.ObjectNew) {
				c.lookAt(e.ObjectNew.Name)
			}
		},
	}
}

// sameToUs tells whether two versions of a Cluster, same to the plan, need no
// look. A repeated version is looked at: it is how the informer makes up for
// what may have been missed, every few hours.
func sameToUs(a, b *Cluster) bool {
	if a.ResourceVersion == b.ResourceVersion {
		return false
	}
	la, lb := liveList(a), liveList(b)
	return a.Generation == b.Generation && la.Set == lb.Set && slices.Equal(la.CIDRs, lb.CIDRs) &&
		a.Status == b.Status && a.Spec.PauseReason == b.Spec.PauseReason &&
		maps.Equal(a.Annotations, b.Annotations) &&
		slices.EqualFunc(a.ManagedFields, b.ManagedFields, sameOwner)
}

func sameOwner(a, b metav1.ManagedFieldsEntry) bool {
	return a.Manager == b.Manager && a.Operation == b.Operation && a.Time.Equal(b.Time)
}

// onService looks at the cluster of a Service front-loadbalancer that came,
// went, or changed in a way that matters.
func (c *Controller) onService() handler.TypedEventHandler[*corev1.Service, reconcile.Request] {
	return handler.TypedFuncs[*corev1.Service, reconcile.Request]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*corev1.Service], _ queue) {
			if !e.IsInInitialList { // start sees to those, in their order
				c.lookAtNamespace(ctx, e.Object.Namespace)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*corev1.Service], _ queue) {
			c.lookAtNamespace(ctx, e.Object.Namespace)
		},
		UpdateFunc: func(ctx context.Context, e event.TypedUpdateEvent[*corev1.Service], _ queue) {
			if serviceChanged(e.ObjectOld, e.ObjectNew) {
				c.lookAtNamespace(ctx, e.ObjectNew.Namespace)
			}
		},
	}
}

// lookAtNamespace looks at the cluster whose control plane is in a namespace.
func (c *Controller) lookAtNamespace(ctx context.Context, namespace string) {
	ids, err := c.in(ctx, namespace)
	if err != nil {
		c.log.Error(err, "cannot look up the cluster of a namespace", "namespace", namespace)
		return
	}
	for _, id := range ids {
		c.lookAt(id)
	}
}

// usualNamespace is how KKP begins the name of a cluster's namespace; the
// cluster's ID follows.
const usualNamespace = "cluster-"

// in are the clusters whose control plane is in a namespace. Its name tells which
// one that may be, and that Cluster whether it is; where it is not, all are
// asked. An index would take more memory than the rest of what is remembered of
// a cluster.
func (c *Controller) in(ctx context.Context, namespace string) ([]string, error) {
	usual := &Cluster{}
	err := c.client.Get(ctx, request(strings.TrimPrefix(namespace, usualNamespace)).NamespacedName, usual)
	if err == nil && usual.Status.NamespaceName == namespace {
		return []string{usual.Name}, nil
	}
	var list ClusterList
	if err := c.client.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("list clusters from the cache: %w", err)
	}
	var ids []string
	for i := range list.Items {
		if list.Items[i].Status.NamespaceName == namespace {
			ids = append(ids, list.Items[i].Name)
		}
	}
	return ids, nil
}

// serviceChanged tells news of the ranges, and that the balancer's answer is
// another.
func serviceChanged(a, b *corev1.Service) bool {
	return !slices.Equal(a.Spec.LoadBalancerSourceRanges, b.Spec.LoadBalancerSourceRanges) ||
		!maps.Equal(a.Annotations, b.Annotations) || !changedAt(a).Equal(changedAt(b))
}
