package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// Below Options.Dir. While a mirror is made anew there are two.
const (
	mirrorDir = "mirror.git"
	freshDir  = "mirror.new"
	oldDir    = "mirror.old"
)

// Repository is the mirror of one source. It is safe for concurrent use; reads
// do not wait for the network.
type Repository struct {
	opts   Options
	remote Remote
	unlock func()

	net   sync.Mutex // one conversation with the remote at a time; taken before mu
	sight sight      // of polls: with net

	mu   sync.Mutex
	m    *mirror // nil where there is none, or none that can be opened
	made int     // how often the mirror was made anew
	// tried: since the last poll a read tried in vain to have it made anew.
	tried bool
	pin   plumbing.Hash // the accepted commit, as far as known
	last  *folder       // of the last snapshot
	pulls Pulls         // as last listed
	// open are the pull requests to glance at, where follows.
	open    []int
	follows bool
	// gone has the blobs that were missed, and which mirror missed them.
	gone map[plumbing.Hash]int
}

// Open opens the mirror in opts.Dir. Nothing is contacted: what is missing or
// damaged is fetched by the first use. The Repository must be closed.
func Open(opts Options) (*Repository, error) {
	remote, err := NewRemote(opts)
	if err != nil {
		return nil, err
	}
	if opts.Dir == "" {
		return nil, fmt.Errorf("source %s: no folder for the mirror", opts.Name)
	}
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("source %s: make the mirror's folder: %w", opts.Name, err)
	}
	unlock, err := lock(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", opts.Name, err)
	}
	r := &Repository{opts: opts.withDefaults(), remote: remote, unlock: unlock, gone: map[plumbing.Hash]int{}}
	if err := r.load(); err != nil {
		unlock()
		return nil, fmt.Errorf("source %s: %w", opts.Name, err)
	}
	return r, nil
}

// Close gives the folder back, once a poll that is under way has ended: end its
// context first.
func (r *Repository) Close() error {
	r.net.Lock()
	defer r.net.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.m = nil
	r.unlock()
	return nil
}

// Remote is the way to the repository that is mirrored.
func (r *Repository) Remote() Remote { return r.remote }

func (r *Repository) path(name string) string { return filepath.Join(r.opts.Dir, name) }

