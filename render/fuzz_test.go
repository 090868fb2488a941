package render_test

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// FuzzRender puts a file of any bytes in the place of a good one, beside
// another tenant's: whatever it says, the other's list stays, nothing of
// another project is touched, and a cluster that had a list keeps one.
func FuzzRender(f *testing.F) {
	for _, content := range append(nonsense,
		allowlist("a", "shopprod01", "203.0.113.0/24"), allowlist("a", "shopprod01, globexprod", "10.0.0.1/8", "::/0"),
		allowlist("a", "shopprod01")+"---\n"+group("vpn", "0.0.0.0/1"),
		"apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: a}\nspec:\n  seed: eu-west\n  clusterSelector: {}\n  nodeEgress: none\n  entries: [{group: vpn, expires: 2026-12-31}, {cidr: 2001:db8::}]\n  tests: [{allow: 10.0.0.1}]\n",
		"apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: a}\nspec: {seed: eu-west, clusters: [shopprod01], access: unmanaged}\n") {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		w := newWorld(t)
		w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
		w.files["globexproj/a.yaml"] = allowlist("a", "globexprod", "198.51.100.0/24")
		w.plan()
		w.files["acme/a.yaml"] = string(content)
		p := w.plan()
		inPlace(t, w, p)
		w.restart(p)
		inPlace(t, w, w.plan())
		offline := render.Render(render.Input{Files: w.list(), Policy: w.policy, Now: w.now})
		said := len(offline.Findings) > 0
		if len(document.Parse(content).Problems) > 0 && !said {
			t.Error("a file with problems is fine offline")
		}
	})
}

func inPlace(t *testing.T, w *world, p *render.Plan) {
	t.Helper()
	wantList(t, p, "globexprod", "198.51.100.0/24")
	for id, got := range p.Clusters {
		if got.Claim.Tenant == "acme" && w.inventory.Clusters[id].Project == "globexproj" {
			t.Errorf("%s gets what acme says", id)
		}
		if len(prefixes.Canonical(got.List)) != len(got.List) {
			t.Errorf("the list of %s is not canonical: %v", id, got.List)
		}
	}
	had := p.Clusters["shopprod01"]
	if had == nil || had.Access == render.Restricted && len(had.List) == 0 || had.Access == render.Open {
		t.Errorf("the cluster had a list, and has none: %+v", had)
	}
	for _, f := range p.Findings {
		if f.Line < 1 || f.Column < 1 || f.Message == "" {
			t.Errorf("a finding without a place or words: %+v", f)
		}
		if _, known := lint.Lookup(f.Rule); !known {
			t.Errorf("a finding of no rule: %+v", f)
		}
	}
}
