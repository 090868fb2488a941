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

// The clusters and projects of the examples.
const (
	ShopProd    = "qvjdddt72t" // of acme
	ShopStaging = "b7k2m9x4wz" // of acme
	ShopDev     = "t5n8c3v6ja" // of acme
	Billing     = "m3x8r5w2kd" // of globex
	Reports     = "z9f4h7s2lp" // of globex, exposed by NodePort
	Edge        = "d6j2g8v4yn" // of initech, paused
	Lab         = "p4c7t9b3xm" // of initech, without a namespace yet

	AcmeProject    = "h8s7d6f5g4"
	GlobexProject  = "k4d9x2m7pq"
	InitechProject = "w6z3t8b5nc"
)

// Cluster is one to create.
type Cluster struct {
	ID, Project string
	Name        string // human-readable; empty: the ID
	NodePort    bool   // else LoadBalancer
	Paused      bool
	NoNamespace bool // KKP has not come to it yet
	Options     []kkp.Option
}

// ExampleClusters are those that the examples' files name or select.
func ExampleClusters() []Cluster {
	return []Cluster{
		{ID: ShopProd, Project: AcmeProject, Name: "shop-prod"},
		{ID: ShopStaging, Project: AcmeProject, Name: "shop-staging"},
		{ID: ShopDev, Project: AcmeProject, Name: "shop-dev"},
		{ID: Billing, Project: GlobexProject, Name: "billing"},
		{ID: Reports, Project: GlobexProject, Name: "reports", NodePort: true},
		{ID: Edge, Project: InitechProject, Name: "edge", Paused: true},
		{ID: Lab, Project: InitechProject, Name: "lab", NoNamespace: true},
	}
}

// Create creates clusters, and the namespaces of those that are to have one.
func (s *Stage) Create(ctx context.Context, clusters ...Cluster) error {
	for _, c := range clusters {
		s.names.add(c.ID, c.Project)
		object := kkp.NewCluster(s.names.own(c.ID), s.names.own(c.Project), c.options()...)
		create := kkp.Create
		if c.NoNamespace {
			create = func(ctx context.Context, to client.Client, o *unstructured.Unstructured) error {
				return to.Create(ctx, o)
			}
		}
		if err := create(ctx, s.Seed.Client, object); err != nil {
			return fmt.Errorf("create the cluster %s: %w", c.ID, err)
		}
		s.created = append(s.created, c.ID)
	}
	return nil
}

func (c Cluster) options() []kkp.Option {
	out := []kkp.Option{kkp.WithName(c.Name)}
	if c.Name == "" {
		out[0] = kkp.WithName(c.ID)
	}
	if c.NodePort {
		out = append(out, kkp.WithStrategy("NodePort"))
	}
	if c.Paused {
		out = append(out, kkp.Paused("maintenance"))
	}
	return append(out, c.Options...)
}

// Delete deletes a cluster, and its Service with it as KKP does: addresses of
// Services are few.
func (s *Stage) Delete(ctx context.Context, id string) error {
	cluster, err := s.Cluster(ctx, id)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	if err := s.Seed.Client.Delete(ctx, cluster); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the cluster %s: %w", id, err)
	}
	service := &corev1.Service{}
	service.SetNamespace("cluster-" + s.names.own(id))
	service.SetName("front-loadbalancer")
	if err := s.Seed.Client.Delete(ctx, service); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the service of %s: %w", id, err)
	}
	return nil
}

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
