package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// away is a seed that does not answer.
type away struct {
	client.Client
	asked int
}

func (a *away) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	a.asked++
	return errors.New("away")
}

func (a *away) List(context.Context, client.ObjectList, ...client.ListOption) error {
	a.asked++
	return errors.New("away")
}

// A seed that does not answer is not asked again before the pause is over, by
// the reconciler's own clock, and what was read before is shown meanwhile.
func TestStandbyPausesBetweenReads(t *testing.T) {
	t.Parallel()
	now, seed := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), &away{}
	s := &standby{r: &reconciler{config: &policy.Config{Seed: "s"}, now: func() time.Time { return now }}, store: apply.NewStore(seed, "portcullis", "s")}
	first := &console.World{At: now}
	s.last.Store(first)
	for i, step := range []struct {
		after time.Duration
		read  bool
	}{{0, true}, {standbyEvery - time.Second, false}, {time.Second, true}, {0, false}, {2 * standbyWait, true}} {
		now = now.Add(step.after)
		seed.asked = 0
		if s.current() != first {
			t.Errorf("step %d: what was read before is lost", i)
		}
		if read := seed.asked > 0; read != step.read {
			t.Errorf("step %d: read %t, want %t", i, read, step.read)
		}
	}
}
