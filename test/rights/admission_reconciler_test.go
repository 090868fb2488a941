package rights_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// What the policy of the reconciler says.
const (
	maySet    = "portcullis may set spec.apiServerAllowedIPRanges only"
	mayTake   = "portcullis may take spec.apiServerAllowedIPRanges only from others"
	mayRemove = "portcullis may remove spec.apiServerAllowedIPRanges only"
	mayChange = "portcullis may change spec.apiServerAllowedIPRanges only"
	mayTouch  = "portcullis may not touch labels"
	mayEmpty  = "portcullis may not empty metadata.managedFields"
	mayBe     = "portcullis may write as field manager portcullis only"
	mayWrite  = "portcullis may write canonical prefixes only"
)

// write is a PATCH by the reconciler's account. Of an apply, apiVersion, kind
// and name are added.
type write struct {
	kind types.PatchType
	body string
}

func applies(body string) write { return write{types.ApplyPatchType, body} }
func merges(body string) write  { return write{types.MergePatchType, body} }
func edits(body string) write   { return write{types.JSONPatchType, "[" + body + "]"} }

func (g *gate) patch(ctx context.Context, id, owner string, w write) error {
	options := []client.PatchOption{client.FieldOwner(owner)}
	if w.kind == types.ApplyPatchType {
		options = append(options, client.ForceOwnership)
		w.body = `{"apiVersion":"kubermatic.k8c.io/v1","kind":"Cluster","metadata":{"name":"` + id + `"},` + w.body + `}`
	}
	return g.reconciler.Patch(ctx, kkp.NewCluster(id, ""), client.RawPatch(w.kind, []byte(w.body)), options...)
}

const (
	newList = `"apiServerAllowedIPRanges":{"cidrBlocks":["192.0.2.0/28"]}`
	oldList = `"apiServerAllowedIPRanges":{"cidrBlocks":["203.0.113.0/24","2001:db8:17::/48"]}`
)

// apply writes the list as the reconciler does.
func (g *gate) apply(ctx context.Context, id, spec string) error {
	return g.patch(ctx, id, apply.Manager, applies(`"spec":{`+spec+`}`))
}

func owner(name string) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: name, UID: types.UID("uid-of-" + name)}
}