// load opens what an earlier process left, which may have ended anywhere.
func (r *Repository) load() error {
	if _, err := os.Stat(r.path(mirrorDir)); errors.Is(err, os.ErrNotExist) {
		// Between the two renames of a swap. If there is no old one, all is new.
		_ = os.Rename(r.path(oldDir), r.path(mirrorDir))
	}
	for _, left := range []string{freshDir, oldDir} {
		if err := os.RemoveAll(r.path(left)); err != nil {
			return err
		}
	}
	if _, err := os.Stat(r.path(mirrorDir)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	r.tidy()
	return r.inspect()
}

// tidy removes what broken-off writes left.
func (r *Repository) tidy() {
	for _, pattern := range []string{"objects/pack/tmp_*", "refs/portcullis/tmp_*"} {
		found, err := filepath.Glob(filepath.Join(r.path(mirrorDir), pattern))
		if err != nil {
			continue
		}
		for _, f := range found {
			_ = os.Remove(f)
		}
	}
}

// inspect opens the mirror and reads what its refs point to. Damage is only
// told: the next use makes the mirror anew, when there is a context for it.
func (r *Repository) inspect() error {
	m, err := openMirror(r.path(mirrorDir))
	if err == nil {
		r.m = m
		defer m.close()
		if r.pin, err = m.ref(acceptedRef); err == nil {
			err = m.sound()
		}
	}
	if isDamage(err) {
		r.opts.Log.Error(err, "mirror is damaged and will be made anew", "source", r.opts.Name)
		return nil
	}
	return err
}

// sound reads the commits that the mirror's refs name.
func (m *mirror) sound() error {
	for _, name := range []string{headRef, acceptedRef} {
		h, err := m.ref(name)
		if err == nil && !h.IsZero() {
			err = m.check(h)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// try runs f on the mirror. It also says which mirror that was.
func (r *Repository) try(f func(*mirror) error) (made int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		return r.made, &damage{"folder", errors.New("there is no mirror yet")}
	}
	defer r.m.close()
	return r.made, f(r.m)
}

// use runs f on the mirror; if that is damaged, once more on one made anew.
func (r *Repository) use(ctx context.Context, f func(*mirror) error) error {
	made, err := r.try(f)
	if !isDamage(err) {
		return err
	}
	r.opts.Log.Error(err, "mirror cannot be used and is made anew", "source", r.opts.Name)
	if again := r.renew(ctx, made); again != nil {
		return fmt.Errorf("%w; it could not be made anew: %w", err, again)
	}
	_, err = r.try(f)
	return err
}

// present tells a commit that is not part of the mirror from a mirror that has
// lost it.
func (m *mirror) present(h plumbing.Hash) error {
	ok, err := m.has(h)
	if ok || err != nil {
		return err
	}
	if err := m.sound(); err != nil {
		return err
	}
	return fmt.Errorf("commit %s: %w", h, ErrNotFound)
}

func commitHash(commit string) (plumbing.Hash, error) {
	if !plumbing.IsHash(commit) {
		return plumbing.ZeroHash, fmt.Errorf("commit %q: %w: not a full hash", commit, ErrNotFound)
	}
	return plumbing.NewHash(commit), nil
}

// Has tells whether the mirror has this commit and can read it.
func (r *Repository) Has(commit string) bool {
	h, err := commitHash(commit)
	if err != nil {
		return false
	}
	_, err = r.try(func(m *mirror) error {
		if ok, err := m.has(h); !ok || err != nil {
			return errors.Join(ErrNotFound, err)
		}
		return m.check(h)
	})
	return err == nil
}

// Pin keeps a commit, with its history and files, from being lost when the
// branch is moved by force or the mirror is made anew. It replaces the commit
// pinned before. The commit must be in the mirror, else ErrNotFound.
func (r *Repository) Pin(commit string) error {
	h, err := commitHash(commit)
	if err != nil {
		return err
	}
	_, err = r.try(func(m *mirror) error {
		if err := m.present(h); err != nil {
			return err
		}
		if h == r.pin {
			if at, err := m.ref(acceptedRef); err == nil && at == h {
				return nil
			}
		}
		if err := m.setRef(acceptedRef, h); err != nil {
			return err
		}
		r.pin = h
		return nil
	})
	if err != nil {
		return fmt.Errorf("source %s: pin %s: %w", r.opts.Name, commit, err)
	}
	return nil
}

// IsAncestor tells whether new contains old: whether going from old to new is
// going forward. A commit is its own ancestor. An old that is not in the
// mirror is no ancestor, since the mirror holds all of new's history.
func (r *Repository) IsAncestor(ctx context.Context, old, new string) (bool, error) {
	from, to, err := commitPair(old, new)
	if err != nil {
		return false, err
	}
	found := false
	err = r.use(ctx, func(m *mirror) (err error) {
		if err := m.present(to); err != nil {
			return err
		}
		found, err = isAncestor(ctx, m, from, to)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("source %s: history from %s to %s: %w", r.opts.Name, old, new, err)
	}
	return found, nil
}

// Skipped are the commits strictly between old and new along first parents,
// oldest first, at most MaxSkipped, the newest of them. It ends where it meets
// what old contains; an old that is not in the mirror is met nowhere.
func (r *Repository) Skipped(ctx context.Context, old, new string) ([]string, error) {
	from, to, err := commitPair(old, new)
	if err != nil {
		return nil, err
	}
	var out []string
	err = r.use(ctx, func(m *mirror) error {
		if err := m.present(to); err != nil {
			return err
		}
		chain, err := skipped(ctx, m, from, to)
		out = nil
		for _, h := range chain {
			out = append(out, h.String())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: commits from %s to %s: %w", r.opts.Name, old, new, err)
	}
	return out, nil
}

func commitPair(old, new string) (from, to plumbing.Hash, err error) {
	if from, err = commitHash(old); err != nil {
		return
	}
	to, err = commitHash(new)
	return
}

// Read is the content of a file, by the hash of its Entry. A file over
// MaxFileSize is ErrTooLarge, a hash that is in no commit of the mirror
// ErrNotFound.
func (r *Repository) Read(ctx context.Context, hash string) ([]byte, error) {
	if !plumbing.IsHash(hash) {
		return nil, fmt.Errorf("blob %q: %w: not a full hash", hash, ErrNotFound)
	}
	h := plumbing.NewHash(hash)
	var data []byte
	err := r.use(ctx, func(m *mirror) (err error) {
		data, err = m.read(plumbing.BlobObject, h, MaxFileSize)
		return r.missed(h, err)
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: read a file: %w", r.opts.Name, err)
	}
	return data, nil
}

// missed takes a blob that is not there for damage, once. If the mirror that
// was made anew for its sake has none either, it was never part of it. The
// caller holds mu.
func (r *Repository) missed(h plumbing.Hash, err error) error {
	if !errors.Is(err, plumbing.ErrObjectNotFound) {
		delete(r.gone, h)
		return err
	}
	made, before := r.gone[h]
	if before && made < r.made {
		return fmt.Errorf("blob %s: %w", h, ErrNotFound)
	}
	r.gone[h] = r.made
	return err
}
