package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/revlist"
)

var errLeft = errors.New("it was tried in vain and is left to the next poll")

// renew makes the mirror anew for a reader, unless somebody else just has. It
// is tried once between two polls: many reads must not each wait for a host
// that does not answer.
func (r *Repository) renew(ctx context.Context, made int) error {
	ctx, longer, stop := r.remote.bound(ctx)
	defer stop()
	r.net.Lock()
	defer r.net.Unlock()
	r.mu.Lock()
	done, tried := r.made != made, r.tried
	r.mu.Unlock()
	switch {
	case done:
		return nil
	case tried:
		return fmt.Errorf("%w: %w", ErrUnavailable, errLeft)
	}
	err := r.again(ctx, longer)
	r.attempt(err != nil)
	return err
}

// attempt notes whether the mirror was tried to be made anew in vain.
func (r *Repository) attempt(failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried = failed
}

// again makes the mirror anew, for which longer gives the time once the remote
// has answered.
func (r *Repository) again(ctx context.Context, longer func()) error {
	l, adv, head, err := r.where(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	longer()
	return r.clone(l, adv, head)
}

// thin makes the mirror anew when packs have piled up: one is looked up in
// each of them. If it does not succeed, the old one is as good as before.
func (r *Repository) thin(ctx context.Context, longer func()) {
	if view(r.path(mirrorDir)).packs() <= r.opts.MaxPacks {
		return
	}
	if err := r.again(ctx, longer); err != nil {
		r.opts.Log.Error(err, "mirror has many packs and could not be made anew", "source", r.opts.Name)
	}
}

// clone makes a whole mirror beside the present one and puts it in its place.
func (r *Repository) clone(l *link, adv *packp.AdvRefs, head plumbing.Hash) error {
	dir := r.path(freshDir)
	if _, err := initMirror(dir); err != nil {
		return fmt.Errorf("make the mirror anew: %w", err)
	}
	fresh, err := receive(l, adv, dir, head, nil)
	if err == nil {
		err = fresh.setRef(headRef, head)
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return l.fail("clone", err)
	}
	if err := r.keep(l.ctx, fresh); err != nil {
		r.opts.Log.Error(err, "the accepted commit could not be kept", "source", r.opts.Name, "commit", r.pin.String())
	}
	if err := r.swap(); err != nil {
		return fmt.Errorf("put the new mirror in place: %w", err)
	}
	r.opts.Log.Info("mirror made", "source", r.opts.Name, "url", l.url, "commit", head.String())
	return nil
}

func (r *Repository) swap() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := os.RemoveAll(r.path(oldDir)); err != nil {
		return err
	}
	if err := os.Rename(r.path(mirrorDir), r.path(oldDir)); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.Rename(r.path(freshDir), r.path(mirrorDir)); err != nil {
		_ = os.Rename(r.path(oldDir), r.path(mirrorDir))
		return err
	}
	r.m = view(r.path(mirrorDir))
	r.made++
	_ = os.RemoveAll(r.path(oldDir)) // else when next opened
	return nil
}

// keep sees to it that the new mirror has the accepted commit: it came with
// the history, or the old mirror still has it, or the remote gives it away by
// its hash, as most do.
func (r *Repository) keep(ctx context.Context, fresh *mirror) error {
	r.mu.Lock()
	pin := r.pin
	r.mu.Unlock()
	if pin.IsZero() {
		return nil
	}
	if fresh.holds(pin) {
		return fresh.setRef(acceptedRef, pin)
	}
	_, err := r.try(func(old *mirror) error { return carry(ctx, old, fresh.dir, pin) })
	if err != nil {
		err = r.fetchLost(ctx, fresh.dir, pin)
	}
	if err != nil {
		return err
	}
	if fresh = view(fresh.dir); !fresh.holds(pin) {
		return fmt.Errorf("commit %s: %w", pin, ErrNotFound)
	}
	return fresh.setRef(acceptedRef, pin)
}

// holds tells whether a commit is there and can be read.
func (m *mirror) holds(h plumbing.Hash) bool {
	defer m.close()
	ok, err := m.has(h)
	return ok && err == nil && m.check(h) == nil
}

// carry copies all that a commit reaches from one mirror to another.
func carry(ctx context.Context, old *mirror, to string, h plumbing.Hash) (err error) {
	defer recovered("commit "+h.String(), &err)
	objects, err := revlist.Objects(old.sto, []plumbing.Hash{h}, nil)
	if err != nil {
		return err
	}
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		var err error
		defer func() { _ = w.CloseWithError(err) }()
		defer recovered("objects", &err)
		_, err = packfile.NewEncoder(w, old.sto, false).Encode(objects, packWindow)
	}()
	_, err = view(to).addPack(ctx, r)
	_ = r.Close()
	<-done // the old mirror is in use until then
	return err
}

// fetchLost asks for a commit that no branch need lead to any more.
func (r *Repository) fetchLost(ctx context.Context, to string, h plumbing.Hash) error {
	l, adv, _, err := r.where(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	pack, err := l.transfer(adv, []plumbing.Hash{h}, nil)
	if err != nil {
		return l.fail("fetch "+h.String()+" from", err)
	}
	defer pack.Close()
	_, err = view(to).addPack(ctx, pack)
	return err
}
