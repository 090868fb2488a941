package kkp

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// FaultAnnotation has the stand-in report its value as a ReconcileError of the
// Cluster, for as long as it is there: KKP has many reasons that have nothing
// to do with a list. It is the stand-in's own, not KKP's.
const FaultAnnotation = "stand-in-for-kkp/fault"

// WithFault sets the annotation; an empty message removes it.
func WithFault(message string) Option { return WithAnnotation(FaultAnnotation, message) }

// WithAnnotation sets one more annotation; an empty value removes it.
func WithAnnotation(key, value string) Option {
	return func(u *unstructured.Unstructured) {
		all := u.GetAnnotations()
		if all == nil {
			all = map[string]string{}
		}
		all[key] = value
		if value == "" {
			delete(all, key)
		}
		u.SetAnnotations(all)
	}
}

// fault reports what the annotation says, and tells whether there is one.
func (r *reconciler) fault(ctx context.Context, cluster *unstructured.Unstructured) (bool, error) {
	message := cluster.GetAnnotations()[FaultAnnotation]
	if message == "" {
		return false, nil
	}
	before, _, _ := unstructured.NestedString(cluster.Object, "status", "errorMessage")
	if before == message {
		return true, nil
	}
	return true, setStatus(ctx, r.client, cluster.GetName(), map[string]any{"errorReason": "ReconcileError", "errorMessage": message})
}

// BalancerSays plays the cloud's controller of load balancers: an Event on the
// Service front-loadbalancer of a Cluster, as k8s.io/cloud-provider writes
// them, said at that time. Kind is Normal or Warning.
func BalancerSays(ctx context.Context, c client.Client, id string, at time.Time, kind, reason, message string) error {
	svc := &corev1.Service{}
	namespace := "cluster-" + id
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: serviceName}, svc); err != nil {
		return fmt.Errorf("get the service of cluster %s: %w", id, err)
	}
	when := metav1.NewTime(at)
	e := &corev1.Event{Type: kind, Reason: reason, Message: message, Count: 1, FirstTimestamp: when, LastTimestamp: when,
		Source: corev1.EventSource{Component: "service-controller"},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Service", Namespace: namespace, Name: serviceName,
			UID: svc.UID, ResourceVersion: svc.ResourceVersion}}
	e.Namespace, e.GenerateName = namespace, serviceName+"."
	if err := c.Create(ctx, e); err != nil {
		return fmt.Errorf("write an event on the service of cluster %s: %w", id, err)
	}
	return nil
}
