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
	return data, err
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

// size implements trees. A file that is nowhere to be found while the pack has
// some whose names are not known, is one of those: they are over every limit.
func (v pullView) size(h plumbing.Hash) (size int64, err error) {
	size, ok, err := v.p.pack.size(h)
	if ok || err != nil {
		return size, err
	}
	err = v.mirrored(h, func(m *mirror) (err error) {
		size, err = m.size(h)
		return err
	})
	if errors.Is(err, ErrNotFound) && v.p.pack.hides() {
		return maxPullObject + 1, nil
	}
	return size, err
}
