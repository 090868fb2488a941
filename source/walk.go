package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// MaxTenantEntries bounds what is looked at below one tenant's folder, and
// maxDepth how deep: a few crafted trees can stand for billions of files. A
// folder beyond is one entry of kind Overfull; other tenants' are not touched.
const (
	MaxTenantEntries = 50_000
	maxDepth         = 64
	// maxTenantPaths bounds how long all paths of one tenant are together, in
	// bytes: Git does not bound names.
	maxTenantPaths = 16 << 20
	// MaxTenantContent bounds the files that are read of one tenant, in bytes:
	// one is counted as often as it is there, for each says something by itself.
	MaxTenantContent = 16 << 20
)

var (
	errNoFolder = errors.New("no such folder")
	errBomb     = errors.New("more than the bounds of a tenant's folder")
)

// treeEntry is one line of a tree object.
type treeEntry struct {
	mode string // octal, as Git writes it
	name string
	hash plumbing.Hash
}

// Modes of tree entries. Others are regular files, whatever their permissions.
const (
	modeFolder    = "40000"
	modeSymlink   = "120000"
	modeSubmodule = "160000"
)

// trees is where folders are read from.
type trees interface {
	tree(plumbing.Hash) ([]treeEntry, error)
	size(plumbing.Hash) (int64, error) // of a file, in bytes
}

// tree reads a tree object.
func (m *mirror) tree(h plumbing.Hash) ([]treeEntry, error) {
	data, err := m.read(plumbing.TreeObject, h, maxTree)
	if err != nil {
		return nil, err
	}
	return parseTree(h, data)
}

func parseTree(h plumbing.Hash, data []byte) ([]treeEntry, error) {
	var out []treeEntry
	for len(data) > 0 {
		mode, rest, ok := bytes.Cut(data, []byte(" "))
		name, rest, ok2 := bytes.Cut(rest, []byte{0})
		var e treeEntry
		if !ok || !ok2 || len(rest) < len(e.hash) {
			return nil, fmt.Errorf("tree %s: %w", h, ErrMalformed)
		}
		e.mode, e.name = strings.TrimLeft(string(mode), "0"), string(name)
		data = rest[copy(e.hash[:], rest):]
		out = append(out, e)
	}
	return out, nil
}

// find goes down to a folder. A link on the way is not followed.
func find(from trees, root plumbing.Hash, at string) (plumbing.Hash, error) {
	for _, name := range strings.FieldsFunc(at, func(r rune) bool { return r == '/' }) {
		entries, err := from.tree(root)
		if err != nil {
			return root, err
		}
		i := slices.IndexFunc(entries, func(e treeEntry) bool { return e.name == name && e.mode == modeFolder })
		if i < 0 {
			return root, errNoFolder
		}
		root = entries[i].hash
	}
	return root, nil
}

// folder is what is known of one tree object at one place. It is never changed
// once made: snapshots share those that are alike.
type folder struct {
	hash  plumbing.Hash
	own   []Entry // directly in it, in the tree's order
	dirs  []subfolder
	count int // entries, with those below
	spent     // with those below
}

// spent is what reading folders took of their bounds.
type spent struct {
	lines   int   // of trees
	text    int   // bytes of paths
	content int64 // bytes of files that are to be read
}

func (s *spent) add(other spent) {
	s.lines, s.text, s.content = s.lines+other.lines, s.text+other.text, s.content+other.content
}

func (s spent) overATenants() bool {
	return s.lines > MaxTenantEntries || s.text > maxTenantPaths || s.content > MaxTenantContent
}

type subfolder struct {
	name   string
	folder *folder
}

// walker reads trees into folders, taking over what is alike.
type walker struct {
	ctx   context.Context
	from  trees
	spent spent // for the tenant
	// spend, if set, is told of what is read anew, and can put an end to it.
	spend func(spent) error
}

// read reads one tree.
func (w *walker) read(h plumbing.Hash) ([]treeEntry, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := w.from.tree(h)
	if err == nil && w.spend != nil {
		err = w.spend(spent{lines: len(entries)})
	}
	return entries, err
}

// top reads the source's folder: one tenant's, or one with a folder a tenant.
func (w *walker) top(h plumbing.Hash, at, tenant string, old *folder) (*folder, error) {
	if tenant != "" {
		return w.tenant(h, at, tenant, old)
	}
	return w.shared(h, at, old)
}

// shared reads a folder of tenants. Its own files belong to none.
func (w *walker) shared(h plumbing.Hash, at string, old *folder) (*folder, error) {
	entries, err := w.read(h)
	if err != nil {
		return nil, err
	}
	known := oldDirs(old)
	return w.fill(h, entries, at, "", old, func(e treeEntry, below string) (*folder, error) {
		return w.tenant(e.hash, below, e.name, known[e.name])
	})
}

