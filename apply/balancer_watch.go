package apply

import (
	"context"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// eventWatch follows the Events on Services front-loadbalancer: what a load
// balancer says of a list. It is apart from the manager's cache, as the Seed's
// is, because nothing may wait for it: without the right to read Events lists
// are written all the same. Events that are gone from the API server, after an
// hour, are gone from here.
type eventWatch struct {
	informer toolscache.SharedIndexInformer
	log      logr.Logger

	mu     sync.Mutex
	failed bool
}

// about are the Events that are watched.
var about = fields.Set{"involvedObject.kind": "Service", "involvedObject.name": serviceName}

func (c *Controller) addBalancer(mgr manager.Manager) error {
	clientset, err := kubernetes.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("make a client for events: %w", err)
	}
	w := &eventWatch{log: c.log}
	from := toolscache.NewListWatchFromClient(clientset.CoreV1().RESTClient(), "events", metav1.NamespaceAll, fields.SelectorFromSet(about))
	w.informer = toolscache.NewSharedIndexInformer(from, &corev1.Event{}, 0,
		toolscache.Indexers{toolscache.NamespaceIndex: toolscache.MetaNamespaceIndexFunc})
	if err := w.informer.SetTransform(trimEvent); err != nil {
		return fmt.Errorf("watch events: %w", err)
	}
	if err := w.informer.SetWatchErrorHandlerWithContext(w.missed); err != nil {
		return fmt.Errorf("watch events: %w", err)
	}
	if _, err := w.informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: c.balancerSaid, UpdateFunc: func(_, obj any) { c.balancerSaid(obj) },
	}); err != nil {
		return fmt.Errorf("watch events: %w", err)
	}
	c.said = w.in
	return mgr.Add(onEveryReplica(func(ctx context.Context) error {
		w.informer.RunWithContext(ctx)
		return nil
	}))
}

// telling tells whether an Event says how a load balancer is doing.
func telling(e *corev1.Event) bool {
	return e.Type == corev1.EventTypeWarning || e.Reason == saidEnsured || e.Reason == saidUpdated
}

// balancerSaid has the cluster looked at that an Event is about.
func (c *Controller) balancerSaid(obj any) {
	e, ok := obj.(*corev1.Event)
	if !ok || !telling(e) {
		return
	}
	if c.started() { // else everything is looked at once there is a queue
		c.lookAtNamespace(context.Background(), e.Namespace)
	}
}

// in are the Events of a namespace that say something.
func (w *eventWatch) in(namespace string) []*corev1.Event {
	found, err := w.informer.GetIndexer().ByIndex(toolscache.NamespaceIndex, namespace)
	if err != nil { // there is that index
		return nil
	}
	var out []*corev1.Event
	for _, obj := range found {
		if e, ok := obj.(*corev1.Event); ok && telling(e) {
			out = append(out, e)
		}
	}
	return out
}

// missed is called when Events cannot be read; the informer tries again by
// itself.
func (w *eventWatch) missed(_ context.Context, _ *toolscache.Reflector, err error) {
	w.mu.Lock()
	first := !w.failed
	w.failed = true
	w.mu.Unlock()
	if first {
		w.log.Info("events cannot be read: what load balancers say of the lists is not known", "reason", plainly(err))
	}
}

// trimEvent keeps of an Event what is read, and bounds its words: there is one
// for each thing a load balancer does, of each cluster, for an hour.
func trimEvent(obj any) (any, error) {
	e, ok := obj.(*corev1.Event)
	if !ok {
		return obj, nil
	}
	kept := &corev1.Event{Type: intern(e.Type), Reason: intern(clip(e.Reason, maxReason)),
		FirstTimestamp: e.FirstTimestamp, LastTimestamp: e.LastTimestamp, EventTime: e.EventTime, Series: e.Series}
	kept.Name, kept.Namespace, kept.ResourceVersion, kept.CreationTimestamp = e.Name, e.Namespace, e.ResourceVersion, e.CreationTimestamp
	kept.InvolvedObject.UID = e.InvolvedObject.UID
	if e.Type == corev1.EventTypeWarning {
		kept.Message = clip(e.Message, maxTrouble)
	}
	return kept, nil
}
