package source

import (
	"context"
	"fmt"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// maxHaves is how many commits are named to the server as known, so that it
// sends only what is new even where the branch was moved a little back.
const maxHaves = 256

// Poll asks the remote once where the branch is, fetches what is missing, and
// returns that commit. With nothing new it is one request: a listing of the
// remote's refs, or where there are many, of those that matter. Whatever fails,
// the mirror stays as it was. The time limits are those of Options.Timeout.
func (r *Repository) Poll(ctx context.Context) (head string, err error) {
	ctx, longer, stop := r.remote.bound(ctx)
	defer stop()
	r.net.Lock()
	defer r.net.Unlock()
	r.attempt(false)
	h, err := r.poll(ctx, longer)
	if err != nil {
		r.sight.left = 0
		return "", fmt.Errorf("source %s: %w", r.opts.Name, err)
	}
	return h.String(), nil
}

func (r *Repository) poll(ctx context.Context, longer func()) (plumbing.Hash, error) {
	l, adv, head, err := r.where(ctx)
	if err != nil {
		return head, err
	}
	defer l.close()
	behind, err := r.compare(head)
	switch {
	case isDamage(err):
		r.say(err)
		longer()
		return head, r.clone(l, adv, head)
	case err != nil || !behind:
		return head, err
	}
	err = r.fetch(l, adv, head)
	if isDamage(err) {
		r.say(err)
		return head, r.again(ctx, longer)
	}
	if err != nil {
		return head, err
	}
	r.thin(ctx, longer)
	return head, nil
}

// say tells why the mirror is made anew; the first time there is no why.
func (r *Repository) say(why error) {
	if _, err := os.Stat(r.path(mirrorDir)); err == nil {
		r.opts.Log.Error(why, "mirror cannot be used and is made anew", "source", r.opts.Name)
	}
}

// where asks the remote for the branch. The caller closes the link.
func (r *Repository) where(ctx context.Context) (*link, *packp.AdvRefs, plumbing.Hash, error) {
	l, err := r.remote.dial(ctx, uploadPack)
	if err != nil {
		return nil, nil, plumbing.ZeroHash, err
	}
	adv, heads, ok := r.glance(l)
	if !ok {
		if adv, heads, err = l.pulls(r.opts.Pulls, r.Pulls().Len()); err != nil {
			l.close()
			return nil, nil, plumbing.ZeroHash, err
		}
		r.sight.listed(adv, heads)
	}
	head, ok := adv.References["refs/heads/"+r.opts.Branch]
	if !ok {
		l.close()
		return nil, nil, head, l.fail(fmt.Sprintf("find branch %q of", r.opts.Branch), ErrNoBranch)
	}
	r.notePulls(heads)
	return l, adv, head, nil
}

// compare tells whether the mirror lacks head. If it does not, head is noted.
func (r *Repository) compare(head plumbing.Hash) (behind bool, err error) {
	_, err = r.try(func(m *mirror) error {
		ok, err := m.has(head)
		if err != nil {
			return err
		}
		if behind = !ok; behind {
			return m.sound()
		}
		if err := m.check(head); err != nil {
			return err
		}
		return m.note(head)
	})
	return behind, err
}

func (m *mirror) note(head plumbing.Hash) error {
	if at, err := m.ref(headRef); err != nil || at == head {
		return err
	}
	return m.setRef(headRef, head)
}

// fetch adds what is new to the mirror.
func (r *Repository) fetch(l *link, adv *packp.AdvRefs, head plumbing.Hash) error {
	var haves []plumbing.Hash
	if _, err := r.try(func(m *mirror) (err error) {
		haves, err = m.haves(l.ctx)
		return err
	}); err != nil {
		return l.fail("prepare a fetch from", err)
	}
	m, err := receive(l, adv, r.path(mirrorDir), head, haves)
	if err != nil {
		return l.fail("fetch from", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// The ref only now, for readers of the old view would take a head that they
	// cannot see for damage.
	if err := m.setRef(headRef, head); err != nil {
		return l.fail("fetch from", err)
	}
	r.m, r.gone = m, map[plumbing.Hash]int{}
	r.opts.Log.V(1).Info("fetched", "source", r.opts.Name, "commit", head.String())
	return nil
}

// haves are the newest commits of the mirror.
func (m *mirror) haves(ctx context.Context) ([]plumbing.Hash, error) {
	var out []plumbing.Hash
	for _, name := range []string{headRef, acceptedRef} {
		h, err := m.ref(name)
		if err != nil {
			return nil, err
		}
		if h.IsZero() {
			continue
		}
		room := maxHaves / 2
		err = walk(ctx, m, h, func(h plumbing.Hash) bool {
			out = append(out, h)
			room--
			return room == 0
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// receive takes a pack into the mirror in dir. The view that is returned sees
// head; no ref leads there yet.
func receive(l *link, adv *packp.AdvRefs, dir string, head plumbing.Hash, haves []plumbing.Hash) (*mirror, error) {
	pack, err := l.transfer(adv, []plumbing.Hash{head}, haves)
	if err != nil {
		return nil, err
	}
	defer pack.Close()
	remove, err := view(dir).addPack(l.ctx, pack)
	if err != nil {
		return nil, err
	}
	m, err := reopened(dir)
	if err != nil {
		remove()
		return nil, err
	}
	defer m.close()
	if err := m.check(head); err != nil {
		remove()
		return nil, fmt.Errorf("%w: its pack lacks %s", ErrUnavailable, head)
	}
	return m, nil
}

// reopened is a new view of a mirror, of which the old may have hidden that
// files were lost in the meantime: it had them in memory.
func reopened(dir string) (*mirror, error) {
	m, err := openMirror(dir)
	if err != nil {
		return nil, err
	}
	defer m.close()
	return m, m.sound()
}
