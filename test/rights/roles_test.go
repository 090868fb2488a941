package rights_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestRolesAreWhatIsUsed runs the commands under the shipped roles through a
// day, and holds the roles against the audit log: nothing was refused, and
// each verb of each rule was used.
func TestRolesAreWhatIsUsed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, stage.Options{})
	operator, reader := h.member("portcullis-operators"), h.member("portcullis-readers")
	h.reconcilersDay(operator)
	h.restartWithoutWatchList()
	h.losesAnAnswer()

	for _, args := range [][]string{
		{"import", "--out", t.TempDir(), "--seed", "eu-west", "--seed-resource", "kubermatic/eu-west"},
		{"check", "--live", "--seed", "eu-west", "--seed-resource", "kubermatic/eu-west", h.Work + "/" + stage.Tenants},
	} {
		// Findings are fine; what counts is that it could run.
		if out, err := h.call(reader, args...); err != nil && !strings.Contains(err.Error(), "exit status 1") {
			t.Errorf("%v: %s", err, out)
		}
	}

	h.rolesAreUsed(username, "rbac-reconciler.yaml", "rbac-outside.yaml")
	h.rolesAreUsed("member-of-portcullis-operators", "rbac-operator.yaml")
	h.rolesAreUsed("member-of-portcullis-readers", "rbac-reader.yaml")
	t.Run("a cluster that is gone", h.goneCluster)
	t.Run("no other rights", func(t *testing.T) { h.noOtherRights(t) })
}

// reconcilersDay is a first sync, a change, drift, a rewind that is held and
// approved.
func (h *house) reconcilersDay(operator string) {
	h.t.Helper()
	first, err := h.Populate(h.ctx)
	h.must(err)
	h.must(h.Run.Start("--leader-elect"))
	h.await("the first sync", h.InForce(stage.ShopProd, stage.ProdList()...))
	second, err := h.Edit(h.ctx, "Let the Graz office in", "acme/staging.yaml", "    - group: vpn",
		"    - {description: Graz office, owner: netops@acme.example, cidr: 192.0.2.96/28}\n    - group: vpn")
	h.must(err)
	h.await("the change", h.InForce(stage.ShopDev, append(stage.StagingList(), "192.0.2.96/28")...))
	h.await("its check", h.Noted(second, stage.Success))
	for count := range 2 { // the same Event again is counted, not made anew
		h.must(h.Dashboard(h.ctx, stage.ShopProd, "0.0.0.0/0"))
		h.await("the list to be put back", h.InForce(stage.ShopProd, stage.ProdList()...))
		h.await("the event", func(context.Context) error {
			return h.asked(username, map[int]string{0: "create", 1: "patch"}[count], "events", "default")
		})
	}
	h.must(h.Rewind(h.ctx, first))
	h.await("the hold", func(context.Context) error {
		out, err := h.call(operator, "status")
		if err == nil && !strings.Contains(out, "approve") {
			err = fmt.Errorf("status says %s", out)
		}
		return err
	})
	_, err = h.call(operator, "approve", "customers@"+first, "--reason", "a mistake was pushed")
	h.must(err)
	h.await("the rewind to be followed", h.InForce(stage.ShopDev, stage.StagingList()...))
	h.must(h.Run.Stop(h.ctx))
}

// restartWithoutWatchList runs the command as it behaves against an API server
// that does not send lists by watch: it lists, and then watches.
func (h *house) restartWithoutWatchList() {
	h.t.Helper()
	again := &stage.Process{Binary: "env", Args: append([]string{"KUBE_FEATURE_WatchListClient=false", h.Run.Binary}, h.Run.Args...)}
	first := h.Run
	h.Run = again
	h.must(again.Start("--leader-elect"))
	sha, err := h.Edit(h.ctx, "Let the auditors in", stage.GlobexProject+"/api.yaml", "    - {description: build servers",
		"    - {description: auditors, owner: it@globex.example, cidr: 203.0.113.128/26}\n    - {description: build servers")
	h.must(err)
	h.await("another change", h.InForce(stage.Billing, append(stage.BillingList(), "203.0.113.128/26")...))
	h.await("its check", h.Noted(sha, stage.Success))
	h.must(again.Stop(h.ctx))
	h.Run = first
}

