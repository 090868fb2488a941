package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// ReadFunc reads a file's content by the hash of its Entry, as
// Repository.Read does.
type ReadFunc func(ctx context.Context, hash string) ([]byte, error)

// ReadFolder is the same view of a folder on disk, which need not be a
// repository: what Snapshot would hold if all of it were committed. Paths are
// from dir. Without a tenant every subfolder is one, else all of it is that
// tenant's. Links are never followed; a folder with a .git in it, below dir,
// is a submodule. A file that is changed before it is read is an error of the
// ReadFunc. A tenant's folder over the bounds is one entry, and nothing more of it is
// looked at.
func ReadFolder(dir, tenant string) (*Snapshot, ReadFunc, error) {
	// Only the folder itself may be a link: that is what its caller named.
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read folder %s: %w", dir, err)
	}
	d := disk{root: root, tenant: tenant, files: map[string]string{}, snap: &Snapshot{}, taken: allowance{}}
	if err := filepath.WalkDir(root, d.visit); err != nil {
		return nil, nil, fmt.Errorf("read folder %s: %w", dir, err)
	}
	d.refuse()
	slices.SortFunc(d.snap.Files, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return d.snap, d.read, nil
}

// disk reads one folder on disk.
type disk struct {
	root   string
	tenant string
	files  map[string]string // hash to file
	snap   *Snapshot
	taken  allowance
}

func (d disk) visit(file string, e fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	if file == d.root {
		if !e.IsDir() {
			return errors.New("not a folder")
		}
		return nil
	}
	rel, err := filepath.Rel(d.root, file)
	if err != nil {
		return err
	}
	return d.entry(file, filepath.ToSlash(rel), e)
}

func (d disk) entry(file, rel string, e fs.DirEntry) error {
	looked := !passedOver(e.Name()) && (e.IsDir() || interesting(e.Name()))
	took := spent{lines: 1}
	if looked {
		took.text = len(rel)
	}
	switch holds := d.taken.take(d.owner(rel), took); {
	case !holds, !looked && e.IsDir():
		return filepath.SkipDir // of a file: the rest of its folder
	case !looked:
		return nil
	case e.IsDir():
		return d.folder(file, rel)
	}
	return d.file(file, rel, e)
}

func (d disk) folder(file, rel string) error {
	if _, err := os.Lstat(filepath.Join(file, ".git")); err == nil {
		d.snap.Files = append(d.snap.Files, Entry{Path: rel, Tenant: d.owner(rel), Kind: Submodule})
		return filepath.SkipDir
	}
	if d.tooDeep(rel) {
		d.taken.exceed(d.owner(rel))
		return filepath.SkipDir
	}
	return nil
}

// owner is the tenant of a path from the root.
func (d disk) owner(rel string) string {
	if d.tenant != "" {
		return d.tenant
	}
	first, _, below := strings.Cut(rel, "/")
	if !below {
		return ""
	}
	return first
}

func (d disk) file(file, rel string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return err
	}
	out := Entry{Path: rel, Tenant: d.owner(rel), Size: info.Size()}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		err = out.link(file)
	case !info.Mode().IsRegular():
		return nil // pipes, devices: Git has none of them
	default:
		err = d.regular(&out, file)
	}
	d.snap.Files = append(d.snap.Files, out)
	return err
}

func (e *Entry) link(file string) error {
	target, err := os.Readlink(file)
	if err != nil {
		return err
	}
	e.Kind = Symlink
	e.Size = int64(len(target))
	e.Hash = plumbing.ComputeHash(plumbing.BlobObject, []byte(target)).String()
	return nil
}

func (d disk) regular(e *Entry, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := plumbing.NewHasher(plumbing.BlobObject, e.Size)
	n, err := io.Copy(hash, io.LimitReader(f, e.Size))
	if err != nil {
		return err
	}
	if n != e.Size {
		return fmt.Errorf("read %s: it became shorter meanwhile", file)
	}
	e.Hash = hash.Sum().String()
	if e.Size > MaxFileSize {
		e.Kind = TooLarge
		return nil
	}
	d.files[e.Hash] = file
	d.taken.take(e.Tenant, spent{content: e.Size})
	return nil
}

func (d disk) read(ctx context.Context, hash string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, ok := d.files[hash]
	if !ok {
		return nil, fmt.Errorf("file with hash %q: %w", hash, d.absent(hash))
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if plumbing.ComputeHash(plumbing.BlobObject, data).String() != hash {
		return nil, fmt.Errorf("read %s: changed while it was being checked; try again", file)
	}
	return data, nil
}

func (d disk) absent(hash string) error {
	for _, e := range d.snap.Files {
		if e.Hash == hash && e.Kind == TooLarge {
			return ErrTooLarge
		}
	}
	return ErrNotFound
}
