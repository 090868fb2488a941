package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// ReadCommit is the same view of a folder in a commit of anybody's repository:
// what Snapshot would hold if the folder were Options.Path, with paths from
// there. It is for a repository that is somebody's own: nothing is mirrored,
// and no hash is checked.
func ReadCommit(ctx context.Context, from storer.EncodedObjectStorer, commit, folder, tenant string) (*Snapshot, ReadFunc, error) {
	h, err := commitHash(commit)
	if err != nil {
		return nil, nil, err
	}
	s := storerCommits{from}
	c, err := s.commit(h)
	if err != nil {
		return nil, nil, fmt.Errorf("read commit %s: %w", commit, err)
	}
	snap := &Snapshot{Commit: commit}
	root, err := find(s, c.tree, folder)
	if errors.Is(err, errNoFolder) {
		snap.Missing = true
		return snap, s.read, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find folder %q of %s: %w", folder, commit, err)
	}
	w := walker{ctx: ctx, from: s}
	top, err := w.top(root, "", tenant, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("read the files of %s: %w", commit, err)
	}
	snap.Files = top.files(nil)
	return snap, s.read, nil
}

// tree implements trees.
func (s storerCommits) tree(h plumbing.Hash) ([]treeEntry, error) {
	data, err := content(s.EncodedObjectStorer, plumbing.TreeObject, h, maxTree)
	if err != nil {
		return nil, err
	}
	return parseTree(h, data)
}

// size implements trees.
func (s storerCommits) size(h plumbing.Hash) (int64, error) { return s.EncodedObjectSize(h) }

// read is a ReadFunc.
func (s storerCommits) read(ctx context.Context, hash string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return content(s.EncodedObjectStorer, plumbing.BlobObject, plumbing.NewHash(hash), MaxFileSize)
}
