package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// status is the whole status of an index as JSON, with a tag that tells it from
// others; the same bytes for all who ask.
type status struct {
	asked atomic.Bool // by somebody who reads: the next index's will be wanted, too

	once sync.Once
	body []byte
	tag  string
	err  error
}

// document is what `portcullis status -o json` prints, made when it is first
// asked for.
func (x *index) document() (body []byte, tag string, err error) {
	s := &x.status
	s.once.Do(func() {
		if s.body, s.err = x.encode(); s.err == nil {
			sum := sha256.Sum256(s.body)
			s.tag = `"` + hex.EncodeToString(sum[:16]) + `"`
		}
	})
	return s.body, s.tag, s.err
}

// encode is the status indented, as json.MarshalIndent would have it, but for
// the clusters: of most of them it is known from the index before.
func (x *index) encode() ([]byte, error) {
	frame, err := json.MarshalIndent(x.summary(x.made), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the status: %w", err)
	}
	parts, size := make([][]byte, len(x.sorted)), 0
	for i, r := range x.sorted {
		if parts[i], err = r.encoded(); err != nil {
			return nil, err
		}
		size += len(parts[i]) + len(",\n    ")
	}
	// No string has a line break in it, once encoded: this is the field.
	head, tail, _ := bytes.Cut(frame, []byte("\n  \"clusters\": []"))
	body := slices.Grow([]byte(nil), len(frame)+size+16)
	body = append(append(body, head...), "\n  \"clusters\": ["...)
	for i, part := range parts {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(body, "\n    "...), part...)
	}
	if len(parts) > 0 {
		body = append(body, "\n  "...)
	}
	return append(append(append(body, ']'), tail...), '\n'), nil
}

// encoded is the row as it stands in the status.
func (r *row) encoded() ([]byte, error) {
	if known := r.json.Load(); known != nil {
		return *known, nil
	}
	out, err := json.MarshalIndent(&r.Observed, "    ", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode cluster %s: %w", r.ID, err)
	}
	r.json.Store(&out)
	return out, nil
}

// shelf has the pages of an index that were asked for last, by their address:
// many who look at the same have it made once a second.
type shelf struct{ few[shelved] }

type shelved struct {
	mu   sync.Mutex // held by who makes it
	at   time.Time
	body []byte
}

const (
	// mostShelved bounds the pages of one index that are kept, shelfTime for how
	// long one is given out: the ages in it go on.
	mostShelved = 16
	shelfTime   = time.Second
)

// page is the one under a name, made where there is none, or none that is new
// enough.
func (s *shelf) page(name string, now time.Time, render func() ([]byte, error)) ([]byte, error) {
	p := s.place(name, mostShelved)
	p.mu.Lock()
	defer p.mu.Unlock()
	if age := now.Sub(p.at); p.body != nil && age >= 0 && age < shelfTime {
		return p.body, nil
	}
	body, err := render()
	if err == nil {
		p.body, p.at = body, now
	}
	return body, err
}
