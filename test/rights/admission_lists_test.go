package rights_test

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

const (
	inGit  = "is kept in Git: open a pull request"
	saysSo = "is kept in Git: metadata.managedFields must go on saying so"
)

// managedLists is who may change what of a cluster whose list is kept in Git.
func managedLists(t *testing.T, g *gate) {
	same := []string{"203.0.113.0/24", "2001:db8:17::/48"}
	dashboard, onCall := g.dashboard, g.onCall
	for i, c := range []struct {
		name   string
		who    client.Client
		change kkp.Option
		want   string
	}{
		{"a save in the dashboard that sends the same list", dashboard, kkp.WithList(same...), ""},
		{"another field, and the same list", dashboard, kkp.WithName("other"), ""},
		{"a label", dashboard, kkp.WithLabel("a", "b"), ""},
		{"a pause", dashboard, kkp.Paused("maintenance"), ""},
		{"an entry more", dashboard, kkp.WithList(append(same, "192.0.2.0/24")...), inGit},
		{"an entry less", dashboard, kkp.WithList(same[:1]...), inGit},
		{"everyone", dashboard, kkp.WithList("0.0.0.0/0"), inGit},
		{"an empty list", dashboard, kkp.WithList(), inGit},
		{"no list", dashboard, kkp.WithoutList(), inGit},
		{"another list with another field", dashboard, both(kkp.WithName("other"), kkp.WithList("192.0.2.0/24")), inGit},
		{"break-glass: another list", onCall, kkp.WithList("192.0.2.0/24"), ""},
		{"break-glass: no list", onCall, kkp.WithoutList(), ""},
		{"the reconciler: no list", g.reconciler, kkp.WithoutList(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			id := g.managed(t, fmt.Sprintf("lists%02d", i))
			by := client.FieldOwner(kkp.DashboardManager)
			if c.who == g.reconciler {
				by = client.FieldOwner(apply.Manager)
			}
			expect(t, put(t.Context(), c.who, id, by, c.change), c.want)
			if c.want != "" {
				expect(t, put(t.Context(), c.who, id, by, c.change), "cluster "+id)
			}
		})
	}
}

func both(a, b kkp.Option) kkp.Option {
	return func(u *unstructured.Unstructured) { a(u); b(u) }
}

// managedOwnership is about ways around: once the API server does not know any
// more that the list is the reconciler's, it would be anybody's.
func managedOwnership(t *testing.T, g *gate) {
	const others = `{"manager":"kubermatic-api","operation":"Update","apiVersion":"kubermatic.k8c.io/v1","fieldsType":"FieldsV1","time":"2026-01-01T00:00:00Z","fieldsV1":{"f:spec":{"f:apiServerAllowedIPRanges":{"f:cidrBlocks":{}}}}}`
	for i, c := range []struct {
		name string
		do   func(context.Context, string) error
		want string
	}{
		{"managedFields reset", g.byDashboard(types.MergePatchType, `{"metadata":{"managedFields":[{}]}}`), saysSo},
		{"managedFields reset by JSON patch", g.byDashboard(types.JSONPatchType, `[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]`), saysSo},
		{"managedFields reset with the list", g.byDashboard(types.MergePatchType, `{"metadata":{"managedFields":[{}]},"spec":{"apiServerAllowedIPRanges":null}}`), inGit},
		{"managedFields reset by a full PUT", func(ctx context.Context, id string) error {
			return put(ctx, g.dashboard, id, nil, func(u *unstructured.Unstructured) {
				_ = unstructured.SetNestedSlice(u.Object, []any{map[string]any{}}, "metadata", "managedFields")
			})
		}, saysSo},
		{"the list made another's", g.byDashboard(types.MergePatchType, `{"metadata":{"managedFields":[`+others+`]}}`), saysSo},
		{"an empty managedFields, which changes nothing", g.byDashboard(types.MergePatchType, `{"metadata":{"managedFields":[]}}`), ""},
		{"a full PUT by who knows no managedFields", func(ctx context.Context, id string) error {
			return put(ctx, g.dashboard, id, nil, func(u *unstructured.Unstructured) { u.SetManagedFields(nil) })
		}, ""},
		{"the same list applied by another too", func(ctx context.Context, id string) error {
			return g.dashboard.Patch(ctx, kkp.NewCluster(id, ""), client.RawPatch(types.ApplyPatchType, []byte(
				`{"apiVersion":"kubermatic.k8c.io/v1","kind":"Cluster","metadata":{"name":"`+id+`"},"spec":{`+oldList+`}}`)), client.FieldOwner("argocd"))
		}, ""},
		{"another list applied in our name", func(ctx context.Context, id string) error {
			return g.dashboard.Patch(ctx, kkp.NewCluster(id, ""), client.RawPatch(types.ApplyPatchType, []byte(
				`{"apiVersion":"kubermatic.k8c.io/v1","kind":"Cluster","metadata":{"name":"`+id+`"},"spec":{`+newList+`}}`)), client.FieldOwner(apply.Manager))
		}, inGit},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			id := g.managed(t, fmt.Sprintf("owners%02d", i))
			expect(t, c.do(t.Context(), id), c.want)
			expect(t, put(t.Context(), g.dashboard, id, nil, kkp.WithoutList()), inGit)
		})
	}
}

func (g *gate) byDashboard(kind types.PatchType, body string) func(context.Context, string) error {
	return func(ctx context.Context, id string) error {
		return g.dashboard.Patch(ctx, kkp.NewCluster(id, ""), client.RawPatch(kind, []byte(body)), client.FieldOwner(kkp.DashboardManager))
	}
}

// unmanagedLists belong to whoever may write the Cluster, as without the
// policy: before the first list from Git, and after `access: open`.
func unmanagedLists(t *testing.T, g *gate) {
	ctx, id := t.Context(), g.cluster(t, "unmanaged")
	expect(t, put(ctx, g.dashboard, id, nil, kkp.WithList("192.0.2.0/24")), "")
	expect(t, put(ctx, g.dashboard, id, nil, kkp.WithList()), "")
	expect(t, g.apply(ctx, id, newList), "")
	expect(t, put(ctx, g.dashboard, id, nil, kkp.WithList()), inGit)
	expect(t, g.patch(ctx, id, apply.Manager, edits(`{"op":"remove","path":"/spec/apiServerAllowedIPRanges"}`)), "")
	expect(t, put(ctx, g.dashboard, id, nil, kkp.WithList("192.0.2.0/24")), "")
}

// managedEnd: status, deletion and the end of finalizers are not held up.
func managedEnd(t *testing.T, g *gate) {
	ctx := t.Context()
	id := g.managed(t, "ending", func(u *unstructured.Unstructured) { u.SetFinalizers([]string{"example.com/a"}) })
	status := client.RawPatch(types.MergePatchType, []byte(`{"status":{"errorReason":"ReconcileError"}}`))
	expect(t, g.dashboard.Status().Patch(ctx, g.get(t, id), status), "")
	expect(t, g.dashboard.Delete(ctx, g.get(t, id)), "")
	expect(t, put(ctx, g.dashboard, id, nil, kkp.WithList()), inGit)
	expect(t, put(ctx, g.dashboard, id, nil, func(u *unstructured.Unstructured) { u.SetFinalizers(nil) }), "")
	if _, err := kkp.Get(ctx, g.admin, id); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the cluster is still there: %v", err)
	}
}
