package source

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

var errPack = errors.New("not a pack that can be used")

// packLimits bound what is made of one pack.
type packLimits struct {
	objects int64 // how many it may hold
	work    int64 // bytes that unpacking may make, all objects together
	object  int64 // bytes of one that has to be in memory as a whole, for deltas
	depth   int32 // deltas that may follow each other
	cache   int64 // bytes of bases that are kept
	// whole says that a delta that is too large makes the pack unusable; else
	// its name stays unknown.
	whole bool
}

// pack holds objects as they were sent, in memory or in a file, and unpacks one
// at a time when it is asked for. It is made of what anybody may have sent: a
// small pack can stand for any number of bytes, so sizes are looked at before
// anything is inflated. It is safe for concurrent use.
type pack struct {
	raw    chunks // nil where it is in a file
	limits packLimits

	mu      sync.Mutex
	scan    *packfile.Scanner
	entries []packEntry // by place
	names   map[plumbing.Hash]int32
	work    int64 // bytes that may still be made
	recent  cache.BufferLRU
	// unnamed counts deltas that are too large to be put together, whose names
	// are not known therefore.
	unnamed int
}

// packEntry is one object of a pack.
type packEntry struct {
	at   int64               // place in the pack
	sent int64               // bytes that it inflates to: itself, or its delta
	size int64               // bytes of the object
	kind plumbing.ObjectType // that of a delta is its base's, once that is known
	// base is the place in the list of what a delta is made from; -1: none or
	// not known yet.
	base  int32
	depth int32 // deltas up to an object that is whole
	crc   uint32
	large bool // not to be put together
}

// readPack takes a whole pack and finds out what is in it.
func readPack(ctx context.Context, from io.Reader) (p *pack, err error) {
	raw, err := gather(from)
	if err != nil {
		return nil, err
	}
	p = newPack(io.NewSectionReader(raw, 0, raw.size()), packLimits{objects: MaxPullObjects, work: maxPullWork,
		object: maxPullObject, depth: maxPullDepth, cache: pullCache})
	p.raw = raw
	_, err = p.index(ctx)
	return p, err
}

func newPack(from io.ReadSeeker, limits packLimits) *pack {
	return &pack{limits: limits, names: map[plumbing.Hash]int32{}, work: limits.work,
		recent: cache.BufferLRU{MaxSize: cache.FileSize(limits.cache)}, scan: packfile.NewScanner(from)}
}

// index finds out what is in the pack, and answers the pack's checksum.
func (p *pack) index(ctx context.Context) (sum plumbing.Hash, err error) {
	defer p.recent.Clear()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errPack, r)
		}
	}()
	_, count, err := p.scan.Header()
	if err != nil {
		return sum, fmt.Errorf("%w: %w", errPack, err)
	}
	if int64(count) > p.limits.objects {
		return sum, &TooLargeError{"objects", p.limits.objects}
	}
	bases := map[int32]plumbing.Hash{}
	for range count {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		if err := p.first(bases); err != nil {
			return sum, err
		}
	}
	if sum, err = p.scan.Checksum(); err != nil {
		return sum, fmt.Errorf("%w: %w", errPack, err)
	}
	return sum, p.nameDeltas(ctx, bases)
}

// first looks at the next object for the first time. One that is whole gets its
// name, without being held in memory.
func (p *pack) first(bases map[int32]plumbing.Hash) error {
	h, err := p.scan.NextObjectHeader()
	if err != nil {
		return fmt.Errorf("%w: %w", errPack, err)
	}
	if err := p.spend(h.Length); err != nil {
		return err
	}
	e := packEntry{at: h.Offset, sent: h.Length, size: h.Length, kind: h.Type, base: -1}
	i := int32(len(p.entries))
	switch h.Type {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		hash := plumbing.NewHasher(h.Type, h.Length)
		e.crc, err = p.inflate(hash, h.Length)
		p.names[hash.Sum()] = i
	case plumbing.OFSDeltaObject:
		base, found := slices.BinarySearchFunc(p.entries, h.OffsetReference, func(e packEntry, at int64) int { return int(e.at - at) })
		if !found {
			return fmt.Errorf("%w: a delta without its base", errPack)
		}
		e.base = int32(base)
		err = p.deltaSize(&e)
	case plumbing.REFDeltaObject:
		bases[i] = h.Reference
		err = p.deltaSize(&e)
	default:
		return fmt.Errorf("%w: an object of unknown kind", errPack)
	}
	p.entries = append(p.entries, e)
	return err
}

