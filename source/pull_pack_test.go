package source_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// crafting is a host whose packs are made here.
type crafting struct {
	*host
	head string
}

// serveObjects answers a fetch of pull request 7 with a pack of all objects
// that the branch does not have: Git's own server would refuse to send some.
func serveObjects(t *testing.T, u *upstream, head string) crafting {
	t.Helper()
	had := strings.Fields(u.git("rev-list", "--objects", "--no-object-names", "main"))
	objects := strings.Fields(input(u, "", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
	objects = slices.DeleteFunc(objects, func(o string) bool { return slices.Contains(had, o) })
	pack := input(u, strings.Join(objects, "\n")+"\n", "pack-objects", "--stdout", "-q")
	return servePack(t, u, head, []byte(pack))
}

// servePack answers a fetch of pull request 7 with a pack.
func servePack(t *testing.T, u *upstream, head string, pack []byte) crafting {
	t.Helper()
	u.pull(7, u.git("rev-parse", "main"))
	h := crafting{serve(t, u, false), head}
	ref := []byte(u.git("rev-parse", "main") + " refs/pull/7/head")
	h.breakWith(func(w http.ResponseWriter, r *http.Request, real http.Handler) bool {
		switch {
		case r.Method == http.MethodGet:
			return changed(func(b []byte) []byte { return bytes.Replace(b, ref, []byte(head+" refs/pull/7/head"), 1) })(w, r, real)
		case !wants(r, head):
			return false
		}
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		fmt.Fprint(w, "0008NAK\n")
		for part := range slices.Chunk(pack, 60_000) {
			fmt.Fprintf(w, "%04x\x01%s", len(part)+5, part)
		}
		fmt.Fprint(w, "0000")
		return true
	})
	return h
}

func wants(r *http.Request, head string) bool {
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	r.Body = readCloser{&body}
	return strings.Contains(body.String(), "want "+head)
}

type readCloser struct{ *bytes.Buffer }

func (readCloser) Close() error { return nil }

// packOf makes a pack of anything, with the right checksum.
type packOf struct {
	bytes.Buffer
	count uint32
}

func (p *packOf) add(kind byte, size uint64, extra []byte, deflated []byte) (at int) {
	at = p.Len()
	first := kind<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		p.WriteByte(first | 0x80)
		first = byte(size & 0x7f)
	}
	p.WriteByte(first)
	p.Write(extra)
	p.Write(deflated)
	p.count++
	return at
}

func (p *packOf) bytes(count uint32) []byte {
	out := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), count)
	out = append(out, p.Bytes()...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}

func deflated(pieces ...[]byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	for _, p := range pieces {
		_, _ = w.Write(p)
	}
	_ = w.Close()
	return out.Bytes()
}

// offset is how far back the base of a delta is, as a pack says it.
func offset(n int) []byte {
	out := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		out = append([]byte{byte(n&0x7f) | 0x80}, out...)
	}
	return out
}

// grow is a delta that copies a base of so many bytes again and again.
func grow(base, times int) []byte {
	out := binary.AppendUvarint(nil, uint64(base))
	out = binary.AppendUvarint(out, uint64(base*times))
	for range times {
		out = append(out, 0xf0, byte(base), byte(base>>8), byte(base>>16))
	}
	return out
}

