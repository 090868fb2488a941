package main

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
)

// A cluster is asked about by ID or, with a seed, by a name that is one cluster's.
func TestClusterOf(t *testing.T) {
	t.Parallel()
	seed := render.Inventory{Known: true, Clusters: map[string]render.Cluster{
		"aaa": {ID: "aaa", Name: "shop"}, "bbb": {ID: "bbb", Name: "twice"}, "ccc": {ID: "ccc", Name: "twice"}, "ddd": {ID: "ddd", Name: "aaa"},
	}}
	for said, want := range map[string]struct{ id, fault string }{
		"bbb":    {id: "bbb"},
		"shop":   {id: "aaa"},
		"aaa":    {id: "aaa"}, // an ID comes before another's name
		"nosuch": {id: "nosuch"},
		"twice":  {fault: `2 clusters are called "twice": say which by its ID, bbb, ccc`},
	} {
		id, err := clusterOf(seed, said)
		fault := ""
		if err != nil {
			fault = err.Error()
		}
		if id != want.id || fault != want.fault {
			t.Errorf("%s: %q, %q; want %q, %q", said, id, fault, want.id, want.fault)
		}
	}
	if id, err := clusterOf(render.Inventory{}, "shop"); id != "shop" || err != nil {
		t.Errorf("without a seed: %q, %v", id, err)
	}
}
