package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// pullView reads what a pull request brought, and from the mirror what it did
// not need to bring.
type pullView struct {
	ctx context.Context
	p   *Pull
}

func (p *Pull) view(ctx context.Context) pullView { return pullView{ctx, p} }

func (v pullView) object(kind plumbing.ObjectType, h plumbing.Hash, limit int64) ([]byte, error) {
	data, ok, err := v.p.pack.read(kind, h, limit)
	if ok || err != nil {
		return data, err
	}
	err = v.mirrored(h, func(m *mirror) (err error) {
		data, err = m.read(kind, h, limit)
		return err
	})
	if v.hidden(err) {
		err = fmt.Errorf("%s %s: %w", kind, h, &TooLargeError{"bytes in a " + kind.String(), limit})
	}
	return data, err
}

// hidden tells whether what is nowhere to be found may be among those objects
// of the pack whose names are not known. They are over every limit.
func (v pullView) hidden(err error) bool {
	return errors.Is(err, ErrNotFound) && v.p.pack.hides()
}

// mirrored reads an object of the mirror, which is held for no longer than
// that. An object that is not there, or of another kind than a pull request
// takes it for, is the pull request's fault: the mirror is not made anew for
// its sake.
func (v pullView) mirrored(h plumbing.Hash, read func(*mirror) error) error {
	return v.p.repo.use(v.ctx, func(m *mirror) error {
		ok, err := m.has(h)
		if err == nil && !ok {
			return fmt.Errorf("object %s: %w", h, ErrNotFound)
		}
		if err == nil {
			err = read(m)
		}
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			return fmt.Errorf("%w: object %s is of another kind", ErrMalformed, h)
		}
		return err
	})
}

// commit implements commits.
func (v pullView) commit(h plumbing.Hash) (commitHead, error) {
	data, err := v.object(plumbing.CommitObject, h, maxCommit)
	if err != nil {
		return commitHead{}, err
	}
	c, err := parseCommit(h, data)
	if err != nil {
		return commitHead{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return c, nil
}

// tree implements trees.
func (v pullView) tree(h plumbing.Hash) ([]treeEntry, error) {
	data, err := v.object(plumbing.TreeObject, h, maxTree)
	if err != nil {
		return nil, err
	}
	return parseTree(h, data)
}

// size implements trees.
func (v pullView) size(h plumbing.Hash) (size int64, err error) {
	size, ok, err := v.p.pack.size(h)
	if ok || err != nil {
		return size, err
	}
	err = v.mirrored(h, func(m *mirror) (err error) {
		size, err = m.size(h)
		return err
	})
	if v.hidden(err) {
		return maxPullObject + 1, nil
	}
	return size, err
}
