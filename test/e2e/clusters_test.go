package e2e_test

import (
	"slices"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

const theField = "f:spec.f:apiServerAllowedIPRanges.f:cidrBlocks"

func TestFieldManagerOwnsTheListAndNothingElse(t *testing.T) {
	t.Parallel()
	p, _ := begin(t, stage.Options{})
	for _, id := range []string{stage.ShopProd, stage.ShopStaging, stage.Billing, stage.Edge} {
		owned, applied, err := p.Owned(p.ctx, id, "portcullis")
		p.must(err)
		if !slices.Equal(owned, []string{theField}) || !applied {
			t.Errorf("%s: portcullis owns %q, by server-side apply: %t", id, owned, applied)
		}
	}
}

func TestEmptyListOfTheDashboardIsAdopted(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	p.populate()
	p.must(p.Dashboard(p.ctx, stage.ShopProd))
	p.holds(p.HasList(stage.ShopProd))
	p.start()
	p.await("the list", p.InForce(stage.ShopProd, stage.ProdList()...))
	owned, _, err := p.Owned(p.ctx, stage.ShopProd, kkp.DashboardManager)
	p.must(err)
	if slices.Contains(owned, theField) {
		t.Error("the dashboard still owns the list")
	}
	// A save of the very same list takes the ownership away, and it comes back.
	p.must(p.Dashboard(p.ctx, stage.ShopProd))
	p.await("the list, once more", p.InForce(stage.ShopProd, stage.ProdList()...))
}

// TestClusterMadeAnewByAnotherProject takes a name over: the file that names it
// is not its project's.
func TestClusterMadeAnewByAnotherProject(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	p.must(p.Delete(p.ctx, stage.ShopDev))
	p.must(p.Create(p.ctx, stage.Cluster{ID: stage.ShopDev, Project: stage.GlobexProject, Name: "ours now"}))
	sha := p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	p.await("the other cluster's list", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...))
	p.await("the check", p.Noted(sha, stage.Failure, p.place("acme/staging.yaml", stage.ShopDev)+": error[foreign-cluster]"))
	p.morePolls(2)
	p.holds(p.Absent(stage.ShopDev))
	p.stop() // nor does it come with a restart
	p.start()
	p.morePolls(2)
	p.holds(p.Absent(stage.ShopDev))
}

const openDev = `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: dev}
spec:
  seed: eu-west
  clusters: [` + stage.ShopDev + `]
  access: open
`

func TestAccessOpen(t *testing.T) {
	t.Parallel()
	for name, permitted := range map[string]bool{"permitted": true, "not permitted": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := begin(t, stage.Options{Policy: func(d stage.Document) { d["allowOpen"] = permitted }})
			staging, err := p.Replace("acme/staging.yaml", "    - "+stage.ShopDev+"   # shop-dev\n", "")
			p.must(err)
			sha := p.push(stage.Commit{Message: "Open shop-dev", Write: map[string]string{
				"acme/staging.yaml": staging, "acme/dev.yaml": openDev}})
			if permitted {
				p.await("the open cluster", p.Absent(stage.ShopDev), p.Noted(sha, stage.Success))
				ranges, err := p.Ranges(p.ctx, stage.ShopDev)
				p.must(err)
				if len(ranges) != 0 {
					t.Errorf("the load balancer lets in %q only", ranges)
				}
			} else {
				p.await("the check", p.Noted(sha, stage.Failure, "error[open-not-allowed]", p.place("acme/dev.yaml", "open")))
				p.morePolls(2)
				p.holds(p.InForce(stage.ShopDev, stage.StagingList()...))
			}
			p.holds(p.InForce(stage.ShopStaging, stage.StagingList()...))
		})
	}
}
