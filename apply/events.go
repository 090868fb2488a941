package apply

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// addEvents makes the recorder of Events. They are core/v1 Events, which KKP's
// dashboard shows; the recorder merges repeated ones and lets through at most
// 25 at once and one in five minutes for each Cluster, so that a fight over a
// list cannot flood the seed. Over all Clusters, and those of a tenant, see bounds.
func (c *Controller) addEvents(mgr manager.Manager) error {
	clientset, err := kubernetes.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("make a client for events: %w", err)
	}
	broadcaster := record.NewBroadcaster()
	c.events = broadcaster.NewRecorder(mgr.GetScheme(), corev1.EventSource{Component: Manager})
	// At once, and not with the manager: what is recorded before is lost.
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: clientset.CoreV1().Events("")})
	return mgr.Add(onEveryReplica(func(ctx context.Context) error {
		<-ctx.Done()
		broadcaster.Shutdown()
		return nil
	}))
}
