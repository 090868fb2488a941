package render_test

import (
	"fmt"
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// BenchmarkRender makes the plan of 10,000 clusters from 2,000 files of 2,000
// tenants, as every commit and every change on the seed does.
func BenchmarkRender(b *testing.B) {
	in := render.Input{Policy: policy.Default(), Seed: "", Now: date("2026-11-22T12:00:00Z"),
		Inventory: render.Inventory{Known: true, Clusters: map[string]render.Cluster{}}}
	in.Policy.Require.NodeEgress = false
	in.Policy.Seeds = map[string]policy.Seed{"eu-west": {}}
	in.Seed = "eu-west"
	for tenant := range 2000 {
		name, ids := fmt.Sprintf("proj%06d", tenant), ""
		for c := range 5 {
			id := fmt.Sprintf("c%04d%05d", c, tenant)
			ids += id + ", "
			in.Inventory.Clusters[id] = render.Cluster{ID: id, UID: id, Project: name, ExposeStrategy: render.ExposeLoadBalancer}
		}
		text := allowlist("a", ids, "203.0.113.0/24", "198.51.100.7", "2001:db8::/48")
		in.Files = append(in.Files, render.File{Source: "s", Tenant: name, Path: name + "/a.yaml", Hash: text, Parsed: document.Parse([]byte(text))})
	}
	in.Base = render.Render(in).Base()
	b.ReportAllocs()
	for b.Loop() {
		if p := render.Render(in); len(p.Clusters) != 10_000 || len(p.Refused) > 0 {
			b.Fatalf("%d clusters, refused: %d", len(p.Clusters), len(p.Refused))
		}
	}
}

// BenchmarkParse takes one file apart.
func BenchmarkParse(b *testing.B) {
	text := []byte(allowlist("a", "shopprod01, shoptest01", "203.0.113.0/24", "198.51.100.7", "2001:db8::/48"))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		document.Parse(text)
	}
}
