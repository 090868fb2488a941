package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Kind is what an entry is.
type Kind int

// The kinds of entries. Only regular ones are read.
const (
	Regular   Kind = iota
	Symlink        // never followed
	Submodule      // never entered
	TooLarge       // a file over MaxFileSize
	Overfull       // a tenant's folder over MaxTenantEntries or MaxTenantContent; its Hash is the tree's
)

// String is the kind in a word.
func (k Kind) String() string {
	return [...]string{"regular", "symlink", "submodule", "too large", "overfull folder"}[k]
}

// Entry is one thing of interest in a snapshot.
type Entry struct {
	Path   string // from the repository's root, with slashes
	Tenant string // empty for what is in no tenant's folder
	Hash   string // of the blob; what Read takes. For a submodule its commit
	Kind   Kind
	Size   int64 // bytes; 0 for a submodule
}

// Snapshot is a commit and its files. It holds every regular file and link
// whose name contains .yaml or .yml in any case, so that stray names can be
// told, and every submodule. What begins with a dot is left out, with all
// below it: those are settings of tools. So is everything else.
type Snapshot struct {
	Commit string // full hash; empty for a folder on disk
	// Missing is set where the commit has no folder at Options.Path. Files is
	// then empty, as it is for a folder without files.
	Missing bool
	Files   []Entry // sorted by path
}

// Changed are the paths that two snapshots do not have in common: added,
// removed, or with another hash or kind. Sorted. A nil snapshot has no files.
func Changed(old, new *Snapshot) []string {
	var a, b []Entry
	if old != nil {
		a = old.Files
	}
	if new != nil {
		b = new.Files
	}
	var out []string
	for len(a) > 0 || len(b) > 0 {
		switch order(a, b) {
		case -1:
			out, a = append(out, a[0].Path), a[1:]
		case 1:
			out, b = append(out, b[0].Path), b[1:]
		default:
			if a[0].Hash != b[0].Hash || a[0].Kind != b[0].Kind {
				out = append(out, a[0].Path)
			}
			a, b = a[1:], b[1:]
		}
	}
	return out
}

func order(a, b []Entry) int {
	switch {
	case len(b) == 0:
		return -1
	case len(a) == 0:
		return 1
	}
	return strings.Compare(a[0].Path, b[0].Path)
}

// interesting tells whether a name is one that a snapshot holds.
func interesting(name string) bool {
	lower := strings.ToLower(name)
	return strings.Contains(lower, ".yaml") || strings.Contains(lower, ".yml")
}

// passed over are names that begin with a dot, and those that no Git makes:
// empty ones, "." and "..", and such as would look like a path.
func passedOver(name string) bool {
	return name == "" || name[0] == '.' || strings.ContainsAny(name, "/\x00")
}

// Snapshot reads the files of a commit, without their content. Folders that
// are as they were in the snapshot before are not read again. A commit that is
// not in the mirror is ErrNotFound.
func (r *Repository) Snapshot(ctx context.Context, commit string) (*Snapshot, error) {
	h, err := commitHash(commit)
	if err != nil {
		return nil, err
	}
	var snap *Snapshot
	err = r.use(ctx, func(m *mirror) (err error) {
		if err := m.present(h); err != nil {
			return err
		}
		snap, err = r.snapshot(ctx, m, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: files of %s: %w", r.opts.Name, commit, err)
	}
	return snap, nil
}

func (r *Repository) snapshot(ctx context.Context, m *mirror, h plumbing.Hash) (*Snapshot, error) {
	top, err := r.folder(ctx, m, h)
	if errors.Is(err, errNoFolder) {
		r.opts.Log.Info("commit has no folder at the source's path", "source", r.opts.Name, "path", r.opts.Path, "commit", h.String())
		return &Snapshot{Commit: h.String(), Missing: true}, nil
	}
	if err != nil {
		return nil, err
	}
	return &Snapshot{Commit: h.String(), Files: top.files(nil)}, nil
}

// folder is what a commit of the mirror has at Options.Path. The caller holds
// mu.
func (r *Repository) folder(ctx context.Context, m *mirror, h plumbing.Hash) (*folder, error) {
	c, err := m.commit(h)
	if err != nil {
		return nil, err
	}
	root, err := find(m, c.tree, r.opts.Path)
	if err != nil {
		return nil, err
	}
	w := walker{ctx: ctx, from: m}
	top, err := w.top(root, r.opts.Path, r.opts.Tenant, r.last)
	if err == nil {
		r.last = top
	}
	return top, err
}

// files are all entries of a folder and those below it, sorted by path.
func (f *folder) files(out []Entry) []Entry {
	out = f.collect(slices.Grow(out, f.count))
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func (f *folder) collect(out []Entry) []Entry {
	out = append(out, f.own...)
	for _, d := range f.dirs {
		out = d.folder.collect(out)
	}
	return out
}
