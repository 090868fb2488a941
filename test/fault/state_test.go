package fault_test

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestStateIsRemovedUnderIt takes the state away from the running command, and
// from one that is started again: drift is put right, the next commit comes
// through, and nothing opens.
func TestStateIsRemovedUnderIt(t *testing.T) {
	t.Parallel()
	p := set(t, 5, 0, stage.Options{})
	p.begin()
	before := p.writes()
	p.removeState()
	drifted := p.drift(0)
	p.await("drift to be put right", p.InForce(drifted, list(0)...))
	sha := p.push(1)
	p.awaitRestarting("the next commit", p.everywhere(1), p.noted(sha))
	p.needed(before, map[string]int{p.Own(drifted): 2}, 0)
	p.settle(1)

	p.must(p.Run.Stop(p.ctx))
	p.removeState()
	before = p.writes()
	p.start()
	sha = p.push(2)
	p.await("a commit after a start without state", p.everywhere(2), p.noted(sha))
	p.needed(before, nil, 0)
	p.settle(2)
}

// removeState deletes what is in the command's namespace, but for leases.
func (p *play) removeState() {
	p.t.Helper()
	var list corev1.ConfigMapList
	p.must(p.Seed.Client.List(p.ctx, &list, client.InNamespace(p.Namespace), client.MatchingLabels{"app.kubernetes.io/managed-by": "portcullis"}))
	if len(list.Items) == 0 {
		p.t.Fatal("there is no state to remove")
	}
	for i := range list.Items {
		p.must(p.Seed.Client.Delete(p.ctx, &list.Items[i]))
	}
}

// awaitRestarting waits as Kubernetes would: a command that ends by itself,
// because its state is not what it wrote, is started again.
func (p *play) awaitRestarting(what string, conditions ...func(context.Context) error) {
	p.t.Helper()
	p.must(stage.Await(p.ctx, what, patience, func(ctx context.Context) error {
		if gone := p.Run.Running(); gone != nil {
			return errors.Join(gone, p.Run.Kill(), p.Run.Start())
		}
		return all(conditions...)(ctx)
	}))
}
