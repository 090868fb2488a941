package source

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
)

// Pull is what one pull request brings, beside the mirror and never in it: its
// objects are in memory and gone when it is closed. What it holds was written
// by anybody: nothing of it is checked out, followed or run, and everything is
// read within bounds (see MaxPullBytes and its neighbours).
//
//	pull, err := repo.Pull(ctx, 7, head)   // one ls-remote and one fetch of what is new
//	defer pull.Close()
//	laid, err := pull.Lay(ctx, target)     // over a commit of the mirror, any number of times
//	text, err := pull.Read(ctx, hash)      // a file of laid.Snapshot
//
// It is safe for concurrent use. Fetching takes up to 150 MiB of memory at the
// bounds, and a few kilobytes as a rule; so fetch one at a time.
type Pull struct {
	repo   *Repository
	number int
	head   plumbing.Hash
	pack   *pack
}

// Pull fetches what the head of a pull request has and the mirror has not. The
// head is one that Pulls or the forge told; is it another by now, that is
// ErrMoved, and ErrNoPull where there is none. A head that is in the mirror
// takes no request. What is over a bound is a *TooLargeError. The poll is not
// held up meanwhile.
func (r *Repository) Pull(ctx context.Context, number int, head string) (*Pull, error) {
	h, err := commitHash(head)
	if err != nil {
		return nil, err
	}
	p := &Pull{repo: r, number: number, head: h, pack: &pack{}}
	if r.Has(head) {
		return p, nil
	}
	ctx, stop := context.WithTimeoutCause(ctx, min(MaxPullTime, r.opts.Timeout), errTimeout)
	defer stop()
	if p.pack, err = r.fetchPull(ctx, number, h); err != nil {
		return nil, fmt.Errorf("source %s: pull request %d: %w", r.opts.Name, number, err)
	}
	return p, nil
}

func (r *Repository) fetchPull(ctx context.Context, number int, head plumbing.Hash) (*pack, error) {
	if r.opts.Pulls == "" {
		return nil, errors.New("it is not known where the remote shows pull requests")
	}
	l, err := r.remote.dial(ctx, uploadPack)
	if err != nil {
		return nil, err
	}
	defer l.close()
	adv, heads, err := l.pulls(r.opts.Pulls, r.Pulls().Len())
	if err != nil {
		return nil, err
	}
	name := r.opts.Pulls.ref(number)
	switch at, ok := pullsOf(heads).head(number); {
	case !ok:
		return nil, fmt.Errorf("%s of %s: %w", name, l.url, ErrNoPull)
	case at != head:
		return nil, fmt.Errorf("%s of %s is %s by now, not %s: %w", name, l.url, at, head, ErrMoved)
	}
	haves, err := r.haves(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := l.transferThrough(adv, []plumbing.Hash{head}, haves, capped)
	if err != nil {
		return nil, l.fail("fetch from", err)
	}
	defer answer.Close()
	pack, err := readPack(ctx, answer)
	if err != nil {
		return nil, l.fail("fetch from", err)
	}
	if !pack.has(head) {
		return nil, l.fail("fetch from", fmt.Errorf("%w: its pack lacks %s", ErrUnavailable, head))
	}
	return pack, nil
}

// haves are commits that need not be sent. A poll may just have noted where
// the branch is, and the view of the mirror not have the pack yet: then another
// view has.
func (r *Repository) haves(ctx context.Context) (haves []plumbing.Hash, err error) {
	_, err = r.try(func(m *mirror) error {
		if haves, err = m.haves(ctx); !isDamage(err) {
			return err
		}
		fresh := view(m.dir)
		defer fresh.close()
		haves, err = fresh.haves(ctx)
		return err
	})
	return haves, err
}

// capped lets MaxPullBytes pass and no more.
func capped(answer io.Reader) io.Reader {
	return &meter{from: answer, left: MaxPullBytes}
}

type meter struct {
	from io.Reader
	left int64
}

func (m *meter) Read(to []byte) (int, error) {
	n, err := m.from.Read(to)
	if m.left -= int64(n); m.left < 0 {
		return 0, &TooLargeError{"bytes sent", MaxPullBytes}
	}
	return n, err
}

// Number is the pull request's.
func (p *Pull) Number() int { return p.number }

// Head is the commit that was asked for.
func (p *Pull) Head() string { return p.head.String() }

// Size is how many bytes of memory it holds, about.
func (p *Pull) Size() int64 {
	return p.pack.held()
}

// Close gives the memory back. What is read afterwards is ErrNotFound unless
// the mirror has it.
func (p *Pull) Close() { p.pack.drop() }

// Read is the content of a file, by the hash of its Entry, wherever it is. A
// file over MaxFileSize is ErrTooLarge, what is no file ErrMalformed, a hash
// that is nowhere ErrNotFound.
func (p *Pull) Read(ctx context.Context, hash string) ([]byte, error) {
	if !plumbing.IsHash(hash) {
		return nil, fmt.Errorf("blob %q: %w: not a full hash", hash, ErrNotFound)
	}
	data, err := p.view(ctx).object(plumbing.BlobObject, plumbing.NewHash(hash), MaxFileSize)
	p.pack.rest()
	if err != nil {
		return nil, p.fail("read a file", err)
	}
	return data, nil
}

func (p *Pull) fail(doing string, err error) error {
	return fmt.Errorf("source %s: pull request %d: %s: %w", p.repo.opts.Name, p.number, doing, err)
}
