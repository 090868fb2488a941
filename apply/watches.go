package apply

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// onCluster tells apart what matters to the plan, what matters here, and the
// noise of KKP's status, which is most of it.
func (c *Controller) onCluster() handler.TypedEventHandler[*Cluster, reconcile.Request] {
	return handler.TypedFuncs[*Cluster, reconcile.Request]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*Cluster], q queue) {
			c.news.signal()
			c.lookAt(e.Object.Name, q)
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*Cluster], q queue) {
			c.gone(e.Object.Name)
			c.news.signal()
			c.lookAt(e.Object.Name, q)
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*Cluster], q queue) {
			planned := sameToPlan(e.ObjectOld, e.ObjectNew)
			if !planned {
				c.news.signal()
			}
			if !planned || !sameToUs(e.ObjectOld, e.ObjectNew) {
				c.lookAt(e.ObjectNew.Name, q)
			}
		},
	}
}

// lookAt puts a cluster in the queue if it is in the plan. If it comes into
// the plan later, SetPlan does.
func (c *Controller) lookAt(id string, q queue) {
	if c.wantedOf(id) != nil {
		q.Add(request(id))
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

// ofService finds the cluster that a Service front-loadbalancer belongs to.
func (c *Controller) ofService(ctx context.Context, svc *corev1.Service) []reconcile.Request {
	var list ClusterList
	if err := c.client.List(ctx, &list, client.MatchingFields{namespaceIndex: svc.Namespace}); err != nil {
		c.log.Error(err, "cannot look up the cluster of a service", "namespace", svc.Namespace)
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		out = append(out, request(list.Items[i].Name))
	}
	return out
}

// serviceChanged lets through news of the ranges, and that the balancer's
// answer is another.
func serviceChanged() predicate.TypedPredicate[*corev1.Service] {
	return predicate.TypedFuncs[*corev1.Service]{
		UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Service]) bool {
			a, b := e.ObjectOld, e.ObjectNew
			return !slices.Equal(a.Spec.LoadBalancerSourceRanges, b.Spec.LoadBalancerSourceRanges) ||
				!maps.Equal(a.Annotations, b.Annotations) || !changedAt(a).Equal(changedAt(b))
		},
	}
}
