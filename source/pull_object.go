package source

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// read is an object's content; ok is false where the pack does not have it.
func (p *pack) read(kind plumbing.ObjectType, h plumbing.Hash, limit int64) (data []byte, ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok := p.names[h]
	if !ok {
		return nil, false, nil
	}
	e := p.entries[i]
	switch {
	case e.kind != kind:
		return nil, true, fmt.Errorf("%w: %s is a %s where a %s should be", ErrMalformed, h, e.kind, kind)
	case e.size > limit:
		return nil, true, fmt.Errorf("%s %s: %w", kind, h, &TooLargeError{"bytes in a " + kind.String(), limit})
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errPack, r)
		}
	}()
	data, err = p.whole(i)
	return data, true, err
}

// size is a file's size in bytes; ok is false where the pack does not have it.
func (p *pack) size(h plumbing.Hash) (size int64, ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok := p.names[h]
	if !ok {
		return 0, false, nil
	}
	if e := p.entries[i]; e.kind != plumbing.BlobObject {
		return 0, true, fmt.Errorf("%w: %s is a %s where a file should be", ErrMalformed, h, e.kind)
	}
	return p.entries[i].size, true, nil
}

// has tells whether an object came with the pack.
func (p *pack) has(h plumbing.Hash) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.names[h]
	return ok
}

// rest forgets what was put together.
func (p *pack) rest() { p.recent.Clear() }

// whole puts an object together: what its deltas begin with, then one delta
// after the other. The caller holds mu, and does not change what it gets.
func (p *pack) whole(i int32) ([]byte, error) {
	var deltas []int32
	var data []byte
	for data == nil {
		e := p.entries[i]
		if kept, ok := p.recent.Get(e.at); ok {
			data = kept
			break
		}
		if e.base < 0 {
			var err error
			if data, err = p.inflated(e); err != nil {
				return nil, err
			}
			p.recent.Put(e.at, data)
			break
		}
		deltas = append(deltas, i)
		i = e.base
	}
	for _, i := range slices.Backward(deltas) {
		var err error
		if data, err = p.patched(data, p.entries[i]); err != nil {
			return nil, err
		}
		p.recent.Put(p.entries[i].at, data)
	}
	return data, nil
}

// collectFrom is the size of objects, in bytes, before whose making what the
// last one left is collected: else the heap grows to twice of what is needed.
const collectFrom = 32 << 20

func (p *pack) patched(base []byte, e packEntry) ([]byte, error) {
	delta, err := p.inflated(e)
	if err != nil {
		return nil, err
	}
	if err := p.spend(e.size); err != nil {
		return nil, err
	}
	if e.size > collectFrom {
		runtime.GC()
	}
	data, err := packfile.PatchDelta(base, delta)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPack, err)
	}
	return data, nil
}

// inflated is what was sent for an object: its content, or its delta.
func (p *pack) inflated(e packEntry) ([]byte, error) {
	if e.sent > p.limits.object {
		return nil, &TooLargeError{"bytes in an object that others are made from", p.limits.object}
	}
	if err := p.spend(e.sent); err != nil {
		return nil, err
	}
	if _, err := p.scan.SeekObjectHeader(e.at); err != nil {
		return nil, fmt.Errorf("%w: %w", errPack, err)
	}
	out := bytes.NewBuffer(make([]byte, 0, e.sent))
	if _, err := p.inflate(out, e.sent); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// spend takes bytes from what may be made, before they are.
func (p *pack) spend(n int64) error {
	if n < 0 || n > p.work {
		return &TooLargeError{"bytes when unpacked", p.limits.work}
	}
	p.work -= n
	return nil
}

// chunkSize is that of all chunks but the last, in bytes.
const chunkSize = 64 << 10

// chunks are bytes in pieces: growing one slice would take twice the memory.
type chunks [][]byte

// gather reads to the end.
func gather(from io.Reader) (chunks, error) {
	var out chunks
	for {
		piece := make([]byte, chunkSize)
		n, err := io.ReadFull(from, piece)
		switch err {
		case nil:
			out = append(out, piece)
			continue
		case io.EOF, io.ErrUnexpectedEOF: // one that was cut short lacks its checksum
			if n > 0 {
				out = append(out, bytes.Clone(piece[:n]))
			}
			return out, nil
		}
		return nil, err
	}
}

func (c chunks) size() int64 {
	if len(c) == 0 {
		return 0
	}
	return int64(len(c)-1)*chunkSize + int64(len(c[len(c)-1]))
}

// ReadAt implements io.ReaderAt.
func (c chunks) ReadAt(to []byte, at int64) (n int, err error) {
	for n < len(to) {
		i, within := int(at/chunkSize), int(at%chunkSize)
		if i >= len(c) || within >= len(c[i]) {
			return n, io.EOF
		}
		k := copy(to[n:], c[i][within:])
		n, at = n+k, at+int64(k)
	}
	return n, nil
}

// refill permits as much work again: for the next time that all is looked at.
func (p *pack) refill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.work = p.limits.work
}

// held is how many bytes of memory the pack takes, about.
func (p *pack) held() int64 {
	const entry = 120 // with its name
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.raw.size() + int64(len(p.entries))*entry
}

// hides tells whether the pack has files whose names are not known.
func (p *pack) hides() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unnamed > 0
}

// drop forgets everything.
func (p *pack) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.raw, p.scan, p.entries, p.names, p.unnamed = nil, nil, nil, nil, 0
	p.recent.Clear()
}
