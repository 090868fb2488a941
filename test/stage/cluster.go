package stage

import (
	"context"
	"fmt"

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
