package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// clusters are those of the lesson: two of acme, one of somebody else.
func clusters() []stage.Cluster {
	return []stage.Cluster{
		{ID: stage.ShopProd, Project: stage.AcmeProject, Name: "shop-prod"},
		{ID: stage.ShopStaging, Project: stage.AcmeProject, Name: "shop-staging"},
		{ID: stage.Billing, Project: stage.GlobexProject, Name: "billing"},
	}
}

// run starts the seed, says so, and shows what becomes of it until ctx ends.
func run(ctx context.Context, out io.Writer) (err error) {
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already, from an earlier time: rm -rf %s", folder, folder)
	}
	fmt.Fprintln(out, "etcd and kube-apiserver start, with KKP's definitions and a stand-in for KKP")
	seed, err := stage.StartSeed(ctx, servers.ControlPlaneOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, seed.Stop()) }()
	if err := populate(ctx, seed.Client); err != nil {
		return err
	}
	if err := handOver(seed.Plane.Kubeconfig); err != nil {
		return err
	}
	fmt.Fprintf(out, "the practice seed runs until Ctrl-C; its kubeconfig is %s\n", kubeconfig)
	return watch(ctx, seed.Client, out)
}

func populate(ctx context.Context, c client.Client) error {
	for _, cluster := range clusters() {
		if err := kkp.Create(ctx, c, kkp.NewCluster(cluster.ID, cluster.Project, kkp.WithName(cluster.Name))); err != nil {
			return err
		}
	}
	return nil
}

// handOver copies the kubeconfig to where the learner finds it.
func handOver(from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("read the seed's kubeconfig: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make the lesson's folder: %w", err)
	}
	return os.WriteFile(kubeconfig, content, 0o600)
}

// dashboard saves a cluster with this list, as KKP's dashboard does; without
// addresses with an empty one.
func dashboard(ctx context.Context, id string, cidrs []string) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("find the practice seed (does it run?): %w", err)
	}
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		return fmt.Errorf("reach the practice seed: %w", err)
	}
	return kkp.DashboardWrite(ctx, c, id, cidrs)
}
