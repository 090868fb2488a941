package source

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Laid is a pull request laid over its target: what merging it now would give.
type Laid struct {
	// Snapshot has the target's files, and in their place those that the head
	// changed since the merge base. There is no such commit: Commit is the
	// head's, for words. Pull.Read reads its files.
	*Snapshot
	Target string // the commit that it was laid over
	Base   string // the merge base

	// Changed are the paths at which Snapshot is not what the target has,
	// sorted. A rename is two of them. A head that the target contains changes
	// nothing.
	Changed []string
	// Conflicts are the paths that both sides changed since the merge base, to
	// different contents; or that would be a file and a folder at once. Snapshot
	// has the head's. Sorted; only of what a Snapshot holds: a Git host also
	// looks at other files.
	Conflicts []string
}

// Lay lays the change over a commit of the mirror, as the newest of the branch:
// by path, from the merge base. Whoever moved a file or changed the same one in
// another place gets a conflict, where a merge might have gone well. A target
// that is not in the mirror is ErrNotFound. ErrUnrelated, ErrMalformed and a
// *TooLargeError are for good, as long as the head is the same.
func (p *Pull) Lay(ctx context.Context, target string) (*Laid, error) {
	t, err := commitHash(target)
	if err != nil {
		return nil, err
	}
	p.pack.refill()
	defer p.pack.rest()
	laid, err := p.lay(ctx, t)
	if err != nil {
		return nil, p.fail("lay "+p.head.String()+" over "+target, err)
	}
	return laid, nil
}

func (p *Pull) lay(ctx context.Context, target plumbing.Hash) (*Laid, error) {
	ours, missing, err := p.repo.folderAt(ctx, target)
	if err != nil {
		return nil, err
	}
	v := p.view(ctx)
	base, err := mergeBase(ctx, v, target, p.head)
	if err != nil {
		return nil, err
	}
	from, _, err := v.folder(base, ours, nil)
	if err != nil {
		return nil, err
	}
	theirs, gone, err := v.folder(p.head, from, pullBudget())
	if err != nil {
		return nil, err
	}
	laid := &Laid{Target: target.String(), Base: base.String()}
	edits := laid.merge(difference(from, theirs), difference(from, ours))
	files := edited(ours.files(nil), edits)
	laid.Conflicts = append(laid.Conflicts, clashes(files, edits)...)
	slices.Sort(laid.Conflicts)
	laid.Conflicts = slices.Compact(laid.Conflicts)
	laid.Snapshot = &Snapshot{Commit: p.head.String(), Missing: len(files) == 0 && (missing || gone), Files: files}
	return laid, nil
}

// folderAt is what a commit of the mirror has at Options.Path; an empty one
// where it is missing.
func (r *Repository) folderAt(ctx context.Context, h plumbing.Hash) (top *folder, missing bool, err error) {
	err = r.use(ctx, func(m *mirror) error {
		if err := m.present(h); err != nil {
			return err
		}
		top, err = r.folder(ctx, m, h)
		if missing = errors.Is(err, errNoFolder); missing {
			top, err = &folder{}, nil
		}
		return err
	})
	return top, missing, err
}

// folder is the same of a commit that may be the pull request's. What is alike
// in old is not read again.
func (v pullView) folder(h plumbing.Hash, old *folder, spend func(spent) error) (top *folder, missing bool, err error) {
	c, err := v.commit(h)
	if err != nil {
		return nil, false, err
	}
	o := v.p.repo.opts
	root, err := find(v, c.tree, o.Path)
	if errors.Is(err, errNoFolder) {
		return &folder{}, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	if root == old.hash {
		return old, false, nil
	}
	w := walker{ctx: v.ctx, from: v, spend: spend}
	top, err = w.top(root, o.Path, o.Tenant, old)
	return top, false, err
}

// pullBudget ends the reading of folders that are too many.
func pullBudget() func(spent) error {
	var all spent
	return func(s spent) error {
		all.add(s)
		switch {
		case all.lines > MaxPullEntries:
			return &TooLargeError{"new files and folders", MaxPullEntries}
		case all.text > maxPullPaths:
			return &TooLargeError{"bytes of paths", maxPullPaths}
		case all.content > MaxPullContent:
			return &TooLargeError{"bytes of new files", MaxPullContent}
		}
		return nil
	}
}

// edit is what became of one path; an entry of nil is gone.
type edit struct {
	path  string
	entry *Entry
}

// difference is what leads from one folder to another, sorted by path.
func difference(old, new *folder) []edit {
	before, after := map[string]Entry{}, map[string]Entry{}
	differing(old, new, before, after)
	var out []edit
	for path, e := range after {
		if was, ok := before[path]; !ok || was.Hash != e.Hash || was.Kind != e.Kind {
			out = append(out, edit{path, &e})
		}
	}
	for path := range before {
		if _, ok := after[path]; !ok {
			out = append(out, edit{path, nil})
		}
	}
	slices.SortFunc(out, func(a, b edit) int { return strings.Compare(a.path, b.path) })
	return out
}

// differing collects the entries of all folders that are not alike.
func differing(old, new *folder, before, after map[string]Entry) {
	if old == new || old.hash == new.hash && !old.hash.IsZero() {
		return
	}
	take(old.own, before)
	take(new.own, after)
	known := oldDirs(old)
	for _, d := range new.dirs {
		was := known[d.name]
		if was == nil {
			was = &folder{}
		}
		delete(known, d.name)
		differing(was, d.folder, before, after)
	}
	for _, d := range known {
		take(d.collect(nil), before)
	}
}

func take(entries []Entry, into map[string]Entry) {
	for _, e := range entries {
		into[e.Path] = e
	}
}

// merge notes what both sides changed, and leaves of the head's changes those
// that the target does not have.
func (l *Laid) merge(theirs, ours []edit) []edit {
	done := make(map[string]*Entry, len(ours))
	for _, e := range ours {
		done[e.path] = e.entry
	}
	var out []edit
	for _, e := range theirs {
		was, both := done[e.path]
		if both && alike(was, e.entry) {
			continue
		}
		if both {
			l.Conflicts = append(l.Conflicts, e.path)
		}
		l.Changed = append(l.Changed, e.path)
		out = append(out, e)
	}
	return out
}

func alike(a, b *Entry) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Hash == b.Hash && a.Kind == b.Kind
}

// edited puts edits in their place. Both are sorted by path.
func edited(files []Entry, edits []edit) []Entry {
	out := make([]Entry, 0, len(files)+len(edits))
	for _, e := range edits {
		i, replaced := slices.BinarySearchFunc(files, e.path, func(f Entry, path string) int { return strings.Compare(f.Path, path) })
		out = append(out, files[:i]...)
		if e.entry != nil {
			out = append(out, *e.entry)
		}
		if replaced {
			i++
		}
		files = files[i:]
	}
	return append(out, files...)
}

// clashes are edits that make a file where there is a folder, or the other way
// round.
func clashes(files []Entry, edits []edit) []string {
	at := func(path string) (int, bool) {
		return slices.BinarySearchFunc(files, path, func(f Entry, path string) int { return strings.Compare(f.Path, path) })
	}
	var out []string
	for _, e := range edits {
		if e.entry == nil {
			continue
		}
		if i, _ := at(e.path + "/"); i < len(files) && strings.HasPrefix(files[i].Path, e.path+"/") {
			out = append(out, e.path)
		}
		for i := len(e.path) - 1; i > 0; i-- {
			if e.path[i] != '/' {
				continue
			}
			if _, ok := at(e.path[:i]); ok {
				out = append(out, e.path)
			}
		}
	}
	return out
}
