package source

import (
	"bytes"
	"encoding/hex"
	"io"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// pullSieve lets a listing of refs pass and takes the pull requests out of it:
// there can be tens of thousands, and go-git would make several objects of each
// at every poll. What it does not understand it leaves as it is.
type pullSieve struct {
	refs  PullRefs
	heads []pullHead // those that were taken out, in the listing's order

	from io.Reader
	line [maxLine]byte
	rest []byte // of line, to be handed on
	raw  bool   // nothing more is understood
}

// maxLine is how long a line of Git's protocol can be: four digits say it.
const maxLine = 1 << 16

// through is the listing without pull requests.
func (s *pullSieve) through(from io.Reader) io.Reader {
	s.from = from
	return s
}

// Read implements io.Reader. It reads no further than it hands on.
func (s *pullSieve) Read(to []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.raw {
			return s.from.Read(to)
		}
		s.next()
	}
	n := copy(to, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// next reads a line. One that breaks off is handed on; what comes after it is
// then for whoever reads to judge.
func (s *pullSieve) next() {
	n, err := io.ReadFull(s.from, s.line[:4])
	if err != nil {
		s.rest, s.raw = s.line[:n], true
		return
	}
	size, err := strconv.ParseUint(string(s.line[:4]), 16, 16)
	if err != nil || 0 < size && size < 4 {
		s.rest, s.raw = s.line[:4], true
		return
	}
	if size == 0 {
		s.rest = s.line[:4]
		return
	}
	n, err = io.ReadFull(s.from, s.line[4:size])
	if err != nil {
		s.rest, s.raw = s.line[:4+n], true
		return
	}
	if !s.take(s.line[4:size]) {
		s.rest = s.line[:size]
	}
}

// take takes a line out: a hash, a space and a name. The first line of a
// listing says more and stays.
func (s *pullSieve) take(line []byte) bool {
	const digits = 2 * len(plumbing.ZeroHash)
	line = bytes.TrimSuffix(line, []byte("\n"))
	if len(line) <= digits || line[digits] != ' ' || bytes.IndexByte(line, 0) >= 0 {
		return false
	}
	name := line[digits+1:]
	if !bytes.HasPrefix(name, []byte(s.refs)) {
		return false
	}
	var h pullHead
	if _, err := hex.Decode(h.head[:], line[:digits]); err != nil {
		return false
	}
	if n, ok := s.refs.number(string(name)); ok {
		h.number = int32(n)
		s.heads = append(s.heads, h)
	}
	return true
}

// pulls lists the refs of the remote, and apart from them the heads of its pull
// requests, of which there are about as many as last time.
func (l *link) pulls(refs PullRefs, about int) (*packp.AdvRefs, []pullHead, error) {
	if refs == "" {
		adv, err := l.refs()
		return adv, nil, err
	}
	s := &pullSieve{refs: refs, heads: make([]pullHead, 0, about)}
	adv, err := l.list(s.through)
	if err != nil {
		return nil, nil, err
	}
	for name, head := range adv.References { // where the first line was one
		if n, ok := refs.number(name); ok {
			s.heads = append(s.heads, pullHead{int32(n), head})
		}
	}
	return adv, s.heads, nil
}
