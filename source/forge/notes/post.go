package notes

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// maxRaces is how often a post is built anew because another writer was
// faster, before it is left to the outbox to come back later.
const maxRaces = 8

// Post writes all notes in one commit and pushes it: they are delivered
// together, or fail together. Only a check whose commit is no full hash is
// refused, alone.
func (f *Forge) Post(ctx context.Context, checks []forge.Check) []error {
	if len(checks) == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	texts, errs := f.wanted(checks)
	var err error
	if len(texts) > 0 {
		err = f.write(ctx, texts, message(checks))
	}
	for i := range errs {
		if errs[i] == nil {
			errs[i] = err
		}
	}
	return errs
}

// write builds and pushes until the remote has the notes. remade says that
// the cache was made anew already: what still fails is not for damage.
func (f *Forge) write(ctx context.Context, texts map[string]string, message string) error {
	remade := false
	for range maxRaces {
		if err := f.ready(ctx); err != nil {
			return err
		}
		base, next, err := f.build(texts, message)
		if err == nil {
			if base == next {
				return nil
			}
			if err = f.push(ctx, base, next); err == nil {
				return nil
			}
			again, cause := f.overtaken(ctx, base, err)
			if again {
				continue
			}
			if err = cause; forbidden(cause) {
				return cause
			}
		}
		if remade || ctx.Err() != nil || f.remake(ctx) != nil {
			return err
		}
		f.opts.Log.Info("made the cache of notes anew in case it was damaged", "dir", f.opts.Dir, "error", err.Error())
		remade = true
	}
	return fmt.Errorf("push %s: another writer was faster %d times in a row", f.ref, maxRaces)
}

// build makes the commit that sets the notes. It is the base itself where all
// stand already.
func (f *Forge) build(texts map[string]string, message string) (base, next plumbing.Hash, err error) {
	base, err = f.head()
	if err != nil {
		return base, base, err
	}
	commit := object.Commit{Author: f.author(), Committer: f.author(), Message: message}
	var before plumbing.Hash
	if !base.IsZero() {
		parent, err := f.repo.CommitObject(base)
		if err != nil {
			return base, base, fmt.Errorf("read commit %s of the notes: %w", base, err)
		}
		before, commit.ParentHashes = parent.TreeHash, []plumbing.Hash{base}
	}
	commit.TreeHash, err = setNotes(f.repo.Storer, before, texts)
	if err != nil || commit.TreeHash == before {
		return base, base, err
	}
	next, err = store(f.repo.Storer, commit.Encode)
	if err != nil {
		return base, base, fmt.Errorf("store a commit of notes: %w", err)
	}
	return base, next, nil
}

// forbidden tells whether the host's answer is about rights, which making the
// cache anew does not mend.
func forbidden(err error) bool {
	_, ok := errors.AsType[forge.RetryAfterError](err)
	return ok
}
