package apply_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// reader is a connection that counts its requests for Clusters, and fails the
// test on anything but reading.
func reader(t *testing.T) (client.Reader, *atomic.Int64) {
	t.Helper()
	cfg, lists := rest.CopyConfig(needPlane(t)), &atomic.Int64{}
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet {
				t.Errorf("%s %s, where nothing is to be written", r.Method, r.URL.Path)
			}
			if strings.HasSuffix(r.URL.Path, "/clusters") {
				lists.Add(1)
			}
			return next.RoundTrip(r)
		})
	})
	c, err := client.New(cfg, client.Options{Scheme: scheme(t)})
	if err != nil {
		t.Fatal(err)
	}
	return c, lists
}

func TestReadInventory(t *testing.T) {
	t.Parallel()
	c, _ := reader(t)
	ctx, admin := context.Background(), admin(t)
	id := newID()
	created := kkp.NewCluster(id, "project-1", kkp.WithName("shop"), kkp.WithDatacenter("dc-9"), kkp.WithList("203.0.113.0/24"), kkp.Paused("soon"))
	if err := kkp.Create(ctx, admin, created); err != nil {
		t.Fatal(err)
	}
	key := types.NamespacedName{Namespace: "read-inventory", Name: "eu-west"}
	ns := &corev1.Namespace{}
	ns.SetName(key.Namespace)
	if err := admin.Create(ctx, ns); err != nil {
		t.Fatal(err)
	}
	if err := admin.Create(ctx, kkp.NewSeed(key, []string{"192.0.2.0/24"}, []string{"198.51.100.0/24"})); err != nil {
		t.Fatal(err)
	}

	got, err := apply.ReadInventory(ctx, c, key)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Known || !got.Seed.Known || fmt.Sprint(got.Seed.Source, got.Seed.Default) != "[192.0.2.0/24] [198.51.100.0/24]" {
		t.Errorf("known %v, ranges %+v", got.Known, got.Seed)
	}
	cl := got.Clusters[id]
	if cl.ID != id || cl.UID != string(created.GetUID()) || cl.Project != "project-1" || cl.Name != "shop" || cl.Datacenter != "dc-9" ||
		cl.ExposeStrategy != "LoadBalancer" || !cl.Paused || !cl.Live.Set || fmt.Sprint(cl.Live.CIDRs) != "[203.0.113.0/24]" {
		t.Errorf("got %+v", cl)
	}
}

func TestReadInventoryWithoutSeed(t *testing.T) {
	t.Parallel()
	c, _ := reader(t)
	got, err := apply.ReadInventory(context.Background(), c, types.NamespacedName{})
	if err != nil || !got.Known || got.Seed.Known {
		t.Errorf("known %v, Seed known %v, %v", got.Known, got.Seed.Known, err)
	}
	_, err = apply.ReadInventory(context.Background(), c, types.NamespacedName{Namespace: "kubermatic", Name: "nosuch"})
	if err == nil || !strings.HasPrefix(err.Error(), "read seed kubermatic/nosuch: ") {
		t.Errorf("a Seed that is not there: %v", err)
	}
}

// TestReadInventoryByPages wants every cluster, from more than one answer.
func TestReadInventoryByPages(t *testing.T) {
	t.Parallel()
	const many = 520 // more than a page
	c, lists := reader(t)
	ctx, admin := context.Background(), admin(t)
	want := map[string]bool{}
	for range many {
		id := newID()
		want[id] = true
		if err := admin.Create(ctx, kkp.NewCluster(id, "project-pages")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := apply.ReadInventory(ctx, c, types.NamespacedName{})
	if err != nil {
		t.Fatal(err)
	}
	for id := range want {
		if got.Clusters[id].Project != "project-pages" {
			t.Fatalf("cluster %s is missing", id)
		}
	}
	if lists.Load() < 2 {
		t.Errorf("asked for clusters %d times, want pages", lists.Load())
	}
}
