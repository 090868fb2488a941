package notes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

const (
	// maxPosts is after how many posts the cache is made anew: each leaves a
	// few small files, which the remote sends back as one pack.
	maxPosts = 1000
	// filesPerPost: a blob, a folder, the root and the commit.
	filesPerPost = 4
)

// ready opens the cache and compares it with the remote, where that was not
// done yet.
func (f *Forge) ready(ctx context.Context) error {
	if f.repo == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	if f.fresh && f.posts < maxPosts {
		return nil
	}
	if f.posts >= maxPosts {
		f.opts.Log.V(1).Info("making the cache of notes anew, it holds many small files", "dir", f.opts.Dir)
		f.posts = 0
		if f.remake(ctx) == nil {
			return nil
		}
	}
	err := f.fetch(ctx, f.repo)
	if err != nil && ctx.Err() == nil && !forbidden(err) && f.remake(ctx) == nil {
		f.opts.Log.Info("cache of notes could not be used and was made anew", "dir", f.opts.Dir, "error", err.Error())
		return nil
	}
	f.fresh = err == nil
	return err
}

// open opens the folder, or makes it where it is none.
func (f *Forge) open() error {
	repo, err := git.Open(folder(f.opts.Dir), nil)
	if err == nil {
		f.repo, f.fresh, f.posts = repo, false, looseFiles(f.opts.Dir)/filesPerPost
		return nil
	}
	if !errors.Is(err, git.ErrRepositoryNotExists) {
		f.opts.Log.Info("cache of notes cannot be opened and is made anew", "dir", f.opts.Dir, "damage", err.Error())
	}
	repo, err = create(f.opts.Dir)
	if err != nil {
		return err
	}
	f.repo, f.fresh, f.posts = repo, false, 0
	return nil
}

// create makes an empty repository in place of whatever is there.
func create(dir string) (*git.Repository, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("make the cache of notes: %w", err)
	}
	repo, err := git.Init(folder(dir), nil)
	if err != nil {
		return nil, fmt.Errorf("make the cache of notes in %s: %w", dir, err)
	}
	return repo, nil
}

// folder is that of the cache. What it keeps in memory of what it read is
// bounded: every post reads the folders of all notes, and go-git's own bound is
// 96 MiB.
func folder(dir string) *filesystem.Storage {
	return filesystem.NewStorage(osfs.New(dir), cache.NewObjectLRU(4*cache.MiByte))
}

func looseFiles(dir string) int {
	files, _ := filepath.Glob(filepath.Join(dir, "objects", "??", "*")) // only a wrong pattern is an error
	return len(files)
}

// remake fetches all into a new folder and puts that in the old one's place;
// where the remote does not answer the old one stays.
func (f *Forge) remake(ctx context.Context) error {
	next := f.opts.Dir + ".new"
	repo, err := create(next)
	if err != nil {
		return err
	}
	if err := f.fetch(ctx, repo); err != nil {
		return errors.Join(err, os.RemoveAll(next))
	}
	f.repo, f.fresh = nil, false
	if err := errors.Join(os.RemoveAll(f.opts.Dir), os.Rename(next, f.opts.Dir)); err != nil {
		return fmt.Errorf("make the cache of notes anew: %w", err)
	}
	if err := f.open(); err != nil {
		return err
	}
	f.fresh = true
	return nil
}

// fetch makes the local ref what the remote's is; it is removed where the
// remote has none.
func (f *Forge) fetch(ctx context.Context, repo *git.Repository) error {
	err := f.opts.Remote.Fetch(ctx, repo, config.RefSpec("+"+f.ref+":"+f.ref))
	switch {
	case err == nil, errors.Is(err, git.NoErrAlreadyUpToDate):
		return nil
	case errors.Is(err, git.NoMatchingRefSpecError{}), errors.Is(err, transport.ErrEmptyRemoteRepository):
		if err := repo.Storer.RemoveReference(f.ref); err != nil {
			return fmt.Errorf("forget notes that the remote does not have: %w", err)
		}
		return nil
	}
	err = fmt.Errorf("fetch %s: %w", f.ref, err)
	if unauthorized(err) {
		return forge.RetryAfterError{After: slowly, Err: err}
	}
	return err
}

// head is the commit that notes are built on; the zero hash if there is none.
func (f *Forge) head() (plumbing.Hash, error) {
	ref, err := f.repo.Storer.Reference(f.ref)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return plumbing.ZeroHash, nil
	}
	if err != nil {
		return plumbing.ZeroHash, fmt.Errorf("read %s of the cache: %w", f.ref, err)
	}
	return ref.Hash(), nil
}