// Packs that say more than they are, or are more than they say.
func TestPackBombs(t *testing.T) {
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	zeros := make([]byte, 1<<20)
	const gib = 1 << 30
	bomb := func(make func(p *packOf)) []byte {
		p := &packOf{}
		make(p)
		return p.bytes(p.count)
	}
	huge := deflated(slices.Repeat([][]byte{zeros}, 300)...)
	for name, c := range map[string]struct {
		pack []byte
		over string // a bound; empty: it is no pack
	}{
		"many large files": {bomb(func(p *packOf) {
			for range 2 {
				p.add(3, 300<<20, nil, huge)
			}
		}), "when unpacked"},
		"says that it is huge":         {bomb(func(p *packOf) { p.add(3, 1<<40, nil, deflated(zeros)) }), "when unpacked"},
		"says that it is negative":     {bomb(func(p *packOf) { p.add(3, 1<<63, nil, deflated(zeros)) }), ""},
		"is more than it says":         {bomb(func(p *packOf) { p.add(3, 10, nil, huge) }), ""},
		"is less than it says":         {bomb(func(p *packOf) { p.add(3, 2<<20, nil, deflated(zeros)) }), ""},
		"says that it has all objects": {(&packOf{}).bytes(1<<32 - 1), "objects"},
		"lacks objects":                {(&packOf{}).bytes(1000), ""},
		"is of no kind":                {bomb(func(p *packOf) { p.add(5, 1, nil, deflated([]byte("x"))) }), ""},
		"deltas that grow": {bomb(func(p *packOf) {
			last, size := p.add(3, 64, nil, deflated(make([]byte, 64))), 64
			for range 8 {
				d := grow(size, 8)
				at := p.Len()
				p.add(6, uint64(len(d)), offset(at-last), deflated(d))
				last, size = at, size*8
			}
		}), "when unpacked"},
		"a delta that says it is huge": {bomb(func(p *packOf) {
			at := p.add(3, 4, nil, deflated([]byte("base")))
			d := binary.AppendUvarint(binary.AppendUvarint(nil, 4), gib*4)
			p.add(6, uint64(len(d)), offset(p.Len()-at), deflated(d))
		}), "when unpacked"},
		"deltas in an endless row": {bomb(func(p *packOf) {
			last := p.add(3, 64, nil, deflated(make([]byte, 64)))
			for range 1000 {
				at := p.Len()
				d := grow(64, 1)
				p.add(6, uint64(len(d)), offset(at-last), deflated(d))
				last = at
			}
		}), "deltas in a row"},
		"deltas of much work": {bomb(func(p *packOf) {
			base := p.add(3, 1<<20, nil, deflated(zeros))
			for range 5000 {
				d := grow(1<<20, 8)
				p.add(6, uint64(len(d)), offset(p.Len()-base), deflated(d))
			}
		}), "when unpacked"},
		"deltas of each other": {bomb(func(p *packOf) {
			for _, b := range []byte{1, 2} {
				p.add(7, 5, bytes.Repeat([]byte{b}, 20), deflated([]byte{4, 4, 0x90, 4, 0}))
			}
		}), ""},
		"a delta before the pack": {bomb(func(p *packOf) { p.add(6, 5, offset(1<<20), deflated([]byte{4, 4, 0x90, 4, 0})) }), ""},
		"a delta out of its base": {bomb(func(p *packOf) {
			b := p.add(3, 4, nil, deflated([]byte("base")))
			p.add(6, 6, offset(p.Len()-b), deflated([]byte{4, 200, 1, 0x91, 3, 200}))
		}), ""},
		"a delta of nothing": {bomb(func(p *packOf) {
			b := p.add(3, 0, nil, deflated())
			p.add(6, 3, offset(p.Len()-b), deflated([]byte{0, 1, 0x90}))
		}), ""},
		"an empty answer":          {nil, ""},
		"something else":           {[]byte("PACK and so on"), ""},
		"a checksum that is wrong": {append((&packOf{}).bytes(0), 1)[:31], ""},
	} {
		t.Run(name, func(t *testing.T) {
			sub := &upstream{t: t, bare: u.bare, work: u.work, tick: u.tick}
			h := servePack(t, sub, strings.Repeat("5", 40), c.pack)
			dir := t.TempDir()
			r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Pulls: source.PullRequests, Dir: dir})
			poll(t, r)
			before := disk(t, dir)
			atMost(t, func() {
				_, err := r.Pull(t.Context(), 7, h.head)
				if c.over != "" {
					tooLarge(t, err, c.over)
					return
				}
				wantError(t, err, source.ErrUnavailable, "")
			})
			if !equal(before, disk(t, dir)) {
				t.Error("the mirror's folder has changed")
			}
		})
	}
}
