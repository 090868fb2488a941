package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestAnOfficeMovedWhileGitIsAway does what the operators' guide says: by the
// Policy, which counts while Git is away, and by a copy of the repository on
// another host, which the branch goes on from.
func TestAnOfficeMovedWhileGitIsAway(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	hosted := filepath.Join(filepath.Dir(p.Config), "host")
	p.must(os.Rename(filepath.Join(hosted, "allowlists.git"), filepath.Join(hosted, "copy.git")))

	policy, err := p.ReadPolicy()
	p.must(err)
	policy["groups"] = map[string]any{"noc": []any{
		map[string]any{"cidr": "192.0.2.16/28"}, map[string]any{"cidr": "198.51.100.80/32", "description": "the office tonight"}}}
	p.must(p.WritePolicy(policy))
	tonight := append(stage.ProdList(), "198.51.100.80/32")
	slices.Sort(tonight)
	p.await("the provider's group", p.InForce(stage.ShopProd, tonight...), p.InForce(stage.ShopStaging, stage.StagingList()...))

	p.stop()
	p.must(p.Reconfigure(func(d stage.Document) { d.Source()["url"] = strings.Replace(p.URL, "allowlists.git", "copy.git", 1) }))
	p.must(os.Symlink("copy.git", filepath.Join(hosted, "allowlists.git"))) // where this test pushes to
	p.start()
	sha := p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	p.await("the change on the copy", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...), p.Noted(sha, stage.Success))
	p.holds(p.InForce(stage.ShopProd, tonight...))
}
