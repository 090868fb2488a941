package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
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
	root, err := c.Tree()
	if err == nil && g.below != "" {
		root, err = root.Tree(g.below)
	}
	out := &source.Snapshot{Commit: c.Hash.String()}
	if errors.Is(err, object.ErrDirectoryNotFound) {
		out.Missing = true
		return out, g.read, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the files of %s: %w", c.Hash, err)
	}
	w := gitWalk{ctx: ctx, g: g, out: out, seen: map[string]int{}}
	if err := w.folder(root, "", tenant, tenant != "", 0); err != nil {
		return nil, nil, fmt.Errorf("read the files of %s: %w", c.Hash, err)
	}
	slices.SortFunc(out.Files, func(a, b source.Entry) int { return strings.Compare(a.Path, b.Path) })
	return out, g.read, nil
}

func (g *gitFolder) read(ctx context.Context, hash string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	blob, err := g.repository.BlobObject(plumbing.NewHash(hash))
	if err != nil {
		return nil, err
	}
	r, err := blob.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, source.MaxFileSize+1))
}

// maxGitDepth is how deep folders are followed: crafted trees can be endless.
const maxGitDepth = 64

// gitWalk goes through the trees of a commit.
type gitWalk struct {
	ctx  context.Context
	g    *gitFolder
	out  *source.Snapshot
	seen map[string]int // entries, by tenant
}

// folder reads one tree; named tells whether its tenant is known, else each
// folder in it is one.
func (w *gitWalk) folder(t *object.Tree, at, tenant string, named bool, depth int) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	for _, e := range t.Entries {
		if strings.HasPrefix(e.Name, ".") {
			continue
		}
		below, owner := path.Join(at, e.Name), tenant
		if !named && e.Mode == filemode.Dir {
			owner = e.Name
		}
		if w.seen[owner]++; depth > maxGitDepth || w.seen[owner] > source.MaxTenantEntries {
			return fmt.Errorf("%s: too many files and folders, or too deep", below)
		}
		if e.Mode != filemode.Dir {
			if err := w.entry(e, below, tenant); err != nil {
				return err
			}
			continue
		}
		sub, err := w.g.repository.TreeObject(e.Hash)
		if err != nil {
			return fmt.Errorf("read %s: %w", below, err)
		}
		if err := w.folder(sub, below, owner, true, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *gitWalk) entry(e object.TreeEntry, at, tenant string) error {
	out := source.Entry{Path: at, Tenant: tenant, Hash: e.Hash.String()}
	lower := strings.ToLower(e.Name)
	switch {
	case e.Mode == filemode.Submodule:
		out.Kind = source.Submodule
		w.out.Files = append(w.out.Files, out)
		return nil
	case !strings.Contains(lower, ".yaml") && !strings.Contains(lower, ".yml"):
		return nil
	}
	size, err := w.g.repository.Storer.EncodedObjectSize(e.Hash)
	if err != nil {
		return fmt.Errorf("read %s: %w", at, err)
	}
	out.Size = size
	if size > source.MaxFileSize {
		out.Kind = source.TooLarge
	}
	if e.Mode == filemode.Symlink {
		out.Kind = source.Symlink
	}
	w.out.Files = append(w.out.Files, out)
	return nil
}
