package apply_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
)

// stateOf is a store in a namespace of its own, with the requests it makes.
func stateOf(t *testing.T) (*apply.Store, string, *requests) {
	t.Helper()
	namespace := "state-" + newID()
	store, counted := storeIn(t, namespace)
	if err := store.EnsureNamespace(context.Background()); err != nil {
		t.Fatal(err)
	}
	return store, namespace, counted
}

func storeIn(t *testing.T, namespace string) (*apply.Store, *requests) {
	t.Helper()
	cfg, counted := needPlane(t), &requests{}
	cfg.Wrap(counted.wrap)
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return apply.NewStore(c, namespace, "eu-west"), counted
}

func changes(r *requests) int {
	return r.count(func(sent string) bool { return !strings.HasPrefix(sent, "GET ") })
}

func someState() apply.SourceState {
	since := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	claim := render.Claim{Source: "customers", Tenant: "acme", Path: "tenants/acme/a.yaml", Name: "a", Line: 3}
	return apply.SourceState{
		Name: "customers", URL: "https://git.example.com/hosting/allowlists.git", Branch: "main", Path: "tenants",
		Accepted: strings.Repeat("a", 40),
		Held:     &apply.HeldCommit{Commit: strings.Repeat("b", 40), Reason: "rewinds"},
		Refused:  []string{"tenants/acme/b.yaml"},
		Overdue:  []string{"tenants/acme/b.yaml"},
		Claims:   map[string]render.Claim{"c1": claim},
		Commits: []apply.CommitRecord{
			{SHA: strings.Repeat("a", 40), Base: strings.Repeat("9", 40), Clusters: []string{"c1", "c2"}, Delivered: "abc"},
			{SHA: strings.Repeat("8", 40), Superseded: strings.Repeat("a", 40)},
		},
		Deviations: map[string]apply.Deviation{"c2": {State: apply.Held, Message: "its file is refused", Since: since, Tenant: "acme"}},
		Tenants:    map[string]string{"h8s7d6f5g4": "acme"},
		Kept:       map[string][]string{"acme": {"c1/12ab", "c2/34cd"}},
		Resting:    map[string]apply.Standing{"c3": {UID: "u", ByHand: &apply.ByHand{Start: since}}},
		SeedRanges: render.SeedRanges{Known: true, Source: []string{"192.0.2.0/24"}},
	}
}

func someList(n int) apply.Retained {
	r := apply.Retained{
		Claim: render.Claim{Tenant: "acme", Path: "a.yaml", Name: "a"}, Access: render.Restricted,
		Hold: render.Hold{Rule: "removed-allowlist", Message: "its file was removed"},
	}
	for i := range n {
		addr := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		r.Entries = append(r.Entries, render.Entry{Prefix: netip.PrefixFrom(addr, 32), Kind: "entry", Description: "office"})
	}
	return r
}

func TestStateComesBack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, namespace, counted := stateOf(t)
	if sources, lists, err := store.Load(ctx); err != nil || len(sources)+len(lists) != 0 {
		t.Fatalf("an empty namespace holds %v, %v, %v", sources, lists, err)
	}
	state, lists := someState(), map[string]apply.Retained{"c3": someList(2)}
	before := changes(counted)
	save(t, store, state, lists)
	save(t, store, state, lists) // the same again
	if n := changes(counted) - before; n != 2 {
		t.Errorf("%d writes for one source and its retained lists, saved twice", n)
	}

	again, counted := storeIn(t, namespace)
	sources, loaded, err := again.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(sources, map[string]apply.SourceState{"customers": state}) {
		t.Errorf("sources came back as %+v", sources)
	}
	if !reflect.DeepEqual(loaded, lists) {
		t.Errorf("lists came back as %+v", loaded)
	}
	save(t, again, state, lists)
	if n := changes(counted); n != 0 {
		t.Errorf("%d writes of what stands there, after a restart", n)
	}
	save(t, again, state, nil)
	if _, loaded, err = again.Load(ctx); err != nil || len(loaded) != 0 {
		t.Errorf("forgotten lists came back as %v, %v", loaded, err)
	}
}

