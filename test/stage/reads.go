package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// Cluster reads a cluster. It has the stage's own names.
func (s *Stage) Cluster(ctx context.Context, id string) (*unstructured.Unstructured, error) {
	return kkp.Get(ctx, s.Seed.Client, s.names.own(id))
}

// List is a cluster's list, sorted as text, and whether the field is there.
func (s *Stage) List(ctx context.Context, id string) (cidrs []string, set bool, err error) {
	cluster, err := s.Cluster(ctx, id)
	if err != nil {
		return nil, false, err
	}
	cidrs, set = kkp.List(cluster)
	slices.Sort(cidrs)
	return cidrs, set, nil
}

// Ranges are what the Service front-loadbalancer of a cluster lets in, sorted
// as text; nil lets everyone in.
func (s *Stage) Ranges(ctx context.Context, id string) ([]string, error) {
	service := &corev1.Service{}
	key := client.ObjectKey{Namespace: "cluster-" + s.names.own(id), Name: "front-loadbalancer"}
	if err := s.Seed.Client.Get(ctx, key, service); err != nil {
		return nil, fmt.Errorf("get the service of %s: %w", id, err)
	}
	return slices.Sorted(slices.Values(service.Spec.LoadBalancerSourceRanges)), nil
}

// HasList is a condition: the Cluster carries this list, and no other.
func (s *Stage) HasList(id string, want ...string) func(context.Context) error {
	want = slices.Sorted(slices.Values(want))
	return func(ctx context.Context) error {
		got, set, err := s.List(ctx, id)
		if err != nil {
			return err
		}
		if !set || !slices.Equal(got, want) {
			return fmt.Errorf("the list of %s is %s (set: %t), not %s", id, show(got), set, show(want))
		}
		return nil
	}
}

// InForce is a condition: the Cluster carries this list, and its Service lets
// in the list, what the Seed adds, and nobody else.
func (s *Stage) InForce(id string, want ...string) func(context.Context) error {
	let := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(want), DefaultRange))))
	return func(ctx context.Context) error {
		if err := s.HasList(id, want...)(ctx); err != nil {
			return err
		}
		got, err := s.Ranges(ctx, id)
		if err == nil && !slices.Equal(got, let) {
			err = fmt.Errorf("the service of %s lets in %s, not %s", id, show(got), show(let))
		}
		return err
	}
}

// Absent is a condition: the Cluster has no list.
func (s *Stage) Absent(id string) func(context.Context) error {
	return func(ctx context.Context) error {
		got, set, err := s.List(ctx, id)
		if err == nil && set {
			err = fmt.Errorf("%s has a list: %s", id, show(got))
		}
		return err
	}
}

// Events are the messages of a cluster's Events, those of Portcullis alone.
func (s *Stage) Events(ctx context.Context, id string) ([]string, error) {
	var events corev1.EventList
	if err := s.Seed.Client.List(ctx, &events); err != nil {
		return nil, fmt.Errorf("list the events: %w", err)
	}
	var out []string
	for _, e := range events.Items {
		if e.InvolvedObject.Name == s.names.own(id) && e.Source.Component == "portcullis" {
			out = append(out, s.names.example(e.Reason+": "+e.Message))
		}
	}
	return out, nil
}

func show(cidrs []string) string { return "[" + strings.Join(cidrs, " ") + "]" }

// all joins conditions into one.
func all(conditions ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		var errs []error
		for _, condition := range conditions {
			errs = append(errs, condition(ctx))
		}
		return errors.Join(errs...)
	}
}
