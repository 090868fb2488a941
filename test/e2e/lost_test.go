package e2e_test

import (
	"net/http"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestNothingOpensWhateverIsLost empties the repository, hides it, and takes
// its branch away.
func TestNothingOpensWhateverIsLost(t *testing.T) {
	t.Parallel()
	p, _ := begin(t, stage.Options{})
	initech := stage.InitechProject + "/everything.yaml"
	kept := func() {
		t.Helper()
		p.holds(p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.ShopDev, stage.StagingList()...),
			p.InForce(stage.Billing, stage.BillingList()...), p.HasList(stage.Edge, stage.InitechList()...))
	}
	all := []string{"acme/groups.yaml", "acme/production.yaml", "acme/staging.yaml", stage.GlobexProject + "/api.yaml", initech}
	files := map[string]string{}
	for _, path := range all {
		content, err := p.Read(path)
		p.must(err)
		files[path] = content
	}
	sha := p.push(stage.Commit{Message: "Remove all there is", Remove: all})
	p.await("the check", p.Noted(sha, stage.Failure, "removed-allowlist", "tenants/acme/production.yaml:1:1", "tenants/"+initech+":1:1"))
	kept()

	p.HTTP.Meter.Answer(http.NotFoundHandler()) // the host says that there is no repository
	p.morePolls(2)
	kept()
	p.stop()
	p.start() // nor does a start without it open anything
	p.morePolls(1)
	p.must(p.Dashboard(p.ctx, stage.ShopProd, "0.0.0.0/0"))
	p.await("drift to be put right all the same", p.InForce(stage.ShopProd, stage.ProdList()...))
	kept()

	p.HTTP.Meter.Answer(nil)
	p.must(p.Branch(p.ctx, "elsewhere")) // and now the branch is gone
	p.morePolls(2)
	kept()

	sha = p.push(stage.Commit{Message: "Bring it all back", Write: files})
	p.await("the check of what is back", p.Noted(sha, stage.Failure, "unsupported-expose-strategy", "shop-prod ("+stage.ShopProd+"): Synced"))
	kept()
	sha = p.edit("acme/production.yaml", "192.0.2.77", "192.0.2.78")
	p.await("the next change", p.Noted(sha, stage.Success))
}
