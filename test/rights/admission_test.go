package rights_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// patience is how long a condition may take to come true, on a machine that
// does other things as well.
const patience = 90 * time.Second

var createOptions = metav1.CreateOptions{}

// redefault plays KKP's mutating webhook: on every update it sets a
// field that is absent and enforces a value over what is there; and once, at the
// first update, it sets what from then on nobody owns.
const redefault = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: redefault}
spec:
  failurePolicy: Fail
  reinvocationPolicy: IfNeeded
  matchConstraints:
    resourceRules: [{apiGroups: [kubermatic.k8c.io], apiVersions: [v1], operations: [UPDATE], resources: [clusters]}]
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: >-
          Object{spec: Object.spec{
            pauseReason: has(object.spec.pauseReason) ? object.spec.pauseReason : "by default",
            clusterNetwork: Object.spec.clusterNetwork{proxyMode: "nftables"}}}
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: >-
          has(oldObject.metadata.annotations) && "kkp.example.com/once" in oldObject.metadata.annotations ? Object{} : Object{
            metadata: Object.metadata{annotations: {"kkp.example.com/once": "yes"}},
            spec: Object.spec{clusterNetwork: Object.spec.clusterNetwork{ipFamily: "IPv4"}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: redefault}
spec: {policyName: redefault}
`

// widened gives the account every right on the seed: what is refused then is
// refused by the policy alone.
const widened = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: widened}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: portcullis, namespace: portcullis}]
`

// gate is a seed with both policies, and those who knock.
type gate struct {
	admin, reconciler, dashboard, onCall client.Client
}

// TestAdmission shares one control plane.
func TestAdmission(t *testing.T) {
	t.Parallel()
	plane := servers.ControlPlaneFor(t, servers.ControlPlaneOptions{})
	g := newGate(t, plane)
	for name, test := range map[string]func(*testing.T, *gate){
		"the reconciler":        reconcilersWrites,
		"the reconciler's list": reconcilersLists,
		"create and delete":     reconcilersObjects,
		"a crowded cluster":     crowded,
		"without managedFields": reconcilersWritesUntracked,
		"managed lists":         managedLists,
		"ownership":             managedOwnership,
		"an unmanaged list":     unmanagedLists,
		"the end of a cluster":  managedEnd,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, g) })
	}
}

func newGate(t *testing.T, plane *servers.ControlPlane) *gate {
	t.Helper()
	if err := kkp.Install(t.Context(), plane.Config); err != nil {
		t.Fatal(err)
	}
	g := &gate{admin: clientOf(t, plane.Config)}
	createNamespace(t, g.admin, "kubermatic")
	install(t, g.admin, shipped(t, "namespace.yaml", "rbac-reconciler.yaml", "admission-reconciler.yaml", "admission-managed-lists.yaml"))
	install(t, g.admin, append(objects(t, []byte(redefault)), objects(t, []byte(widened))...))
	token, err := asAccount(t.Context(), plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	g.reconciler = clientOf(t, token)
	for name, who := range map[string]*client.Client{"kkp-dashboard": &g.dashboard, "on-call": &g.onCall} {
		groups := []string{"system:masters"}
		if name == "on-call" {
			groups = append(groups, "portcullis-break-glass")
		}
		user, err := plane.User(name, groups...)
		if err != nil {
			t.Fatal(err)
		}
		*who = clientOf(t, user)
	}
	g.inForce(t)
	return g
}

// inForce waits until all three policies do what they do: they are compiled
// some moments after they were made, and nothing else tells when.
func (g *gate) inForce(t *testing.T) {
	t.Helper()
	probe := g.managed(t, "policyprobe")
	await(t, "the policies", func(ctx context.Context) error {
		if err := put(ctx, g.dashboard, probe, client.DryRunAll, kkp.WithList("192.0.2.0/24")); !refusedWith(err, "is kept in Git") {
			return fmt.Errorf("managed lists: %w", orNobody(err))
		}
		if err := put(ctx, g.reconciler, probe, client.DryRunAll, kkp.WithName("other")); !refusedWith(err, "portcullis may") {
			return fmt.Errorf("the reconciler: %w", orNobody(err))
		}
		cluster, err := kkp.Get(ctx, g.admin, probe)
		if err != nil {
			return err
		}
		if err := g.admin.Update(ctx, cluster, client.DryRunAll); err != nil {
			return err
		}
		if cluster.GetAnnotations()["kkp.example.com/once"] == "" {
			return fmt.Errorf("defaults are not set anew")
		}
		return nil
	})
}

func orNobody(err error) error {
	if err == nil {
		return fmt.Errorf("nothing is refused")
	}
	return err
}

func refusedWith(err error, words string) bool {
	return err != nil && strings.Contains(err.Error(), words)
}

func await(t *testing.T, what string, condition func(context.Context) error) {
	t.Helper()
	if err := stage.Await(t.Context(), what, patience, condition); err != nil {
		t.Fatal(err)
	}
}

// expect fails where the outcome of a write is another than this: refused with
// these words, or, with none, let through.
func expect(t *testing.T, err error, words string) {
	t.Helper()
	switch {
	case words == "" && err != nil:
		t.Errorf("it is refused: %v", err)
	case words != "" && !refusedWith(err, words):
		t.Errorf("it is not refused with %q: %v", words, err)
	}
}

// put is a full PUT, of the object as it is but for some changes, in the name
// that the dashboard uses.
func put(ctx context.Context, c client.Client, id string, options any, changes ...kkp.Option) error {
	cluster, err := kkp.Get(ctx, c, id)
	if err != nil {
		return err
	}
	for _, change := range changes {
		change(cluster)
	}
	all := []client.UpdateOption{client.FieldOwner(kkp.DashboardManager)}
	if o, ok := options.(client.UpdateOption); ok {
		all = append(all, o)
	}
	return c.Update(ctx, cluster, all...)
}

// cluster makes one and answers its ID.
func (g *gate) cluster(t *testing.T, id string, options ...kkp.Option) string {
	t.Helper()
	if err := kkp.Create(t.Context(), g.admin, kkp.NewCluster(id, "h8s7d6f5g4", options...)); err != nil {
		t.Fatal(err)
	}
	return id
}

// managed makes a cluster whose list is the reconciler's.
func (g *gate) managed(t *testing.T, id string, options ...kkp.Option) string {
	t.Helper()
	g.cluster(t, id, options...)
	await(t, "the first list", func(ctx context.Context) error {
		return g.apply(ctx, id, oldList)
	})
	return id
}

func (g *gate) get(t *testing.T, id string) *unstructured.Unstructured {
	t.Helper()
	cluster, err := kkp.Get(t.Context(), g.admin, id)
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}
