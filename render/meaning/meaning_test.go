package meaning_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

var now = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)

// tree is files by path; the first folder is the tenant.
type tree map[string]string

func (t tree) files() []render.File {
	var out []render.File
	for path, text := range t {
		tenant, _, _ := strings.Cut(path, "/")
		sum := sha256.Sum256([]byte(text))
		out = append(out, render.File{Tenant: tenant, Path: path, Hash: hex.EncodeToString(sum[:]), Parsed: document.Parse([]byte(text))})
	}
	return out
}

// list is a file with one list for the cluster prod; spec is what it says
// besides, an indented line each.
func list(spec ...string) string {
	return listOf("production", "prod", spec...)
}

func listOf(name, clusters string, spec ...string) string {
	return fmt.Sprintf("apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: %s}\nspec:\n  clusters: [%s]\n  %s\n",
		name, clusters, strings.Join(spec, "\n  "))
}

func group(name, entries string) string {
	return fmt.Sprintf("apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: %s}\nspec: {entries: [%s]}\n", name, entries)
}

type comparison struct {
	before, after tree
	policy        *policy.Policy
	inventory     render.Inventory
}

func (c comparison) run() *meaning.Diff {
	p := c.policy
	if p == nil {
		p = policy.Default()
		p.Rules = quiet()
	}
	before, after := meaning.Plans(meaning.Trees{Before: c.before.files(), After: c.after.files(), Policy: p, Inventory: c.inventory, Now: now})
	return meaning.Compare(meaning.Input{Before: before, After: after, Policy: p, Inventory: c.inventory, Now: now})
}

// quiet are the rules that these tests' addresses and brevity offend.
func quiet() map[string]string {
	return map[string]string{"special-range": "off", "node-egress-missing": "off"}
}

func compare(before, after tree) *meaning.Diff { return comparison{before: before, after: after}.run() }

func mustPolicy(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, problems := policy.ParsePolicy([]byte("apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nrules: {special-range: off, node-egress-missing: off}\n"+text), lint.Changeable)
	if len(problems) > 0 {
		t.Fatalf("the test's policy: %+v", problems)
	}
	return p
}

// only is the one cluster that a change concerns.
func only(t *testing.T, d *meaning.Diff) meaning.Cluster {
	t.Helper()
	if len(d.Clusters) != 1 {
		t.Fatalf("concerns %d clusters, want 1: %+v", len(d.Clusters), d.Clusters)
	}
	return d.Clusters[0]
}

func prefixList(words string) []netip.Prefix {
	out := []netip.Prefix{}
	for _, w := range strings.Fields(words) {
		out = append(out, netip.MustParsePrefix(w))
	}
	return out
}
