package source

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// packOf has Git pack versions of a file, each a commit, newest first.
func packOf(t *testing.T, versions ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	run := func(in string, args ...string) []byte {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return out
	}
	run("", "init", "-q", "-b", "main")
	for i, text := range versions {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		run("", "add", "file")
		run("", "commit", "-q", "-m", fmt.Sprint(i))
	}
	return run("main\n", "pack-objects", "--revs", "--stdout", "-q", "--no-reuse-delta", "--delta-base-offset", "--depth=50")
}

// nothingShrinks are bytes that no packer makes smaller.
func nothingShrinks(n int) string {
	out := make([]byte, n)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(out)
	return string(out)
}

// A pack is refused by what would be made of it, before it is.
func TestSurvey(t *testing.T) {
	t.Parallel()
	const size = 200_000
	text := nothingShrinks(size)
	var edits []string
	for i := range 8 {
		edits = append(edits, fmt.Sprint(text, "edition ", strings.Repeat("x", i)))
	}
	roomy := packLimits{objects: 1000, work: 1 << 30, object: 1 << 20, depth: 50, cache: 1 << 20, whole: true}
	for name, c := range map[string]struct {
		versions []string
		change   func(*packLimits)
		want     string // what is too much
	}{
		"as it should be":                {edits, func(*packLimits) {}, ""},
		"too many objects":               {edits, func(l *packLimits) { l.objects = 23 }, "objects"},
		"too much when unpacked":         {edits, func(l *packLimits) { l.work = 4 * size }, "bytes when unpacked"},
		"nothing much that unpacks":      {[]string{strings.Repeat("\x00", 50*size)}, func(l *packLimits) { l.work = 50 * size }, "bytes when unpacked"},
		"a delta of a large file":        {edits, func(l *packLimits) { l.object = size / 2 }, "bytes in an object that is sent as a difference"},
		"deltas, of which none may be":   {edits, func(l *packLimits) { l.depth = 0 }, "deltas in a row"},
		"a large file that is no delta":  {edits[:1], func(l *packLimits) { l.object = size / 2 }, ""},
		"a large file of nothing at all": {[]string{strings.Repeat("\x00", 50*size)}, func(l *packLimits) { l.object = size }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limits := roomy
			c.change(&limits)
			p, _, err := survey(t.Context(), bytes.NewReader(packOf(t, c.versions...)), limits)
			var over *TooLargeError
			if c.want == "" {
				if err != nil || len(p.names) != 3*len(c.versions) {
					t.Errorf("%d objects, %v", len(p.names), err)
				}
			} else if !errors.As(err, &over) || !strings.HasPrefix(over.What, c.want) {
				t.Errorf("got %v, want too many %s", err, c.want)
			}
			if name == "a delta of a large file" {
				wantWords(t, err, "one has 200", "lists stay in force", "out of its history", "core.bigFileThreshold")
			}
		})
	}
}

// wantWords wants an error that says all of some words.
func wantWords(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(fmt.Sprint(err), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

// The index is the one that Git makes.
func TestIndexIsGits(t *testing.T) {
	t.Parallel()
	pack := packOf(t, "one\n"+nothingShrinks(5000), "two\n"+nothingShrinks(5000), nothingShrinks(5000))
	index, err := indexOf(t.Context(), bytes.NewReader(pack))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ours := filepath.Join(dir, "pack-ours.idx")
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "pack-ours.pack"), pack, 0o600), writeIndex(ours, index)); err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(dir, "theirs.idx")
	if out, err := exec.Command("git", "index-pack", "-o", theirs, filepath.Join(dir, "pack-ours.pack")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	a, errA := os.ReadFile(ours)
	b, errB := os.ReadFile(theirs)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("%d bytes, Git's has %d: %v, %v", len(a), len(b), errA, errB)
	}
}
