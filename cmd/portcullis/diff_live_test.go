package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// With a real seed, what no list had before is compared with what is live, a
// selector is the clusters that it picks, and what KKP adds counts.
func TestDiffAndExplainLive(t *testing.T) {
	t.Parallel()
	s := newLiveSeed(t)
	s.create(t, "shopprod01", "acmeproj01", kkp.WithName("shop"), kkp.WithList("203.0.113.0/24", "198.51.100.0/28"))
	s.create(t, "shopopen01", "acmeproj01", kkp.WithName("demo"))
	s.create(t, "globexprod", "globexproj", kkp.WithList("10.0.0.0/8"))
	dir := t.TempDir()
	policy := writeFile(t, filepath.Join(dir, "policy.yaml"), livePolicy+"rules: {special-range: off, node-egress-missing: off}\n")
	tenants := filepath.Join(dir, "tenants")
	file := filepath.Join(tenants, "acme", "a.yaml")
	writeFile(t, filepath.Join(tenants, "README.md"), "Tenants' files.\n")
	inGit(t, dir, "init", "-q", "-b", "main")
	inGit(t, dir, "add", "tenants")
	inGit(t, dir, "commit", "-q", "-m", "first")
	seed := []string{"-C", tenants, "--live", "--kubeconfig", s.kubeconfig, "--seed-resource", "kubermatic/eu-west", "--policy", policy}

	writeFile(t, file, "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: all}\nspec: {clusterSelector: {}, nodeEgress: none, entries: [{cidr: 203.0.113.0/25}]}\n")
	out := command(t, 1, slices.Concat([]string{"diff", "--exit-code"}, seed)...)
	contains(t, out, "1 cluster losing access, 1 cluster newly restricted, 1 cluster gaining access\n",
		"shop (shopprod01) of tenant acme on eu-west",
		"    loses 198.51.100.0/28, 203.0.113.128/25: from no file\n",
		"    gains 192.0.2.0/28: platform, NOC\n",
		"demo (shopopen01) of tenant acme on eu-west",
		"    restricted from now on; open before\n",
		"198.51.100.240/28 (the Seed's own)")
	if strings.Contains(out, "globex") || strings.Contains(out, "not known here") {
		t.Errorf("says too much:\n%s", out)
	}

	contains(t, command(t, 0, slices.Concat([]string{"explain", "shopprod01", "203.0.113.7"}, seed)...), "shop (shopprod01) on eu-west: 203.0.113.7 is let in, for good\n")
	contains(t, command(t, 0, slices.Concat([]string{"explain", "shop", "203.0.113.7"}, seed)...), "shop (shopprod01) on eu-west: 203.0.113.7 is let in, for good\n")
	contains(t, command(t, 0, slices.Concat([]string{"explain", "shopprod01", "198.51.100.241"}, seed)...), "by 198.51.100.240/28: the Seed's own")
	contains(t, command(t, 1, slices.Concat([]string{"explain", "shopprod01", "203.0.113.200"}, seed)...), "is not let in\n", "nearest: 203.0.113.0/25")
	contains(t, command(t, 0, slices.Concat([]string{"explain", "globexprod", "10.1.2.3"}, seed)...), "note: this is by the list that the cluster carries, which is in no file\n")
	command(t, 2, slices.Concat([]string{"explain", "nosuch0001", "10.1.2.3"}, seed)...)
}
