package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// addPack takes a pack into the mirror: all of it to disk, then its index,
// then both to their names. A pack that breaks off or does not add up changes
// nothing. The returned function takes it out again. The view is still the old
// one.
func (m *mirror) addPack(pack io.Reader) (remove func(), err error) {
	dir := filepath.Join(m.dir, "objects", "pack")
	f, err := spool(pack, dir)
	if errors.Is(err, fs.ErrNotExist) { // somebody removed the folder under us
		return nil, &damage{"objects/pack", err}
	}
	if err != nil {
		return nil, err
	}
	defer discard(f)
	index, err := indexOf(f)
	if err != nil {
		return nil, fmt.Errorf("%w: it sent a pack that cannot be used: %s", ErrUnavailable, clean(err.Error(), nil))
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	base := filepath.Join(dir, "pack-"+plumbing.Hash(index.PackfileChecksum).String())
	if err := writeIndex(base+".idx", index); err != nil {
		return nil, err
	}
	// An index without its pack is overlooked; a pack without its index is not.
	if err := os.Rename(f.Name(), base+".pack"); err != nil {
		return nil, err
	}
	return func() { _ = os.Remove(base + ".pack"); _ = os.Remove(base + ".idx") }, nil
}

// indexOf reads a whole pack, every object and the checksum.
func indexOf(f *os.File) (index *idxfile.MemoryIndex, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("unreadable: %v", p)
		}
	}()
	writer := &idxfile.Writer{}
	parser, err := packfile.NewParser(packfile.NewScanner(f), writer)
	if err != nil {
		return nil, err
	}
	if _, err := parser.Parse(); err != nil {
		return nil, err
	}
	if !writer.Finished() {
		return nil, errors.New("no end")
	}
	return writer.Index()
}

func writeIndex(file string, index *idxfile.MemoryIndex) error {
	f, err := os.CreateTemp(filepath.Dir(file), "tmp_idx_")
	if err != nil {
		return err
	}
	defer discard(f)
	if _, err := idxfile.NewEncoder(f).Encode(index); err != nil {
		return fmt.Errorf("index a pack: %w", err)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// packs counts the mirror's packs.
func (m *mirror) packs() int {
	found, err := filepath.Glob(filepath.Join(m.dir, "objects", "pack", "pack-*.pack"))
	if err != nil {
		return 0
	}
	return len(found)
}
