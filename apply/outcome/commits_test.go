package outcome_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

const policyText = `apiVersion: portcullis.dev/v1alpha1
kind: Policy
seeds: {eu-west: {}, us-east: {}}
tenants: {acme: {projects: [acmeproj01]}, globex: {projects: [globexproj]}}
allowOpen: true
require: {nodeEgress: false}
rules: {not-enforced: off, special-range: off, covered-entry: off, duplicate-entry: off, unused-group: off}
`

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// branch is a branch that commits are made on, each judged against the one
// before, as the reconciler does.
type branch struct {
	t         *testing.T
	files     map[string]string
	inventory render.Inventory
	policy    *policy.Policy
	plan      *render.Plan
}

func newBranch(t *testing.T, files ...string) *branch {
	t.Helper()
	p, problems := policy.ParsePolicy([]byte(policyText), lint.Changeable)
	if len(problems) > 0 {
		t.Fatalf("policy: %v", problems)
	}
	b := &branch{t: t, files: map[string]string{}, policy: p, inventory: render.Inventory{Known: true, Clusters: map[string]render.Cluster{}}}
	for id, project := range map[string]string{"prod": "acmeproj01", "test": "acmeproj01", "gprod": "globexproj"} {
		b.inventory.Clusters[id] = render.Cluster{ID: id, UID: "uid-" + id, Project: project, Name: "shop-" + id,
			ExposeStrategy: render.ExposeLoadBalancer, Namespace: "cluster-" + id}
	}
	b.plan = b.render(nil)
	b.commit(files...)
	return b
}

func (b *branch) render(base *render.Base) *render.Plan {
	var files []render.File
	for path, content := range b.files {
		tenant, _, _ := strings.Cut(path, "/")
		files = append(files, render.File{Source: "customers", Tenant: tenant, Path: path,
			Hash: fmt.Sprintf("%x", content), Parsed: document.Parse([]byte(content))})
	}
	return render.Render(render.Input{Files: files, Base: base, Policy: b.policy, Inventory: b.inventory, Seed: "eu-west", Now: now})
}

// commit writes files, given as path and content in turn, and judges. Content
// of one dash removes the file.
func (b *branch) commit(files ...string) outcome.Judgement {
	b.t.Helper()
	before := b.render(b.plan.Base())
	var changed []string
	for pair := range slices.Chunk(files, 2) {
		changed = append(changed, pair[0])
		if pair[1] == "-" {
			delete(b.files, pair[0])
		} else {
			b.files[pair[0]] = pair[1]
		}
	}
	slices.Sort(changed)
	b.plan = b.render(b.plan.Base())
	return outcome.Judge(before, b.plan, "customers", changed)
}

// verdict is a judgement's while its clusters are in these states, each as
// id=State or id=State: message.
func (b *branch) verdict(j outcome.Judgement, states ...string) outcome.Verdict {
	m := b.moment(j)
	m.States = b.states(states...)
	return j.Verdict(m)
}

func list(name, clusters string, entries ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: %s}\nspec:\n  seed: eu-west\n  clusters: [%s]\n  entries:\n", name, clusters)
	for _, e := range entries {
		fmt.Fprintf(&b, "    - %s\n", e)
	}
	return b.String()
}

func access(name, clusters, access string) string {
	return fmt.Sprintf("apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: %s}\nspec:\n  seed: eu-west\n  clusters: [%s]\n  access: %s\n", name, clusters, access)
}

func group(name string, cidrs string) string {
	return fmt.Sprintf("apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: %s}\nspec:\n  entries:\n    - cidrs: [%s]\n", name, cidrs)
}

// judged shows a judgement on one line, for tables.
func judged(j outcome.Judgement) string {
	var out []string
	for _, f := range j.Errors {
		out = append(out, fmt.Sprintf("error %s:%d:%d %s", f.Path, f.Line, f.Column, f.Rule))
	}
	for _, f := range j.SeedErrors {
		out = append(out, fmt.Sprintf("seed %s:%d:%d %s %s", f.Path, f.Line, f.Column, f.Rule, f.Cluster))
	}
	if j.Warnings > 0 {
		out = append(out, fmt.Sprintf("%d warnings", j.Warnings))
	}
	if j.Standing > 0 {
		out = append(out, fmt.Sprintf("%d standing", j.Standing))
	}
	if len(j.Set) > 0 {
		out = append(out, "set "+strings.Join(j.Set, " "))
	}
	return strings.Join(out, ", ")
}

func (b *branch) change(id string, change func(*render.Cluster)) {
	b.inventory.Clusters = maps.Clone(b.inventory.Clusters)
	c := b.inventory.Clusters[id]
	change(&c)
	b.inventory.Clusters[id] = c
}
