package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
)

// addPack takes a pack into the mirror: all of it to disk, then its index,
// then both to their names. A pack that breaks off or does not add up changes
// nothing. The returned function takes it out again. The view is still the old
// one.
func (m *mirror) addPack(ctx context.Context, pack io.Reader) (remove func(), err error) {
	dir := filepath.Join(m.dir, "objects", "pack")
	f, err := spool(pack, dir)
	if errors.Is(err, fs.ErrNotExist) { // somebody removed the folder under us
		return nil, &damage{"objects/pack", err}
	}
	if err != nil {
		return nil, err
	}
	defer discard(f)
	index, err := indexOf(ctx, f)
	if err != nil {
		return nil, err
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

// Bounds on one pack for a mirror, and on what is made of it. Git itself makes
// 50 deltas in a row and, of a file that is larger than 512 MiB, none.
const (
	maxPackObjects = 2_000_000
	maxPackWork    = 64 << 30
	// maxPackDelta is how large an object may be that is sent as a difference
	// of another, or that others are made from: three such are in memory at
	// once. It covers what forges let through by default, on GitHub files of
	// 100 MiB (docs.github.com, "About large files on GitHub"). One that is sent
	// as a whole is not held in memory, and may be larger.
	maxPackDelta = 128 << 20
	maxPackDepth = 250
)

func branchLimits() packLimits {
	return packLimits{objects: maxPackObjects, work: maxPackWork, object: maxPackDelta, depth: maxPackDepth,
		cache: maxPackDelta, whole: true} // of what is larger than the cache, each delta would be made from the beginning
}

// survey looks at every object of a whole pack, and at its checksum, without
// making more of it than is permitted.
func survey(ctx context.Context, from io.ReadSeeker, limits packLimits) (*pack, plumbing.Hash, error) {
	p := newPack(from, limits)
	sum, err := p.index(ctx)
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrTooLarge) {
		err = fmt.Errorf("%w: it sent a pack that cannot be used: %s", ErrUnavailable, clean(err.Error(), nil))
	}
	return p, sum, err
}

// indexOf reads a whole pack, every object and the checksum.
func indexOf(ctx context.Context, from io.ReadSeeker) (*idxfile.MemoryIndex, error) {
	p, sum, err := survey(ctx, from, branchLimits())
	if err != nil {
		return nil, err
	}
	writer := &idxfile.Writer{}
	for name, i := range p.names {
		writer.Add(name, uint64(p.entries[i].at), p.entries[i].crc)
	}
	if err := writer.OnFooter(sum); err != nil {
		return nil, fmt.Errorf("index a pack: %w", err)
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