// losesAnAnswer has the answer to a write of the state lost: whether it took
// effect is then looked up.
func (h *house) losesAnAnswer() {
	h.t.Helper()
	lossy := rest.CopyConfig(h.agent)
	losing := false
	lossy.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if err == nil && losing && r.Method == http.MethodPut {
				losing = false
				response.Body.Close()
				return nil, errors.New("the answer was lost")
			}
			return response, err
		})
	})
	store := apply.NewStore(clientOf(h.t, lossy), namespace, "another-seed")
	h.must(store.SaveSource(h.ctx, apply.SourceState{Name: "customers", URL: "1"}))
	losing = true
	if err := store.SaveSource(h.ctx, apply.SourceState{Name: "customers", URL: "2"}); err == nil {
		h.t.Fatal("no answer was lost")
	}
	h.must(store.SaveSource(h.ctx, apply.SourceState{Name: "customers", URL: "3"}))
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// asked fails unless somebody has done this.
func (h *house) asked(user, verb, resource, in string) error {
	events, err := h.Seed.Plane.Audited(func(e servers.AuditEvent) bool {
		return e.User.Username == user && e.Verb == verb && e.ObjectRef.Resource == resource && e.ObjectRef.Namespace == in
	})
	if err == nil && len(events) == 0 {
		err = fmt.Errorf("%s has not asked to %s %s in %q", user, verb, resource, in)
	}
	return err
}

// rolesAreUsed holds the roles of some manifests against what one user asked.
func (h *house) rolesAreUsed(user string, files ...string) {
	h.t.Helper()
	events, err := h.Seed.Plane.Audited(func(e servers.AuditEvent) bool { return e.User.Username == user })
	h.must(err)
	if len(events) == 0 {
		h.t.Fatalf("%s asked nothing", user)
	}
	for _, e := range events {
		if e.ResponseStatus.Code == http.StatusForbidden || e.ResponseStatus.Code == http.StatusUnauthorized {
			h.t.Errorf("%s was refused: %s %s", user, e.Verb, e.RequestURI)
		}
	}
	for _, right := range rights(h.t, files...) {
		if !slices.ContainsFunc(events, right.uses) {
			h.t.Errorf("%s may %s and never did", user, right)
		}
	}
}

// right is one verb of one rule, on one kind and name.
type right struct {
	verb, group, resource, subresource string
	namespace                          string // empty: the whole seed
	name                               string // empty: any
}

func (r right) String() string {
	return fmt.Sprintf("%s %s.%s/%s %q in %q", r.verb, r.resource, r.group, r.subresource, r.name, r.namespace)
}

// uses tells whether a request takes this right.
func (r right) uses(e servers.AuditEvent) bool {
	prefix := "/api/v1/"
	if r.group != "" {
		prefix = "/apis/" + r.group + "/"
	}
	o := e.ObjectRef
	return strings.HasPrefix(e.RequestURI, prefix) && e.Verb == r.verb && o.Resource == r.resource && o.Subresource == r.subresource &&
		(r.namespace == "" || o.Namespace == r.namespace) && (r.name == "" || o.Name == r.name)
}

// rights are those of all roles in some manifests.
func rights(t *testing.T, files ...string) []right {
	t.Helper()
	var out []right
	for _, o := range shipped(t, files...) {
		var role rbacv1.ClusterRole // a Role has the same fields
		if kind := o.GetKind(); kind != "ClusterRole" && kind != "Role" {
			continue
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &role); err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			out = append(out, each(rule, o.GetNamespace())...)
		}
	}
	return out
}

func each(rule rbacv1.PolicyRule, namespace string) []right {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	var out []right
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			resource, sub, _ := strings.Cut(resource, "/")
			for _, verb := range rule.Verbs {
				for _, name := range names {
					out = append(out, right{verb, group, resource, sub, namespace, name})
				}
			}
		}
	}
	return out
}

// outside are kinds and places that the account has no business with at all.
// They need not be there: who may not ask is not told.
const outside = `
{apiVersion: kubermatic.k8c.io/v1, kind: Seed, metadata: {namespace: kubermatic, name: eu-west}}
---
{apiVersion: kubermatic.k8c.io/v1, kind: Seed, metadata: {namespace: kubermatic, name: us-east}}
---
{apiVersion: v1, kind: Secret, metadata: {namespace: portcullis, name: git}}
---
{apiVersion: v1, kind: Secret, metadata: {namespace: cluster-qvjdddt72t, name: internal-admin-kubeconfig}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: cluster-qvjdddt72t, name: front-loadbalancer}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {namespace: default, name: portcullis-approvals}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: portcullis, name: portcullis}}
---
{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {namespace: default, name: portcullis}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: default}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: portcullis}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {namespace: portcullis, name: portcullis}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: portcullis-reconciler}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: portcullis-reconciler}}
`

