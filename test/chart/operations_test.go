package chart_test

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// This is what docs/operator.md has operators do with a release that is in use.

// upgradeAndBack upgrades the release, and takes it back. A new replica stands by
// before the old one goes, as the Deployment has it; no list is written for it,
// and the new one goes on with what is pushed.
func (h *house) upgradeAndBack() {
	for i, step := range [][]string{
		{"upgrade", release, chart, "--reuse-values", "--set", "image.tag=next,podAnnotations.upgraded=yes"},
		{"rollback", release, "1"},
	} {
		before := h.specs()
		out, err := helm(h.t, append(step, h.helmed...)...)
		if err != nil {
			h.t.Fatalf("helm %s: %v: %s", step[0], err, out)
		}
		if image := h.pod().Spec.Containers[0].Image; strings.HasSuffix(image, ":next") != (i == 0) {
			h.t.Errorf("after helm %s the image is %s", step[0], image)
		}
		old := h.Run
		h.Run = &stage.Process{Binary: old.Binary, Args: append(old.Args[:len(old.Args):len(old.Args)], "--data-dir", filepath.Join(h.dir, "data", step[0]))}
		h.must(h.Run.Start("--leader-elect"))
		h.await("the new replica to stand by", says(h.Run, "ttempting to acquire leader lease"))
		h.must(old.Stop(h.ctx))
		h.await("the new replica to lead", says(h.Run, "This replica leads"))
		h.await("the new replica to read Git", says(h.Run, "Took up the accepted commit"))
		if after := h.specs(); !reflect.DeepEqual(before, after) {
			h.t.Errorf("helm %s: clusters were %v and are %v", step[0], before, after)
		}
		from, to := "192.0.2.96/28", "192.0.2.144/28"
		if i > 0 {
			from, to = to, from
		}
		h.change("acme/staging.yaml", "cidr: "+from, "cidr: "+to, stage.ShopDev, append(stage.StagingList(), to))
	}
}

// restore breaks the state, and brings it back from a backup that is behind by a
// commit, onto a machine without a mirror.
func (h *house) restore() {
	backup := h.state()
	list := append(stage.StagingList(), "192.0.2.128/28")
	h.change("acme/staging.yaml", "cidr: 192.0.2.96/28", "cidr: 192.0.2.128/28", stage.ShopDev, list)
	h.must(h.Run.Stop(h.ctx))
	before := h.specs()
	for _, cm := range h.state() {
		cm.Data["state.json"] = cm.Data["state.json"][:len(cm.Data["state.json"])/2]
		h.must(h.Seed.Client.Update(h.ctx, &cm))
	}
	said := len(h.Run.Log())
	h.must(h.Run.Start("--leader-elect"))
	code, err := h.Run.Wait(h.ctx, patience)
	h.must(err)
	words := h.Run.Log()[said:]
	if code != 2 || !strings.Contains(words, "state is corrupt") || !strings.Contains(words, "-eu-west-") {
		h.t.Errorf("with a corrupt state it ended with code %d: %s", code, words)
	}
	for _, cm := range h.state() {
		h.must(h.Seed.Client.Delete(h.ctx, &cm))
	}
	for _, cm := range backup {
		cm.ResourceVersion, cm.UID = "", ""
		h.must(h.Seed.Client.Create(h.ctx, &cm))
	}
	h.must(h.Run.Start("--leader-elect", "--data-dir", filepath.Join(h.dir, "data", "restored")))
	h.await("the restored state to catch up", h.accepted)
	if after := h.specs(); !reflect.DeepEqual(before, after) {
		h.t.Errorf("clusters were %v and are %v", before, after)
	}
	h.change("acme/staging.yaml", "cidr: 192.0.2.128/28", "cidr: 192.0.2.96/28", stage.ShopDev, append(stage.StagingList(), "192.0.2.96/28"))
}

// state are the ConfigMaps that the reconciler keeps.
func (h *house) state() []corev1.ConfigMap {
	h.t.Helper()
	var list corev1.ConfigMapList
	h.must(h.Seed.Client.List(h.ctx, &list, client.InNamespace(namespace), client.HasLabels{"portcullis.dev/state"}))
	if len(list.Items) == 0 {
		h.t.Fatal("there is no state")
	}
	return list.Items
}

// accepted waits for the state to be of the branch's head.
func (h *house) accepted(ctx context.Context) error {
	head, err := h.Head(ctx)
	if err != nil {
		return err
	}
	for _, cm := range h.state() {
		if strings.Contains(cm.Data["state.json"], `"accepted":"`+head+`"`) {
			return nil
		}
	}
	return fmt.Errorf("no source is at %s", head)
}

func says(p *stage.Process, words string) func(context.Context) error {
	return func(context.Context) error {
		if log := p.Log(); !strings.Contains(log, words) {
			return fmt.Errorf("it does not say %q: %s", words, log)
		}
		return p.Running()
	}
}

// specs are the Clusters' generations and specifications.
func (h *house) specs() map[string]any {
	h.t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion("kubermatic.k8c.io/v1")
	list.SetKind("ClusterList")
	h.must(h.Seed.Client.List(h.ctx, list))
	out := map[string]any{}
	for _, c := range list.Items {
		out[c.GetName()] = []any{c.GetGeneration(), c.Object["spec"]}
	}
	if len(out) == 0 {
		h.t.Fatal("there are no Clusters")
	}
	return out
}
