package main

import (
	"context"
	"path"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
)

// find takes up the lists that a source had on its clusters before this process
// began, see render.Find. As long as the accepted commit cannot be read, because
// there is no mirror and Git has not answered, they are what is wanted; and what
// the commit's files do not claim, for the Config or the policy became another
// while nobody ran, is held. Clusters that do not show their list are left
// alone at first: mostly Git answers at once. After the first poll without the
// accepted commit they are told of.
func (r *reconciler) find(ctx context.Context, f *follower) {
	state := f.known()
	if state.Accepted == "" || len(state.Kept) == 0 {
		return
	}
	inventory, err := r.controller.Inventory(ctx)
	if err != nil {
		f.log.Error(err, "Cannot look for the lists that were kept")
		return
	}
	found := render.Find(state.Kept, home(f.conf.Name, state), inventory, f.loaded || f.silent)
	known, unknown := found.Found(f.conf.Name)
	r.base = found.With(r.base) // what was found before is the better list
	switch {
	case f.loaded:
	case unknown > 0:
		f.log.Error(nil, "Some lists were changed while this process did not run; what belongs there is not known before the accepted commit can be read", "clusters", unknown)
	case !f.silent:
		f.log.Info("Keeping the lists as they are on the clusters until the accepted commit can be read", "clusters", known)
	}
}

// silence notes that a poll did not bring the accepted commit: Git is away, or
// its branch was rewound.
func (r *reconciler) silence(ctx context.Context, f *follower) {
	if f.loaded || f.silent {
		return
	}
	f.silent = true
	r.find(ctx, f)
	r.replan(ctx)
}

// home says where a tenant's files were when they were accepted.
func home(source string, state apply.SourceState) func(tenant string) render.Claim {
	return func(tenant string) render.Claim {
		where := state.Path
		if state.Tenant == "" {
			where = path.Join(state.Path, tenant)
		}
		return render.Claim{Source: source, Tenant: tenant, Path: where}
	}
}
