package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// lookAgain is how often the Services are looked at. They are three.
const lookAgain = 250 * time.Millisecond

// watch prints what each cluster's Service lets in, at first and on each
// change, until ctx ends.
func watch(ctx context.Context, c client.Client, out io.Writer) error {
	shown := map[string]string{}
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		for _, cluster := range clusters() {
			now, err := letsIn(ctx, c, cluster.ID)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			if now != "" && now != shown[cluster.ID] {
				shown[cluster.ID] = now
				fmt.Fprintf(out, "%s (%s): the Service front-loadbalancer lets in %s\n", cluster.Name, cluster.ID, now)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}

// letsIn is the Service's source ranges in words; empty while it is not there.
func letsIn(ctx context.Context, c client.Client, id string) (string, error) {
	var service corev1.Service
	err := c.Get(ctx, client.ObjectKey{Namespace: "cluster-" + id, Name: "front-loadbalancer"}, &service)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the Service of %s: %w", id, err)
	}
	if len(service.Spec.LoadBalancerSourceRanges) == 0 {
		return "everyone", nil
	}
	return strings.Join(service.Spec.LoadBalancerSourceRanges, ", "), nil
}
