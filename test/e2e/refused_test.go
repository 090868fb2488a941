package e2e_test

import (
	"context"
	"errors"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// refusal is what KKP is made to say. It has nothing to do with lists.
const refusal = "spec.cniPlugin: Invalid value: this version is not supported any more"

// TestOneClusterRefusedByKKP has every write to one cluster refused, as KKP's
// webhook does where it no longer likes something in the object.
func TestOneClusterRefusedByKKP(t *testing.T) {
	t.Parallel()
	p, _ := begin(t, stage.Options{})
	lift := p.refuse(stage.ShopDev)
	sha := p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	want := append(stage.StagingList(), "192.0.2.96/28")
	p.await("the other cluster of the same file", p.InForce(stage.ShopStaging, want...))
	p.await("the check", p.Noted(sha, stage.Failure, "shop-dev ("+stage.ShopDev+"): Rejected", refusal))
	p.holds(p.InForce(stage.ShopDev, stage.StagingList()...))

	next := p.edit(stage.GlobexProject+"/api.yaml", "192.0.2.128/28", "192.0.2.160/27")
	p.await("another tenant's commit", p.Noted(next, stage.Success))

	lift() // and somebody mends the cluster, which is when it is tried again
	p.must(kkp.Update(p.ctx, p.Seed.Client, p.Own(stage.ShopDev), kkp.WithDatacenter("dc-2")))
	p.await("the list, once KKP takes it", p.InForce(stage.ShopDev, want...), p.Noted(sha, stage.Success))
}

// refuse installs a policy against writes to a cluster, and answers what takes
// it away again; both wait until that is so.
func (p *play) refuse(id string) (lift func()) {
	p.t.Helper()
	name := "refuse-" + p.Own(id)
	policy := &admissionv1.ValidatingAdmissionPolicy{}
	policy.Name = name
	policy.Spec.MatchConstraints = &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
		ResourceNames: []string{p.Own(id)},
		RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.Update},
			Rule:       admissionv1.Rule{APIGroups: []string{"kubermatic.k8c.io"}, APIVersions: []string{"v1"}, Resources: []string{"clusters"}},
		},
	}}}
	policy.Spec.Validations = []admissionv1.Validation{{Expression: "false", Message: refusal}}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{}
	binding.Name = name
	binding.Spec.PolicyName = name
	binding.Spec.ValidationActions = []admissionv1.ValidationAction{admissionv1.Deny}
	c := p.Seed.Client
	p.must(errors.Join(c.Create(p.ctx, policy), c.Create(p.ctx, binding)))
	p.await("the refusal", func(ctx context.Context) error { return p.tried(ctx, id, true) })
	return func() {
		p.t.Helper()
		p.must(errors.Join(c.Delete(p.ctx, binding), c.Delete(p.ctx, policy)))
		p.await("the end of the refusal", func(ctx context.Context) error { return p.tried(ctx, id, false) })
	}
}

// tried fails unless a write to the cluster, as a dry run, is refused or not.
func (p *play) tried(ctx context.Context, id string, refused bool) error {
	cluster, err := p.Cluster(ctx, id)
	if err != nil {
		return err
	}
	kkp.WithLabel("tried", "yes")(cluster)
	err = p.Seed.Client.Update(ctx, cluster, client.DryRunAll)
	switch {
	case refused && (apierrors.IsInvalid(err) || apierrors.IsForbidden(err)):
		return nil
	case refused:
		return errors.Join(errors.New("it is not refused"), err)
	}
	return err
}