// tenant reads one tenant's folder. One with too much in it is one entry.
func (w *walker) tenant(h plumbing.Hash, at, tenant string, old *folder) (*folder, error) {
	w.spent = spent{}
	f, err := w.folder(h, at, tenant, 0, old)
	if errors.Is(err, errBomb) {
		own := Entry{Path: at, Tenant: tenant, Hash: h.String(), Kind: Overfull}
		return &folder{hash: h, own: []Entry{own}, count: 1}, nil
	}
	return f, err
}

func (w *walker) folder(h plumbing.Hash, at, tenant string, depth int, old *folder) (*folder, error) {
	if old != nil && old.hash == h {
		return old, w.count(old.spent)
	}
	entries, err := w.read(h)
	if err != nil {
		return nil, err
	}
	if err := w.count(spent{lines: len(entries)}); err != nil || depth > maxDepth {
		return nil, errBomb
	}
	known := oldDirs(old)
	return w.fill(h, entries, at, tenant, old, func(e treeEntry, below string) (*folder, error) {
		return w.folder(e.hash, below, tenant, depth+1, known[e.name])
	})
}

// count takes something off the tenant's bounds.
func (w *walker) count(s spent) error {
	if w.spent.add(s); w.spent.overATenants() {
		return errBomb
	}
	return nil
}

// oldDirs finds what was there before by name.
func oldDirs(old *folder) map[string]*folder {
	if old == nil {
		return nil
	}
	out := make(map[string]*folder, len(old.dirs))
	for _, d := range old.dirs {
		out[d.name] = d.folder
	}
	return out
}

// fill makes a folder of a tree's entries. A name that is there twice, which
// no Git makes, counts once.
func (w *walker) fill(h plumbing.Hash, entries []treeEntry, at, tenant string, old *folder, descend func(treeEntry, string) (*folder, error)) (*folder, error) {
	f := &folder{hash: h, spent: spent{lines: len(entries)}}
	sizes := knownSizes(old)
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		if passedOver(e.name) || seen[e.name] {
			continue
		}
		seen[e.name] = true
		if e.mode != modeFolder && e.mode != modeSubmodule && !interesting(e.name) {
			continue
		}
		if err := w.take(f, tenant, spent{text: len(at) + 1 + len(e.name)}, false); err != nil {
			return nil, err
		}
		below := path.Join(at, e.name)
		if e.mode == modeFolder {
			d, err := descend(e, below)
			if err != nil {
				return nil, err
			}
			f.add(e.name, d)
			continue
		}
		own, err := w.entry(e, below, tenant, sizes)
		if err != nil {
			return nil, err
		}
		if own.Kind == Regular {
			_, known := sizes[own.Hash]
			if err := w.take(f, tenant, spent{content: own.Size}, known); err != nil {
				return nil, err
			}
		}
		f.own = append(f.own, own)
		f.count++
	}
	return f, nil
}

// take counts a path before it is made, or a file before it is read; one that
// is known was there before. What is in no tenant's folder is one tree's, which is
// bounded as it is.
func (w *walker) take(f *folder, tenant string, s spent, known bool) error {
	f.spent.add(s)
	if w.spend != nil && !known {
		if err := w.spend(s); err != nil {
			return err
		}
	}
	if tenant == "" {
		return nil
	}
	return w.count(s)
}

func (f *folder) add(name string, d *folder) {
	f.dirs = append(f.dirs, subfolder{name, d})
	f.count += d.count
	f.spent.add(d.spent)
}

func knownSizes(old *folder) map[string]int64 {
	if old == nil {
		return nil
	}
	out := make(map[string]int64, len(old.own))
	for _, e := range old.own {
		if e.Kind != Submodule {
			out[e.Hash] = e.Size
		}
	}
	return out
}

func (w *walker) entry(e treeEntry, at, tenant string, sizes map[string]int64) (Entry, error) {
	out := Entry{Path: at, Tenant: tenant, Hash: e.hash.String()}
	if e.mode == modeSubmodule {
		out.Kind = Submodule
		return out, nil
	}
	size, known := sizes[out.Hash]
	if !known {
		var err error
		if size, err = w.from.size(e.hash); err != nil {
			return out, err
		}
	}
	out.Size = size
	switch {
	case e.mode == modeSymlink:
		out.Kind = Symlink
	case size > MaxFileSize:
		out.Kind = TooLarge
	}
	return out, nil
}