func save(t *testing.T, store *apply.Store, state apply.SourceState, lists map[string]apply.Retained) {
	t.Helper()
	if err := store.SaveSource(context.Background(), state); err != nil {
		t.Fatal(err)
	}
	if err := store.SaveRetained(context.Background(), lists); err != nil {
		t.Fatal(err)
	}
}

func TestLargeStateIsSharded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, namespace, counted := stateOf(t)
	lists := map[string]apply.Retained{}
	for i := range 1000 {
		lists[fmt.Sprintf("c%04d", i)] = someList(30)
	}
	save(t, store, someState(), lists)
	var cms corev1.ConfigMapList
	if err := admin(t).List(ctx, &cms, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/managed-by": "portcullis"}); err != nil {
		t.Fatal(err)
	}
	if len(cms.Items) < 4 {
		t.Errorf("%d ConfigMaps for 1,000 lists", len(cms.Items))
	}
	for _, cm := range cms.Items {
		if size := len(cm.Data["state.json"]); size > 900<<10 {
			t.Errorf("ConfigMap %s holds %d bytes", cm.Name, size)
		}
	}

	lists["c0007"] = someList(31)
	before := changes(counted)
	save(t, store, someState(), lists)
	if n := changes(counted) - before; n != 1 {
		t.Errorf("%d writes for one changed list", n)
	}
	clear(lists) // fewer parts are needed, as many stay
	lists["c0001"] = someList(1)
	save(t, store, someState(), lists)
	again, _ := storeIn(t, namespace)
	if _, loaded, err := again.Load(ctx); err != nil || !reflect.DeepEqual(loaded, lists) {
		t.Errorf("after shrinking %d lists came back, %v", len(loaded), err)
	}
}

func TestSecondWriterIsNoticed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, namespace, _ := stateOf(t)
	state := someState()
	save(t, store, state, nil)
	other, _ := storeIn(t, namespace)

	if err := other.SaveSource(ctx, state); !errors.Is(err, apply.ErrConflict) {
		t.Errorf("state that was never loaded was written over: %v", err)
	}
	if _, _, err := other.Load(ctx); err != nil {
		t.Fatal(err)
	}
	state.Accepted = strings.Repeat("c", 40)
	save(t, other, state, nil)
	state.Accepted = strings.Repeat("d", 40)
	if err := store.SaveSource(ctx, state); !errors.Is(err, apply.ErrConflict) {
		t.Errorf("a second writer's state was written over: %v", err)
	}
}

func TestCorruptStateIsNotTakenForNone(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"cut short":       `{"version":1,"ind`,
		"empty":           ``,
		"another version": `{"version":2,"index":0,"parts":1,"head":{"name":"customers"}}`,
		"a part missing":  `{"version":1,"index":0,"parts":2,"head":{"name":"customers"}}`,
		"no head":         `{"version":1,"index":0,"parts":1}`,
		"a bad entry":     `{"version":1,"index":0,"parts":1,"head":{"name":"customers"},"entries":{"claim/c1":7}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			store, namespace, _ := stateOf(t)
			save(t, store, someState(), nil)
			c, cm := admin(t), &corev1.ConfigMap{}
			if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "portcullis-eu-west-source-customers"}, cm); err != nil {
				t.Fatal(err)
			}
			cm.Data["state.json"] = content
			if err := c.Update(ctx, cm); err != nil {
				t.Fatal(err)
			}
			_, _, err := store.Load(ctx)
			if !errors.Is(err, apply.ErrCorrupt) || !strings.Contains(err.Error(), cm.Name) || !strings.Contains(err.Error(), "restore") {
				t.Errorf("corrupt state gives %v", err)
			}
		})
	}
}
