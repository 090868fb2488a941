package source

import (
	"context"
	"fmt"
)

// FirstParent is the commit that another one was made on; empty for one that
// was made on none. A commit that is not in the mirror is ErrNotFound.
func (r *Repository) FirstParent(ctx context.Context, commit string) (string, error) {
	h, err := commitHash(commit)
	if err != nil {
		return "", err
	}
	parent := ""
	err = r.use(ctx, func(m *mirror) error {
		if err := m.present(h); err != nil {
			return err
		}
		c, err := m.commit(h)
		if err == nil && len(c.parents) > 0 {
			parent = c.parents[0].String()
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("source %s: parent of %s: %w", r.opts.Name, commit, err)
	}
	return parent, nil
}