// partly are things of which the account may do some, and what it may not.
var partly = []struct {
	object string
	verbs  []string
}{
	{`{apiVersion: kubermatic.k8c.io/v1, kind: Cluster, metadata: {name: qvjdddt72t}}`, []string{"get", "create", "update", "delete", "delete all of", "patch the status of"}},
	{`{apiVersion: v1, kind: ConfigMap, metadata: {namespace: portcullis, name: portcullis-approvals}}`, []string{"patch", "delete", "delete all of"}},
	{`{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {namespace: portcullis, name: portcullis}}`, []string{"patch", "delete", "delete all of", "list all of"}},
	{`{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {namespace: portcullis, name: another}}`, []string{"get", "update", "patch", "delete"}},
	{`{apiVersion: v1, kind: Event, metadata: {namespace: default, name: an-event}}`, []string{"get", "update", "delete", "delete all of"}},
	{`{apiVersion: v1, kind: Event, metadata: {namespace: cluster-qvjdddt72t, name: an-event}}`, []string{"get", "create", "update", "patch", "delete", "delete all of"}},
	{`{apiVersion: v1, kind: Event, metadata: {namespace: portcullis, name: an-event}}`, []string{"get", "update", "patch", "delete", "delete all of"}},
}

// noOtherRights has the account ask for what is not its own, verb by verb.
func (h *house) noOtherRights(t *testing.T) {
	c := clientOf(t, h.agent)
	for _, o := range objects(t, []byte(outside)) {
		for verb := range verbs(h.ctx, c) {
			h.refuses(t, c, verb, o)
		}
	}
	for _, p := range partly {
		for _, verb := range p.verbs {
			h.refuses(t, c, verb, objects(t, []byte(p.object))[0])
		}
	}
}

// goneCluster is a Cluster that is gone when the reconciler writes its list. A
// server-side apply would make it anew, which takes a right that the account
// does not have; the answer must be one that it takes for "plan again" all the
// same, and not for a refusal that stays.
func (h *house) goneCluster(t *testing.T) {
	body, err := render.Patch("gone", "0f0e0d0c-0000-4000-8000-000000000000", nil)
	h.must(err)
	gone := &unstructured.Unstructured{}
	gone.SetAPIVersion("kubermatic.k8c.io/v1")
	gone.SetKind("Cluster")
	gone.SetName("gone")
	err = clientOf(t, h.agent).Patch(h.ctx, gone, client.RawPatch(types.ApplyPatchType, body), client.ForceOwnership, client.FieldOwner(apply.Manager))
	if !apierrors.IsConflict(err) {
		t.Errorf("the answer is %v", err)
	}
}

// verbs are ways to ask for an object, or for all of its kind and namespace.
func verbs(ctx context.Context, c client.Client) map[string]func(*unstructured.Unstructured) error {
	nothing := client.RawPatch(types.MergePatchType, []byte(`{}`))
	return map[string]func(*unstructured.Unstructured) error{
		"get":    func(o *unstructured.Unstructured) error { return c.Get(ctx, client.ObjectKeyFromObject(o), o) },
		"create": func(o *unstructured.Unstructured) error { return c.Create(ctx, o) },
		"update": func(o *unstructured.Unstructured) error { return c.Update(ctx, o) },
		"patch":  func(o *unstructured.Unstructured) error { return c.Patch(ctx, o, nothing) },
		"delete": func(o *unstructured.Unstructured) error { return c.Delete(ctx, o) },
		"patch the status of": func(o *unstructured.Unstructured) error {
			return c.Status().Patch(ctx, o, nothing)
		},
		"list all of": func(o *unstructured.Unstructured) error {
			all := &unstructured.UnstructuredList{}
			all.SetGroupVersionKind(o.GroupVersionKind())
			return c.List(ctx, all, client.InNamespace(o.GetNamespace()))
		},
		"delete all of": func(o *unstructured.Unstructured) error {
			return c.DeleteAllOf(ctx, o, client.InNamespace(o.GetNamespace()))
		},
	}
}

func (h *house) refuses(t *testing.T, c client.Client, verb string, o *unstructured.Unstructured) {
	t.Helper()
	what := strings.Join([]string{verb, o.GetKind(), o.GetNamespace(), o.GetName()}, " ")
	err := verbs(h.ctx, c)[verb](o.DeepCopy())
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), " cannot ") {
		t.Errorf("%s is not refused: %v", what, err)
	}
}
