package stage

import (
	"context"
	"fmt"
	"time"

	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// Await is the function of that name, and fails at once where the command has
// ended by itself.
func (s *Stage) Await(ctx context.Context, what string, patience time.Duration, condition func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := Await(ctx, what, patience, func(ctx context.Context) error {
		if err := s.Run.Running(); err != nil {
			cancel(err)
		}
		return condition(ctx)
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// Switch moves a cluster to another expose strategy, as KKP's operators do.
func (s *Stage) Switch(ctx context.Context, id, strategy string) error {
	return kkp.SwitchStrategy(ctx, s.Seed.Client, s.names.own(id), strategy)
}

// Dashboard is a save in KKP's dashboard, with this list.
func (s *Stage) Dashboard(ctx context.Context, id string, cidrs ...string) error {
	return kkp.DashboardWrite(ctx, s.Seed.Client, s.names.own(id), cidrs)
}
