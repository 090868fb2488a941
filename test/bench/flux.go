package main

import (
	"context"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fluxUser is its name at the API server.
const fluxUser = "flux"

// fluxAtATime is how many objects kustomize-controller looks at at a time
// (--concurrent-ssa, 4 by default).
const fluxAtATime = 4

// fluxPeer is Flux's engine for server-side apply, as kustomize-controller
// calls it at each interval: asked for a file of manifests, it applies what is
// in it. Reading the repository and building the manifests are left out, in its
// favour.
//
// Arguments: the kubeconfig.
func fluxPeer(_ context.Context, args []string) (job, error) {
	config, err := clientcmd.BuildConfigFromFlags("", args[0])
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = -1, -1
	direct, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	engine := ssa.NewResourceManager(direct, nil, ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"})
	engine.SetConcurrency(fluxAtATime)
	manifests := map[string][]*unstructured.Unstructured{}
	return func(ctx context.Context, path string) (int, error) {
		if manifests[path] == nil {
			objects, err := readManifests(path)
			if err != nil {
				return 0, err
			}
			manifests[path] = objects
		}
		objects := make([]*unstructured.Unstructured, 0, len(manifests[path]))
		for _, o := range manifests[path] {
			objects = append(objects, o.DeepCopy())
		}
		set, err := engine.ApplyAll(ctx, objects, ssa.DefaultApplyOptions())
		if err != nil {
			return 0, fmt.Errorf("apply %s: %w", path, err)
		}
		return changedIn(set), nil
	}, nil
}

func changedIn(set *ssa.ChangeSet) (n int) {
	for _, e := range set.Entries {
		if e.Action != ssa.UnchangedAction {
			n++
		}
	}
	return n
}

func readManifests(path string) ([]*unstructured.Unstructured, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return utils.ReadObjects(file)
}
