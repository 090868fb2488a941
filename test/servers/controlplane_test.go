package servers_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

const gateCRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gates.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {kind: Gate, plural: gates}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
`

// TestControlPlane shares one server: its start takes the time.
func TestControlPlane(t *testing.T) {
	t.Parallel()
	crd := filepath.Join(t.TempDir(), "gate.yaml")
	if err := os.WriteFile(crd, []byte(gateCRD), 0o600); err != nil {
		t.Fatal(err)
	}
	plane := servers.ControlPlaneFor(t, servers.ControlPlaneOptions{CRDs: []string{crd}, Audit: true})
	t.Run("has the CRDs", func(t *testing.T) { planeHasCRDs(t, plane) })
	t.Run("is reached by the kubeconfig", func(t *testing.T) { planeKubeconfig(t, plane) })
	t.Run("binds others by RBAC", func(t *testing.T) { planeUser(t, plane) })
	t.Run("audits who asked for what", func(t *testing.T) { planeAudit(t, plane) })
}

func clientFor(t *testing.T, cfg *rest.Config) client.WithWatch {
	t.Helper()
	c, err := client.NewWithWatch(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func planeHasCRDs(t *testing.T, plane *servers.ControlPlane) {
	gate := &unstructured.Unstructured{}
	gate.SetAPIVersion("example.com/v1")
	gate.SetKind("Gate")
	gate.SetName("north")
	if err := clientFor(t, plane.Config).Create(t.Context(), gate); err != nil {
		t.Error(err)
	}
}

func planeKubeconfig(t *testing.T, plane *servers.ControlPlane) {
	cfg, err := clientcmd.BuildConfigFromFlags("", plane.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "made-by-kubeconfig"}}
	if err := clientFor(t, cfg).Create(t.Context(), namespace); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(plane.Kubeconfig); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the kubeconfig holds a key and its mode is %v (%v)", info.Mode(), err)
	}
}

func planeUser(t *testing.T, plane *servers.ControlPlane) {
	cfg, err := plane.User("nobody-in-particular")
	if err != nil {
		t.Fatal(err)
	}
	err = clientFor(t, cfg).List(t.Context(), &corev1.SecretList{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "nobody-in-particular") {
		t.Errorf("a user without rights lists secrets: %v", err)
	}
}

func planeAudit(t *testing.T, plane *servers.ControlPlane) {
	cfg := rest.CopyConfig(plane.Config)
	cfg.UserAgent = "audited"
	c := clientFor(t, cfg)
	mine := func(verb string) func(servers.AuditEvent) bool {
		return func(e servers.AuditEvent) bool { return e.UserAgent == "audited" && e.Verb == verb }
	}
	for range 3 {
		if err := c.Get(t.Context(), client.ObjectKey{Name: "default"}, &corev1.Namespace{}); err != nil {
			t.Fatal(err)
		}
	}
	gets := audited(t, plane, 3, func(e servers.AuditEvent) bool {
		return mine("get")(e) && e.ObjectRef.Resource == "namespaces" && e.ObjectRef.Name == "default"
	})
	if gets[0].ResponseStatus.Code != http.StatusOK || gets[0].User.Username == "" {
		t.Errorf("the event lacks what happened: %+v", gets[0])
	}
	if created := audited(t, plane, 0, mine("create")); len(created) != 0 {
		t.Errorf("nothing was created: %+v", created)
	}
}

// audited reads the log, and expects a number of events.
func audited(t *testing.T, plane *servers.ControlPlane, want int, match func(servers.AuditEvent) bool) []servers.AuditEvent {
	t.Helper()
	events, err := plane.Audited(match)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != want {
		t.Fatalf("%d events instead of %d: %+v", len(events), want, events)
	}
	return events
}

// TestStoppedControlPlaneIsGone keeps a watch open, as a reconciler would:
// kube-apiserver waits for watchers, and the stop must not fail over that.
func TestStoppedControlPlaneIsGone(t *testing.T) {
	t.Parallel()
	servers.Need(t, "etcd", "kube-apiserver")
	plane, err := servers.StartControlPlane(t.Context(), servers.ControlPlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := clientFor(t, plane.Config)
	watch, err := c.Watch(t.Context(), &corev1.NamespaceList{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	for range 2 { // a second time is fine
		if err := plane.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.List(ctx, &corev1.NamespaceList{}); err == nil {
		t.Error("the API still answers")
	}
	if _, err := os.Stat(plane.Kubeconfig); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the kubeconfig is left behind (%v)", err)
	}
}

func TestControlPlaneSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := servers.StartControlPlane(t.Context(), servers.ControlPlaneOptions{Assets: t.TempDir()})
	if !errors.Is(err, servers.ErrMissing) || !strings.Contains(err.Error(), "etcd") {
		t.Errorf("the error is %v", err)
	}
}
