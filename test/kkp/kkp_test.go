package kkp_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// TestStandInRefusesWhatKKPRefuses walks through what KKP's webhook says about
// allowlists (kubermatic/kubermatic v2.31), on a control plane of its own.
func TestStandInRefusesWhatKKPRefuses(t *testing.T) {
	t.Parallel()
	c, ctx := install(t), context.Background()
	create := func(id string, options ...kkp.Option) error {
		return c.Create(ctx, kkp.NewCluster(id, "project-1", options...))
	}
	change := func(id string, options ...kkp.Option) error { return kkp.Update(ctx, c, id, options...) }
	project := func(name string) kkp.Option { return kkp.WithLabel("project-id", name) }
	without := func(u *unstructured.Unstructured) { u.SetLabels(nil) }
	for _, step := range []struct {
		what    string
		err     error
		refused string // a part of the words; empty: it is let through
	}{
		{"a cluster", create("plain"), ""},
		{"one with a list", create("listed", kkp.WithList("203.0.113.0/24")), ""},
		{"a NodePort with a list", create("bad", kkp.WithStrategy("NodePort"), kkp.WithList("203.0.113.0/24")), "supported only for LoadBalancer"},
		{"a NodePort with an empty list", create("node", kkp.WithStrategy("NodePort"), kkp.WithList()), ""},
		{"a list for it", change("node", kkp.WithList("203.0.113.0/24")), "supported only for LoadBalancer"},
		{"another strategy", change("node", kkp.WithStrategy("LoadBalancer")), "immutable"},
		{"another strategy with the label", kkp.SwitchStrategy(ctx, c, "node", "LoadBalancer"), ""},
		{"leaving LoadBalancer with a list", kkp.SwitchStrategy(ctx, c, "listed", "Tunneling"), "supported only for LoadBalancer"},
		{"emptying the list", kkp.DashboardWrite(ctx, c, "listed", nil), ""},
		{"leaving LoadBalancer then", kkp.SwitchStrategy(ctx, c, "listed", "Tunneling"), ""},
		{"another project", change("plain", project("project-2")), "immutable"},
		{"no project", change("plain", without), "required"},
		{"what is no prefix, as KKP does", change("plain", kkp.WithList("not-a-cidr")), ""},
	} {
		switch {
		case step.refused == "" && step.err != nil:
			t.Errorf("%s is refused: %v", step.what, step.err)
		case step.refused != "" && (step.err == nil || !strings.Contains(step.err.Error(), step.refused)):
			t.Errorf("%s is not refused with %q: %v", step.what, step.refused, step.err)
		}
	}
}

func install(t *testing.T) client.Client {
	t.Helper()
	assets, err := kkp.Assets()
	if errors.Is(err, kkp.ErrNoAssets) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	env := &envtest.Environment{BinaryAssetsDirectory: assets, ControlPlaneStartTimeout: 2 * time.Minute}
	cfg, err := env.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { env.Stop() }) //nolint:errcheck // the test is over
	for range 2 {                    // installing again changes nothing
		if err := kkp.Install(context.Background(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
