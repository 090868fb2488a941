package notes

import (
	"fmt"
	"io"
	"sort"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// The tree of a notes ref holds one blob for each annotated object, named by
// its hash, which may be cut into folders of two digits: git uses no folder,
// one level or two by the number of notes, and reads any mixture (git's
// notes.c). What is written here goes where the note is already, else into the
// folders that are there, else below one level of its own. Everything else in
// the tree stays as it is.

// maxLevels is how deep folders are looked into; git itself writes no more.
const maxLevels = 3

// setNotes answers the tree with the notes changed, which is the tree itself
// where all stand already. base may be the zero hash: no tree yet.
func setNotes(s storer.EncodedObjectStorer, base plumbing.Hash, texts map[string]string) (plumbing.Hash, error) {
	blobs := make(map[string]plumbing.Hash, len(texts))
	for commit, text := range texts {
		blob, err := storeBlob(s, text)
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("store the note of %s: %w", commit, err)
		}
		blobs[commit] = blob
	}
	return setLevel(s, base, blobs, 0)
}

// setLevel sets notes, named by what of their hash is left at this level, in
// one tree and below it.
func setLevel(s storer.EncodedObjectStorer, base plumbing.Hash, notes map[string]plumbing.Hash, level int) (plumbing.Hash, error) {
	entries, err := entriesOf(s, base)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	below := map[string]map[string]plumbing.Hash{} // folder to notes
	for rest, blob := range notes {
		_, here := entries[rest]
		dir, taken := entries[rest[:2]]
		hasDir := taken && dir.Mode == filemode.Dir
		switch {
		// A note that stands both here and below, which git would join, ends
		// up below: the copy here goes.
		case hasDir && level < maxLevels-1, level == 0 && !here && !taken:
			delete(entries, rest)
			if below[rest[:2]] == nil {
				below[rest[:2]] = map[string]plumbing.Hash{}
			}
			below[rest[:2]][rest[2:]] = blob
		default:
			entries[rest] = object.TreeEntry{Name: rest, Mode: filemode.Regular, Hash: blob}
		}
	}
	for dir, notes := range below {
		tree, err := setLevel(s, entries[dir].Hash, notes, level+1)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		entries[dir] = object.TreeEntry{Name: dir, Mode: filemode.Dir, Hash: tree}
	}
	return storeTree(s, entries)
}

func entriesOf(s storer.EncodedObjectStorer, tree plumbing.Hash) (map[string]object.TreeEntry, error) {
	entries := map[string]object.TreeEntry{}
	if tree.IsZero() {
		return entries, nil
	}
	t, err := object.GetTree(s, tree)
	if err != nil {
		return nil, fmt.Errorf("read the notes' tree %s: %w", tree, err)
	}
	for _, e := range t.Entries {
		entries[e.Name] = e
	}
	return entries, nil
}

func storeTree(s storer.EncodedObjectStorer, entries map[string]object.TreeEntry) (plumbing.Hash, error) {
	t := object.Tree{Entries: make([]object.TreeEntry, 0, len(entries))}
	for _, e := range entries {
		t.Entries = append(t.Entries, e)
	}
	sort.Sort(object.TreeEntrySorter(t.Entries))
	return store(s, t.Encode)
}

func storeBlob(s storer.EncodedObjectStorer, text string) (plumbing.Hash, error) {
	return store(s, func(o plumbing.EncodedObject) (err error) {
		o.SetType(plumbing.BlobObject)
		w, err := o.Writer()
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		return w.Close()
	})
}

// store writes an object unless it is there.
func store(s storer.EncodedObjectStorer, encode func(plumbing.EncodedObject) error) (plumbing.Hash, error) {
	o := s.NewEncodedObject()
	if err := encode(o); err != nil {
		return plumbing.ZeroHash, err
	}
	if s.HasEncodedObject(o.Hash()) == nil {
		return o.Hash(), nil
	}
	return s.SetEncodedObject(o)
}
