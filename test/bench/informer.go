package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
)

// informerPeer is a cache and nothing else: of the same objects that the
// command keeps, trimmed by the same functions. Asked to sync, it lists and
// watches them, and answers once it has them all; asked for anything else, it
// answers what memory it takes by then.
//
// Arguments: the kubeconfig.
func informerPeer(ctx context.Context, args []string) (job, error) {
	ctrl.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", args[0])
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = -1, -1
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), apply.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	options := apply.CacheOptions()
	options.Scheme = scheme
	kept, err := cache.New(config, options)
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, command string) (int, error) {
		if command != "sync" {
			return 0, nil
		}
		return syncAll(ctx, kept)
	}, nil
}

func syncAll(ctx context.Context, kept cache.Cache) (int, error) {
	for _, kind := range []client.Object{&apply.Cluster{}, &corev1.Service{}} {
		if _, err := kept.GetInformer(ctx, kind, cache.BlockUntilSynced(false)); err != nil {
			return 0, fmt.Errorf("inform about %T: %w", kind, err)
		}
	}
	go kept.Start(ctx) //nolint:errcheck // it ends with the process
	if !kept.WaitForCacheSync(ctx) {
		return 0, errors.New("the cache was not filled")
	}
	var list apply.ClusterList
	err := kept.List(ctx, &list)
	return len(list.Items), err
}
