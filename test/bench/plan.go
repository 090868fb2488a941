package main

import (
	"fmt"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

const seedName = "eu-west"

// edit makes the examples' policy that of an edition: tenants are named by
// their projects, and no change is too large. The files' addresses are those of
// documents, which no real list has: a finding for each would be measured too.
func (f fixture) edit(d stage.Document, edition int) {
	delete(d, "tenants")
	d["rules"] = map[string]any{"special-range": "off"}
	d["blastRadius"] = map[string]any{"clusters": f.n, "percent": 100}
	seeds, _ := d["seeds"].(map[string]any)
	seed, _ := seeds[seedName].(map[string]any)
	seed["platform"] = platform(edition)
}

// policyText is a policy of an edition that asks for the same lists as the
// examples' does.
func (f fixture) policyText(edition int) ([]byte, error) {
	d := stage.Document{
		"apiVersion": "portcullis.dev/v1alpha1", "kind": "Policy",
		"seeds":  map[string]any{seedName: map[string]any{"loadBalancer": "metallb"}, "us-east": map[string]any{}},
		"groups": map[string]any{"noc": []any{map[string]any{"cidr": "192.0.2.16/28"}}},
	}
	f.edit(d, edition)
	return yaml.Marshal(d)
}

func (f fixture) policyOf(edition int) (*policy.Policy, error) {
	content, err := f.policyText(edition)
	if err != nil {
		return nil, err
	}
	p, problems := policy.ParsePolicy(content, lint.Changeable)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the policy is at fault: %v", problems)
	}
	return p, nil
}

// plan is what the files ask for, with a policy's edition.
func (f fixture) plan(uids map[string]string, edition int) (*render.Plan, error) {
	p, err := f.policyOf(edition)
	if err != nil {
		return nil, err
	}
	plan := render.Render(render.Input{Files: f.parsed(), Policy: p, Inventory: f.inventory(uids), Seed: seedName, Now: time.Now()})
	for _, finding := range plan.Findings {
		if finding.Severity == lint.Error {
			return nil, fmt.Errorf("the files are at fault: %s", finding)
		}
	}
	if len(plan.Clusters) != f.n {
		return nil, fmt.Errorf("the files claim %d of %d clusters", len(plan.Clusters), f.n)
	}
	return plan, nil
}

func (f fixture) parsed() []render.File {
	var out []render.File
	for i := range f.n {
		out = append(out, render.File{Source: "customers", Tenant: f.project(i), Path: stage.Tenants + "/" + f.path(i),
			Hash: f.cluster(i), Parsed: document.Parse([]byte(f.file(i, 0)))})
	}
	return out
}

func (f fixture) inventory(uids map[string]string) render.Inventory {
	clusters := map[string]render.Cluster{}
	for i := range f.n {
		id := f.cluster(i)
		clusters[id] = render.Cluster{ID: id, UID: uids[id], Project: f.project(i), Datacenter: "dc-1",
			ExposeStrategy: render.ExposeLoadBalancer, Namespace: "cluster-" + id}
	}
	return render.Inventory{Known: true, Clusters: clusters}
}
