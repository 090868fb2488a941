package source

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// MaxFileSize is how large a file may be, in bytes.
const MaxFileSize = 1 << 20

// Bounds on other objects, in bytes. A tree of 10,000 files is 400 KiB.
const (
	maxCommit = 4 << 20
	maxTree   = 16 << 20
	// cacheSize is for bases of deltas.
	cacheSize = 8 * cache.MiByte
	// streamAbove is from where on objects are not held in memory.
	streamAbove = maxTree
)

// The mirror's own refs, below its folder.
const (
	headRef     = "refs/portcullis/head"
	acceptedRef = "refs/portcullis/accepted"
)

// mirror is one bare repository on disk. It is a view of the packs that were
// there when it was opened: after a pack is added it is opened anew.
type mirror struct {
	dir string
	sto *filesystem.Storage
}

// openMirror opens what is in dir. What is there but not a repository is
// damage.
func openMirror(dir string) (*mirror, error) {
	head, err := os.ReadFile(filepath.Join(dir, "HEAD"))
	if err != nil {
		return nil, damaged("HEAD", err)
	}
	if !strings.HasPrefix(string(head), "ref: refs/") {
		return nil, damaged("HEAD", errors.New("names no ref"))
	}
	for _, sub := range []string{"objects/pack", "refs"} {
		if info, err := os.Stat(filepath.Join(dir, sub)); err != nil || !info.IsDir() {
			return nil, damaged(sub, errors.Join(errors.New("is no folder"), err))
		}
	}
	return view(dir), nil
}

func view(dir string) *mirror {
	sto := filesystem.NewStorageWithOptions(osfs.New(dir), cache.NewObjectLRU(cacheSize), filesystem.Options{
		ExclusiveAccess:      true, // the folder is locked
		KeepDescriptors:      true, // closed after each use
		LargeObjectThreshold: streamAbove,
	})
	return &mirror{dir: dir, sto: sto}
}

// initMirror makes an empty mirror in dir.
func initMirror(dir string) (*mirror, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "objects", "pack"), 0o700); err != nil {
		return nil, err
	}
	if _, err := git.Init(filesystem.NewStorage(osfs.New(dir), cache.NewObjectLRU(cacheSize)), nil); err != nil {
		return nil, fmt.Errorf("make mirror %s: %w", dir, err)
	}
	return openMirror(dir)
}

// close gives up open files. The mirror can be used again.
func (m *mirror) close() { _ = m.sto.Close() }

// ref reads one of the mirror's own refs; the zero hash if it is not set.
func (m *mirror) ref(name string) (plumbing.Hash, error) {
	data, err := os.ReadFile(filepath.Join(m.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return plumbing.ZeroHash, nil
	}
	if err != nil {
		return plumbing.ZeroHash, damaged(name, err)
	}
	text := strings.TrimSuffix(string(data), "\n")
	if !plumbing.IsHash(text) {
		return plumbing.ZeroHash, damaged(name, errors.New("holds no hash"))
	}
	return plumbing.NewHash(text), nil
}

// setRef writes a ref so that a crash leaves the old or the new one.
func (m *mirror) setRef(name string, h plumbing.Hash) error {
	file := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := writeWhole(file, []byte(h.String()+"\n")); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func writeWhole(file string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), "tmp_")
	if err != nil {
		return err
	}
	defer discard(f)
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// has tells whether an object is indexed; it need not be readable. It asks for
// the size, since HasEncodedObject of go-git 5.19 overlooks packs in a storage
// with exclusive access.
func (m *mirror) has(h plumbing.Hash) (ok bool, err error) {
	defer recovered("object "+h.String(), &err)
	_, err = m.sto.EncodedObjectSize(h)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return false, nil
	}
	if err != nil {
		return false, damaged("object "+h.String(), err)
	}
	return true, nil
}

// read reads an object, checked against its hash. What cannot be read, or is
// not there, is damage; what is over the limit, in bytes, is ErrTooLarge.
func (m *mirror) read(kind plumbing.ObjectType, h plumbing.Hash, limit int64) (data []byte, err error) {
	what := kind.String() + " " + h.String()
	defer recovered(what, &err)
	data, err = content(m.sto, kind, h, limit)
	if err != nil {
		return nil, damaged(what, err)
	}
	if plumbing.ComputeHash(kind, data) != h {
		return nil, damaged(what, errors.New("content does not match its hash"))
	}
	return data, nil
}

// size is a blob's size in bytes, from its header.
func (m *mirror) size(h plumbing.Hash) (size int64, err error) {
	defer recovered("blob "+h.String(), &err)
	if size, err = m.sto.EncodedObjectSize(h); err != nil {
		return 0, damaged("blob "+h.String(), err)
	}
	return size, nil
}

func (m *mirror) commit(h plumbing.Hash) (commitHead, error) {
	data, err := m.read(plumbing.CommitObject, h, maxCommit)
	if err != nil {
		return commitHead{}, err
	}
	c, err := parseCommit(h, data)
	if err != nil {
		return commitHead{}, damaged("commit "+h.String(), err)
	}
	return c, nil
}

// check reads a commit and the root of its tree.
func (m *mirror) check(h plumbing.Hash) error {
	c, err := m.commit(h)
	if err != nil {
		return err
	}
	_, err = m.read(plumbing.TreeObject, c.tree, maxTree)
	return err
}

// content reads an object that is no larger than limit.
func content(from storer.EncodedObjectStorer, kind plumbing.ObjectType, h plumbing.Hash, limit int64) ([]byte, error) {
	size, err := from.EncodedObjectSize(h)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("%s %s has %d bytes: %w", kind, h, size, ErrTooLarge)
	}
	object, err := from.EncodedObject(kind, h)
	if err != nil {
		return nil, err
	}
	r, err := object.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, limit+1))
}