func ownerText(name string) string {
	o := owner(name)
	return fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"name":%q,"uid":%q}`, o.APIVersion, o.Kind, o.Name, o.UID)
}

// furnished gives a cluster one of everything that is not to be touched.
func furnished(u *unstructured.Unstructured) {
	kkp.WithLabel("kept", "yes")(u)
	u.SetAnnotations(map[string]string{"kept": "yes"})
	u.SetFinalizers([]string{"example.com/a"})
	u.SetOwnerReferences([]metav1.OwnerReference{owner("a")})
}

// given sets a field that defaults would set otherwise.
func given(u *unstructured.Unstructured) {
	_ = unstructured.SetNestedField(u.Object, "given", "spec", "pauseReason")
}

// reconcilersWrites has the account, with every right on the seed, try to
// change this and that, each time on a cluster of its own. Defaults are set
// anew on each write.
func reconcilersWrites(t *testing.T, g *gate) {
	const claimed = `{"manager":"kubermatic-api","operation":"Update","apiVersion":"kubermatic.k8c.io/v1","fieldsType":"FieldsV1","time":"2026-01-01T00:00:00Z","fieldsV1":{"f:spec":{"f:pauseReason":{}}}}`
	for i, c := range []struct {
		name  string
		write write
		as    string // field manager; empty: the reconciler's
		fresh bool   // never written since it was made: what defaults add is absent
		want  string // of the refusal; empty: let through
	}{
		{name: "the list", write: applies(`"spec":{` + newList + `}`)},
		{name: "the first list", write: applies(`"spec":{` + newList + `}`), fresh: true},
		{name: "the same list", write: applies(`"spec":{` + oldList + `}`)},
		{name: "the list by merge patch", write: merges(`{"spec":{` + newList + `}}`)},
		{name: "the removal of the list", write: edits(`{"op":"remove","path":"/spec/apiServerAllowedIPRanges"}`)},
		{name: "the list as somebody else", write: applies(`"spec":{` + newList + `}`), as: kkp.DashboardManager, want: mayBe},

		{name: "a field's value", write: applies(`"spec":{` + newList + `,"humanReadableName":"other"}`), want: maySet},
		{name: "a field as it is", write: applies(`"spec":{` + newList + `,"version":"1.34.1"}`), want: maySet},
		{name: "another list", write: applies(`"spec":{` + newList + `,"clusterNetwork":{"pods":{"cidrBlocks":["10.0.0.0/8"]}}}`), want: maySet},
		{name: "an absent field", write: applies(`"spec":{` + newList + `,"pauseReason":"by me"}`), fresh: true, want: maySet},
		{name: "an absent field, deep", write: applies(`"spec":{` + newList + `,"clusterNetwork":{"ipFamily":"IPv4+IPv6"}}`), fresh: true, want: maySet},
		{name: "a default, by itself", write: applies(`"spec":{` + newList + `,"pauseReason":"by default"}`), fresh: true, want: maySet},
		{name: "a field by merge patch", write: merges(`{"spec":{"pause":true}}`), want: maySet},
		{name: "a field by JSON patch", write: edits(`{"op":"replace","path":"/spec/humanReadableName","value":"other"}`), want: maySet},
		{name: "a field as somebody else", write: merges(`{"spec":{"humanReadableName":"other"}}`), as: kkp.DashboardManager, want: mayBe},
		{name: "an element more", write: edits(`{"op":"add","path":"/spec/clusterNetwork/pods/cidrBlocks/-","value":"10.0.0.0/8"}`), want: maySet},

		{name: "a field removed that defaults set anew", write: edits(`{"op":"remove","path":"/spec/pauseReason"}`), want: mayTake},
		{name: "a field removed that is nobody's", write: edits(`{"op":"remove","path":"/spec/clusterNetwork/ipFamily"}`), want: mayRemove},
		{name: "a field removed with the list", write: merges(`{"spec":{"apiServerAllowedIPRanges":null,"pauseReason":null}}`), want: mayTake},

		{name: "a label", write: merges(`{"metadata":{"labels":{"a":"b"}}}`), want: maySet},
		{name: "a label's value", write: merges(`{"metadata":{"labels":{"kept":"no"}}}`), want: maySet},
		{name: "a label removed", write: merges(`{"metadata":{"labels":{"kept":null}}}`), want: mayTake},
		{name: "an annotation", write: merges(`{"metadata":{"annotations":{"a":"b"}}}`), want: maySet},
		{name: "an annotation removed that is nobody's", write: merges(`{"metadata":{"annotations":{"kkp.example.com/once":null}}}`), want: mayTouch},
		{name: "a finalizer", write: merges(`{"metadata":{"finalizers":["example.com/a","example.com/b"]}}`), want: maySet},
		{name: "a finalizer removed", write: merges(`{"metadata":{"finalizers":null}}`), want: mayTake},
		{name: "an owner", write: merges(`{"metadata":{"ownerReferences":[` + ownerText("a") + `,` + ownerText("b") + `]}}`), want: maySet},
		{name: "an owner removed", write: merges(`{"metadata":{"ownerReferences":null}}`), want: mayTake},

		{name: "managedFields emptied", write: merges(`{"metadata":{"managedFields":[{}]}}`), want: mayEmpty},
		{name: "managedFields emptied with a change", write: merges(`{"metadata":{"managedFields":[{}]},"spec":{"humanReadableName":"other"}}`), want: mayEmpty},
		{name: "a change laid at another's door", write: merges(`{"metadata":{"managedFields":[` + claimed + `]},"spec":{"pauseReason":"by me"}}`), fresh: true, want: maySet},
		{name: "others made to own nothing", write: merges(`{"metadata":{"managedFields":[` + claimed + `]}}`), want: mayTake},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			id := fmt.Sprintf("writes%02d", i)
			if c.fresh {
				g.cluster(t, id, furnished)
			} else {
				g.managed(t, id, furnished, given)
			}
			before := g.get(t, id)
			err := g.patch(t.Context(), id, orElse(c.as, apply.Manager), c.write)
			expect(t, err, c.want)
			g.keeps(t, before, err == nil)
		})
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// keeps holds the outcome against the object as it was: where a write went
// through, defaults have been set, and nothing else but the list may differ.
func (g *gate) keeps(t *testing.T, before *unstructured.Unstructured, written bool) {
	t.Helper()
	after := g.get(t, before.GetName())
	if !written {
		if after.GetResourceVersion() != before.GetResourceVersion() {
			t.Errorf("it was refused, and written all the same")
		}
		return
	}
	if mode, _, _ := unstructured.NestedString(after.Object, "spec", "clusterNetwork", "proxyMode"); mode != "nftables" {
		t.Errorf("defaults were not set anew: proxyMode is %s", mode)
	}
	name, _, _ := unstructured.NestedString(before.Object, "spec", "humanReadableName")
	if got, _, _ := unstructured.NestedString(after.Object, "spec", "humanReadableName"); got != name {
		t.Errorf("the name is %s", got)
	}
	if !slices.Equal(after.GetFinalizers(), before.GetFinalizers()) || after.GetLabels()["kept"] != "yes" {
		t.Errorf("metadata is %v", after.Object["metadata"])
	}
}

// reconcilersLists are what the list may be: promise 1, once more.
func reconcilersLists(t *testing.T, g *gate) {
	id := g.cluster(t, "lists")
	for name, c := range map[string]struct {
		cidrs []string
		want  string
	}{
		"both families":     {[]string{"203.0.113.0/24", "198.51.100.7/32", "2001:db8:17::/48", "2001:db8::1/128", "::/3"}, ""},
		"a thousand":        {prefixes(1000), ""},
		"an empty list":     {[]string{}, mayWrite},
		"host bits":         {[]string{"203.0.113.1/24"}, mayWrite},
		"host bits, IPv6":   {[]string{"2001:db8::1/64"}, mayWrite},
		"a bare address":    {[]string{"203.0.113.1"}, mayWrite},
		"no address":        {[]string{"203.0.113.0/24", "not-a-cidr"}, mayWrite},
		"another spelling":  {[]string{"2001:DB8:17::/48"}, mayWrite},
		"not shortened":     {[]string{"2001:db8:17:0::/48"}, mayWrite},
		"IPv4 within IPv6":  {[]string{"::ffff:203.0.113.0/120"}, mayWrite},
		"a leading zero":    {[]string{"203.0.113.00/24"}, mayWrite},
		"white space after": {[]string{"203.0.113.0/24 "}, mayWrite},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, g.apply(t.Context(), id, `"apiServerAllowedIPRanges":{"cidrBlocks":["`+strings.Join(c.cidrs, `","`)+`"]}`), c.want)
		})
	}
}

// crowded is a Cluster that many have written to, so many that the API server
// throws the oldest of them together: the policy's cost grows with them, and an
// expression that costs too much is refused.
func crowded(t *testing.T, g *gate) {
	ctx, id := t.Context(), g.cluster(t, "crowded", furnished)
	for who := range 15 {
		notes := map[string]string{}
		for i := range 40 {
			notes[fmt.Sprintf("controller-%d.example.com/note-%d", who, i)] = strings.Repeat("x", 100)
		}
		text, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": notes, "labels": map[string]string{fmt.Sprintf("of-%d", who): "yes"}}})
		if err != nil {
			t.Fatal(err)
		}
		by := client.FieldOwner(fmt.Sprintf("controller-%d", who))
		if err := g.dashboard.Patch(ctx, kkp.NewCluster(id, ""), client.RawPatch(types.MergePatchType, text), by); err != nil {
			t.Fatal(err)
		}
	}
	var entries []string
	for _, e := range g.get(t, id).GetManagedFields() {
		entries = append(entries, e.Manager)
	}
	if !slices.Contains(entries, "ancient-changes") {
		t.Fatalf("the cluster is not crowded: %q", entries)
	}
	expect(t, g.apply(ctx, id, `"apiServerAllowedIPRanges":{"cidrBlocks":["`+strings.Join(prefixes(1000), `","`)+`"]}`), "")
	expect(t, g.apply(ctx, id, newList), "")
	expect(t, g.patch(ctx, id, apply.Manager, merges(`{"metadata":{"annotations":{"controller-3.example.com/note-7":null}}}`)), mayTake)
	expect(t, put(ctx, g.dashboard, id, nil, kkp.WithList()), inGit)
}

// prefixes are so many.
func prefixes(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("10.%d.%d.0/24", i/250, i%250))
	}
	return out
}

// reconcilersObjects are writes to anything but the object itself.
func reconcilersObjects(t *testing.T, g *gate) {
	id := g.managed(t, "objects")
	ctx, c := t.Context(), g.reconciler
	expect(t, c.Create(ctx, kkp.NewCluster("made", "h8s7d6f5g4")), "portcullis may not CREATE clusters")
	expect(t, c.Delete(ctx, g.get(t, id)), "portcullis may not DELETE clusters")
	expect(t, c.DeleteAllOf(ctx, kkp.NewCluster("", "")), "portcullis may not DELETE clusters")
	status := client.RawPatch(types.MergePatchType, []byte(`{"status":{"errorReason":"ReconcileError"}}`))
	expect(t, c.Status().Patch(ctx, g.get(t, id), status, client.FieldOwner(apply.Manager)), "portcullis may not UPDATE clusters/status")
	expect(t, put(ctx, c, id, client.FieldOwner(apply.Manager), kkp.WithName("other")), maySet)
	expect(t, put(ctx, c, id, client.FieldOwner(apply.Manager), kkp.WithList("192.0.2.0/24")), "")
	expect(t, g.admin.Delete(ctx, g.get(t, id)), "") // nobody else is held to it
}

// reconcilersWritesUntracked is about Clusters of which the API server has
// forgotten who set what. The next apply has it note all that is there.
func reconcilersWritesUntracked(t *testing.T, g *gate) {
	ctx := t.Context()
	id := g.cluster(t, "untracked", furnished)
	forget := func() {
		t.Helper()
		reset := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"managedFields":[{}]}}`))
		if err := g.onCall.Patch(ctx, g.get(t, id), reset); err != nil {
			t.Fatal(err)
		}
		if fields := g.get(t, id).GetManagedFields(); len(fields) > 0 {
			t.Fatalf("managedFields are %v", fields)
		}
	}
	forget()
	expect(t, g.patch(ctx, id, apply.Manager, merges(`{"spec":{"humanReadableName":"other"}}`)), mayChange)
	expect(t, g.patch(ctx, id, apply.Manager, merges(`{"metadata":{"labels":{"a":"b"}}}`)), mayChange)
	expect(t, g.apply(ctx, id, newList+`,"humanReadableName":"other"`), maySet)
	expect(t, g.apply(ctx, id, newList), "")
	forget()
	expect(t, g.patch(ctx, id, apply.Manager, edits(`{"op":"remove","path":"/spec/apiServerAllowedIPRanges"}`)), "")
}
