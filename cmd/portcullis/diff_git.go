package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/portcullis-gitops/portcullis/source"
)

// gitFolder is a folder in a work tree of somebody's repository, whose commits
// are read and nothing else.
type gitFolder struct {
	repository *git.Repository
	below      string // the folder, from the repository's root; empty for the root
}

func openGit(dir string) (*gitFolder, error) {
	real, err := realPath(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", dir, err)
	}
	r, err := git.PlainOpenWithOptions(real, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if err != nil {
		return nil, fmt.Errorf("open the Git repository of %s: %w", dir, err)
	}
	tree, err := r.Worktree()
	if err != nil {
		return nil, fmt.Errorf("open the work tree of %s: %w", dir, err)
	}
	root, err := realPath(tree.Filesystem.Root())
	if err != nil {
		return nil, fmt.Errorf("open the work tree of %s: %w", dir, err)
	}
	below, err := filepath.Rel(root, real)
	if err != nil {
		return nil, fmt.Errorf("find %s in its repository: %w", dir, err)
	}
	return &gitFolder{r, strings.TrimPrefix(filepath.ToSlash(below), ".")}, nil
}

func realPath(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

func (g *gitFolder) commit(name string) (*object.Commit, error) {
	hash, err := g.repository.ResolveRevision(plumbing.Revision(name))
	if errors.Is(err, io.EOF) { // go-git's word for an ancestor before the first commit
		return nil, fmt.Errorf("find commit %q: its history does not go back that far", name)
	}
	if err != nil {
		return nil, fmt.Errorf("find commit %q: %w", name, err)
	}
	c, err := g.repository.CommitObject(*hash)
	if err != nil {
		return nil, fmt.Errorf("read commit %q: %w", name, err)
	}
	return c, nil
}

// snapshot is the folder as it was at a commit, by the rules of
// source.Snapshot. It is empty where the commit has no such folder.
func (g *gitFolder) snapshot(ctx context.Context, c *object.Commit, tenant string) (*source.Snapshot, source.ReadFunc, error) {
	return source.ReadCommit(ctx, g.repository.Storer, c.Hash.String(), g.below, tenant)
}
