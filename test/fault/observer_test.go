package fault_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// mishap is something that a reconciler, or somebody else, does to a Cluster,
// and what the observer must say of it; nothing where it is as it should be.
type mishap struct {
	name, says string
	do         func(w *writer) error
}

// writer plays the reconciler, and others, on one cluster that is to carry
// allowed.
type writer struct {
	client client.Client
	id     string
	ctx    context.Context
	*stage.Observer
}

const allowed = "192.0.2.0/28"

func mishaps() []mishap {
	return []mishap{
		{"as it should be", "", func(w *writer) error { return w.apply(`"192.0.2.0/28"`, "") }},
		{"put right again", "", func(w *writer) error {
			w.Announce(w.id, stage.Empty())
			return first(w.apply(`"192.0.2.0/28"`, ""), w.dashboard(), w.apply(`"192.0.2.0/28"`, ""))
		}},
		{"wider for a moment", "the reconciler wrote [192.0.0.0/16]", func(w *writer) error {
			return first(w.apply(`"192.0.0.0/16"`, ""), w.apply(`"192.0.2.0/28"`, ""))
		}},
		{"empty", "the reconciler wrote []", func(w *writer) error { return w.apply("", "") }},
		{"removed", "its list became absent", func(w *writer) error {
			return first(w.apply(`"192.0.2.0/28"`, ""), w.patch(types.JSONPatchType, `[{"op": "remove", "path": "/spec/apiServerAllowedIPRanges"}]`))
		}},
		{"host bits", "no canonical prefix", func(w *writer) error { return w.apply(`"192.0.2.1/28"`, "") }},
		{"another field", "changed another field", func(w *writer) error { return w.apply(`"192.0.2.0/28"`, `, "pause": true`) }},
		{"another's hand, unannounced", "nobody had announced", func(w *writer) error {
			return first(w.apply(`"192.0.2.0/28"`, ""), w.dashboard("0.0.0.0/0"))
		}},
	}
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) dashboard(list ...string) error {
	return kkp.DashboardWrite(w.ctx, w.client, w.id, list)
}

// apply is what the reconciler sends, and more where it must not.
func (w *writer) apply(list, more string) error {
	return w.patch(types.ApplyPatchType, fmt.Sprintf(`{"apiVersion": "kubermatic.k8c.io/v1", "kind": "Cluster", "metadata": {"name": %q},
		"spec": {"apiServerAllowedIPRanges": {"cidrBlocks": [%s]}%s}}`, w.id, list, more))
}

func (w *writer) patch(kind types.PatchType, body string) error {
	cluster, err := kkp.Get(w.ctx, w.client, w.id)
	if err != nil {
		return err
	}
	options := []client.PatchOption{client.FieldOwner(render.FieldManager)}
	if kind == types.ApplyPatchType {
		options = append(options, client.ForceOwnership)
	}
	return w.client.Patch(w.ctx, cluster, client.RawPatch(kind, []byte(body)), options...)
}

// TestObserverSeesEveryVersion: the tests below are worth what it sees.
func TestObserverSeesEveryVersion(t *testing.T) {
	t.Parallel()
	servers.Need(t, "etcd", "kube-apiserver")
	seed, err := shared.seed()
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range mishaps() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			id := fmt.Sprintf("observed%02d", i)
			cluster := kkp.NewCluster(id, "observed")
			if err := kkp.Create(t.Context(), seed.Client, cluster); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := seed.Client.Delete(context.WithoutCancel(t.Context()), cluster); err != nil {
					t.Error(err)
				}
			})
			said := watched(t, seed, id, m.do)
			if m.says == "" && said != nil || m.says != "" && (said == nil || !strings.Contains(said.Error(), m.says)) {
				t.Errorf("the observer says %v, not %q", said, m.says)
			}
		})
	}
}

// watched is what an observer says of what is done.
func watched(t *testing.T, seed *stage.Seed, id string, do func(*writer) error) error {
	t.Helper()
	o, err := stage.Observe(t.Context(), seed.Plane.Config, stage.Named(id))
	if err != nil {
		t.Fatal(err)
	}
	o.Allow(id, []string{allowed})
	if err := do(&writer{client: seed.Client, id: id, ctx: t.Context(), Observer: o}); err != nil {
		t.Fatal(err)
	}
	return o.Close(t.Context())
}