// inflate writes the object whose header was just read, and answers the
// checksum of what was sent for it.
func (p *pack) inflate(to io.Writer, size int64) (crc uint32, err error) {
	n, crc, err := p.scan.NextObject(to)
	if err == nil && n != size {
		err = errors.New("shorter than it says")
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errPack, err)
	}
	return crc, nil
}

// deltaSize notes the size of what a delta makes, which it says at its
// beginning.
func (p *pack) deltaSize(e *packEntry) (err error) {
	var start beginning
	if e.crc, err = p.inflate(&start, e.sent); err != nil {
		return err
	}
	_, n := binary.Uvarint(start)
	if n <= 0 {
		return fmt.Errorf("%w: a delta without sizes", errPack)
	}
	size, n := binary.Uvarint(start[n:])
	if n <= 0 || size > uint64(p.limits.work) {
		return &TooLargeError{"bytes when unpacked", p.limits.work}
	}
	e.size = int64(size)
	return nil
}

// beginning keeps the first bytes that are written to it: two numbers.
type beginning []byte

func (b *beginning) Write(data []byte) (int, error) {
	room := 2*binary.MaxVarintLen64 - len(*b)
	*b = append(*b, data[:min(room, len(data))]...)
	return len(data), nil
}

// nameDeltas puts each delta together once, to learn its name. Bases that are
// said by name may come later in the pack; every turn settles some or it is in
// vain.
func (p *pack) nameDeltas(ctx context.Context, bases map[int32]plumbing.Hash) error {
	var open []int32
	for i, e := range p.entries {
		if e.kind.IsDelta() {
			open = append(open, int32(i))
		}
	}
	for len(open) > 0 {
		left := open[:0]
		for _, i := range open {
			if err := ctx.Err(); err != nil {
				return err
			}
			done, err := p.nameDelta(i, bases)
			if err != nil {
				return err
			}
			if !done {
				left = append(left, i)
			}
		}
		if len(left) == len(open) {
			return fmt.Errorf("%w: a delta without its base", errPack)
		}
		open = left
	}
	return nil
}

// tooLargeToPatch says what keeps the source where it is, and what to do: who
// merged the file may be another tenant than who reads this.
func (p *pack) tooLargeToPatch(size int64) error {
	over := &TooLargeError{"bytes in an object that is sent as a difference, or that others are made from", p.limits.object}
	return fmt.Errorf("%w: one has %d (%d MiB); lists stay in force, and the branch is followed again once the file is out of its history, or the Git server sends it whole (core.bigFileThreshold)",
		over, size, size>>20)
}

func (p *pack) nameDelta(i int32, bases map[int32]plumbing.Hash) (done bool, err error) {
	e := &p.entries[i]
	if name, said := bases[i]; said {
		base, found := p.names[name]
		if !found {
			return false, nil
		}
		e.base = base
	}
	base := p.entries[e.base]
	if base.kind.IsDelta() {
		return false, nil
	}
	if e.depth = base.depth + 1; e.depth > p.limits.depth {
		return false, &TooLargeError{"deltas in a row", int64(p.limits.depth)}
	}
	e.kind = base.kind
	if e.large = base.large || max(base.size, e.size, e.sent) > p.limits.object; e.large {
		if p.limits.whole {
			return false, p.tooLargeToPatch(max(base.size, e.size, e.sent))
		}
		p.unnamed++
		return true, nil
	}
	data, err := p.whole(i)
	if err != nil {
		return false, err
	}
	p.names[plumbing.ComputeHash(e.kind, data)] = i
	return true, nil
}
