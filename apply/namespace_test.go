package apply

import (
	"context"
	"errors"
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// cached is a client that reads these clusters alone.
type cached struct {
	client.Client
	clusters []Cluster
	lists    int
}

func (c *cached) Get(_ context.Context, key client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	for _, known := range c.clusters {
		if known.Name == key.Name {
			*obj.(*Cluster) = known
			return nil
		}
	}
	return errors.New("not there")
}

func (c *cached) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	c.lists++
	list.(*ClusterList).Items = c.clusters
	return nil
}

func TestClusterOfANamespace(t *testing.T) {
	t.Parallel()
	api := &cached{}
	for id, namespace := range map[string]string{"a": "cluster-a", "b": "elsewhere", "c": "cluster-b", "d": ""} {
		c := Cluster{}
		c.Name, c.Status.NamespaceName = id, namespace
		api.clusters = append(api.clusters, c)
	}
	for namespace, c := range map[string]struct {
		want  []string
		lists int // 0 where the name tells
	}{
		"cluster-a": {[]string{"a"}, 0},
		"elsewhere": {[]string{"b"}, 1},
		"cluster-b": {[]string{"c"}, 1}, // b is in another
		"cluster-d": {nil, 1},           // has none yet
		"a":         {nil, 1},
		"default":   {nil, 1},
	} {
		before := api.lists
		got, err := newController(api, Options{}).in(context.Background(), namespace)
		if err != nil || !slices.Equal(got, c.want) || api.lists-before != c.lists {
			t.Errorf("%s: %v, %v, listed %d times; want %v", namespace, got, err, api.lists-before, c)
		}
	}
}
