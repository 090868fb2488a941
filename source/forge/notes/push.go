package notes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// slowly is how long nothing is pushed where the host does not let us: a
// person has to act.
const slowly = time.Minute

const remedy = "the credentials may need write access to refs/notes/*"

// push sends a commit without force: go-git refuses what does not descend from
// the remote's, and the host what moved in the meantime.
func (f *Forge) push(ctx context.Context, base, next plumbing.Hash) error {
	repo, err := view(f.repo, base)
	if err != nil {
		return fmt.Errorf("push %s: %w", f.ref, err)
	}
	err = f.opts.Remote.Push(ctx, repo, config.RefSpec(next.String()+":"+f.ref.String()))
	if err != nil && !errors.Is(err, git.NoErrAlreadyUpToDate) {
		f.fresh = false
		return fmt.Errorf("push %s: %w", f.ref, err)
	}
	f.posts++
	if err := f.repo.Storer.SetReference(plumbing.NewHashReference(f.ref, next)); err != nil {
		// The remote has it; the cache is compared before it is used again.
		f.fresh = false
	}
	return nil
}

// overtaken asks the remote after a push that failed: had another writer been
// faster, or was the answer to our own push lost, the post is to be built
// anew. Otherwise it answers what failed. It is not told by the
// host's words, as each has its own.
func (f *Forge) overtaken(ctx context.Context, base plumbing.Hash, failed error) (again bool, cause error) {
	if unauthorized(failed) {
		return false, forge.RetryAfterError{After: slowly, Err: fmt.Errorf("%w; %s", failed, remedy)}
	}
	if err := f.fetch(ctx, f.repo); err != nil {
		return false, failed
	}
	f.fresh = true
	if head, err := f.head(); err == nil && head != base {
		return true, nil
	}
	if busy(failed) {
		return true, nil
	}
	if declined(failed) {
		return false, forge.RetryAfterError{After: slowly, Err: fmt.Errorf("%w; %s", failed, remedy)}
	}
	return false, failed
}

func unauthorized(err error) bool {
	return errors.Is(err, transport.ErrAuthorizationFailed) || errors.Is(err, transport.ErrAuthenticationRequired)
}

// declined tells whether the host took the pack and said no to the ref. Where
// go-git pushes there is no type for that (packp.CommandStatus). The exception is git's way of
// saying that the pack was not whole, which is the cache's fault.
func declined(err error) bool {
	if errors.Is(err, source.ErrRefused) {
		return true
	}
	return strings.Contains(err.Error(), "command error on") && !strings.Contains(err.Error(), "missing necessary objects")
}

// busy tells whether git said that another push holds the ref just now; it
// may be through only after we looked.
func busy(err error) bool {
	return declined(err) && (strings.Contains(err.Error(), "lock") || strings.Contains(err.Error(), "failed to update ref"))
}
