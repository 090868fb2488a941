package kkp

import (
	"bytes"
	"context"
	_ "embed" // the policy
	"errors"
	"fmt"
	"io"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

//go:embed policy.yaml
var policy []byte

const inForceWithin = time.Minute

// Install puts the CRDs and the stand-in for KKP's webhook into a control
// plane, and returns once both are in force. It may be called again.
func Install(ctx context.Context, cfg *rest.Config) error {
	crds, err := CRDs()
	if err != nil {
		return err
	}
	options := envtest.CRDInstallOptions{CRDs: crds, MaxTime: inForceWithin}
	if _, err := envtest.InstallCRDs(cfg, options); err != nil {
		return fmt.Errorf("install KKP's CRDs: %w", err)
	}
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	if err := createAll(ctx, c, policy); err != nil {
		return err
	}
	return waitForPolicy(ctx, c)
}

func createAll(ctx context.Context, c client.Client, manifest []byte) error {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		obj := &unstructured.Unstructured{}
		err := decoder.Decode(obj)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("parse manifest: %w", err)
		}
		if err := c.Create(ctx, obj); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create %s %s: %w", obj.GetKind(), obj.GetName(), err)
		}
	}
}

// waitForPolicy tries, as a dry run, what the policy forbids: a policy is
// compiled some moments after it was created, and nothing else tells when.
func waitForPolicy(ctx context.Context, c client.Client) error {
	refused := func(ctx context.Context) (bool, error) {
		probe := NewCluster("policy-probe", "none", WithStrategy("NodePort"), WithList("192.0.2.0/24"))
		return apierrors.IsForbidden(c.Create(ctx, probe, client.DryRunAll)), nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, inForceWithin, true, refused); err != nil {
		return fmt.Errorf("wait for the stand-in of KKP's webhook: %w", err)
	}
	return nil
}
