package source

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// endless says the same for ever.
type endless struct {
	text string
	rest string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		e.rest = e.text
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

type deaf struct{}

func (deaf) Write(p []byte) (int, error) { return len(p), nil }
func (deaf) Close() error                { return nil }

func saying(first, again string) *stream {
	return &stream{in: deaf{}, out: newRation(io.MultiReader(strings.NewReader(first), &endless{text: again})), said: &said{}, end: func() {}}
}

func line(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

// A program that does not stop talking, here or over ssh, is cut off where its
// answer has become too long.
func TestServerThatTalksForEver(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("1", 40)
	listing := line(hash+" refs/heads/main\x00report-status multi_ack\n") + "0000"
	for name, c := range map[string]struct {
		first, again string
		ask          func(*stream) error
		want         string
	}{
		"refs": {line(hash + " HEAD\x00ofs-delta\n"), line(hash + " refs/heads/" + strings.Repeat("x", 60_000) + "\n"), func(s *stream) error {
			_, err := s.advertised(asItIs)
			return err
		}, "bytes in a list of refs"},
		"commits that it has": {listing, line("ACK " + hash + " continue\n"), func(s *stream) error {
			adv, err := s.advertised(asItIs)
			if err != nil {
				return err
			}
			req, err := request(adv, []plumbing.Hash{plumbing.NewHash(hash)}, []plumbing.Hash{plumbing.NewHash(strings.Repeat("2", 40))}, true)
			if err == nil {
				_, err = s.fetch(req)
			}
			return err
		}, "bytes in what comes before a pack"},
		"words on a push": {line("unpack ok\n"), line("ok refs/notes/" + strings.Repeat("x", 60_000) + "\n"), func(s *stream) error {
			req := packp.NewReferenceUpdateRequest()
			req.Commands = []*packp.Command{{Name: "refs/notes/x", New: plumbing.NewHash(hash)}}
			_, err := s.push(req)
			return err
		}, "bytes in an answer to a push"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var over *TooLargeError
			if err := c.ask(saying(c.first, c.again)); !errors.As(err, &over) || over.What != c.want {
				t.Errorf("got %v, want more than so many %s", err, c.want)
			}
		})
	}
}

func TestRation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		most int64
		over bool
	}{{"", 0, false}, {"", 3, false}, {"abc", 3, false}, {"abcd", 3, true}, {"abc", 0, true}} {
		r := newRation(iotest.OneByteReader(strings.NewReader(c.text)))
		r.grant(c.most, "words")
		got, err := io.ReadAll(r)
		if want := c.text[:min(int(c.most), len(c.text))]; string(got) != want || errors.Is(err, ErrTooLarge) != c.over || (err != nil) != c.over {
			t.Errorf("%q up to %d: %q, %v", c.text, c.most, got, err)
		}
		if c.over != (r.exceeded() != nil) {
			t.Errorf("%q up to %d: exceeded is %v", c.text, c.most, r.exceeded())
		}
	}
	r := newRation(strings.NewReader("abcdef"))
	for _, want := range []string{"abc", "def"} {
		r.grant(3, "words")
		got := make([]byte, 3)
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}
