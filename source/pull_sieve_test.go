package source

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func pktLine(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

func sifted(t *rapid.T, text string) (string, []int) {
	s := &pullSieve{refs: PullRequests}
	from := io.Reader(strings.NewReader(text))
	if rapid.Bool().Draw(t, "in bits") {
		from = iotest.OneByteReader(from)
	}
	out, err := io.ReadAll(s.through(from))
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for _, h := range s.heads {
		numbers = append(numbers, int(h.number))
	}
	return string(out), numbers
}

// Of a listing all passes that is no pull request, wherever it breaks off.
func TestSieveTakesOutPullRequests(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("5", 40)
	rapid.Check(t, func(t *rapid.T) {
		all := pktLine("# service=git-upload-pack\n") + "0000" + pktLine(hash+" refs/pull/1/head\x00ofs-delta\n")
		want := all
		var numbers []int
		for range rapid.IntRange(0, 20).Draw(t, "refs") {
			n := rapid.IntRange(1, 1<<31-1).Draw(t, "number")
			name := rapid.SampledFrom([]string{"refs/pull/%d/head", "refs/pull/%d/merge", "refs/heads/%d", "refs/merge-requests/%d/head"}).Draw(t, "name")
			line := pktLine(hash + " " + fmt.Sprintf(name, n) + rapid.SampledFrom([]string{"", "\n"}).Draw(t, "end"))
			all += line
			if !strings.HasPrefix(name, "refs/pull/") {
				want += line
			}
			if name == "refs/pull/%d/head" {
				numbers = append(numbers, n)
			}
		}
		got, found := sifted(t, all+"0000")
		if got != want+"0000" || !slices.Equal(found, numbers) {
			t.Fatalf("got %q and %v, want %q and %v", got, found, want+"0000", numbers)
		}
		half, _ := sifted(t, all[:rapid.IntRange(0, len(all)).Draw(t, "cut")])
		if len(half) > len(all) {
			t.Fatalf("%q is more than there was", half)
		}
	})
}

// What is no listing, as a page that asks to log in, passes as it is.
func TestSieveLeavesTheRest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9a-f]{4}.{0,30}`), rapid.Just("<html>"), rapid.Just("0000"), rapid.Just("0004")).Draw(t, "text")
		if got, numbers := sifted(t, text); got != text || len(numbers) != 0 {
			t.Fatalf("got %q and %v of %q", got, numbers, text)
		}
	})
}
