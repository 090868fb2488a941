package notes_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// BenchmarkPostOnALongHistory is one note onto so many posts before it.
func BenchmarkPostOnALongHistory(b *testing.B) {
	for _, posts := range []int{10, 1000, 5000} {
		b.Run(fmt.Sprint(posts), func(b *testing.B) {
			dir := b.TempDir()
			run(b, dir, "init", "--quiet", "--bare")
			history(b, dir, posts)
			f := open(b, &remote{dir: dir}, nil)
			for i := 0; b.Loop(); i++ {
				c := check(fmt.Sprintf("%040x", i), forge.Success, "applied")
				if err := f.Post(b.Context(), []forge.Check{c})[0]; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func history(b testing.TB, dir string, posts int) {
	b.Helper()
	var stream strings.Builder
	for i := range posts {
		name := fmt.Sprintf("%08x", uint32(i)*2654435761) + strings.Repeat("0", 32)
		fmt.Fprintf(&stream, "commit %s\ncommitter a <a@b> %d +0000\ndata 1\nx\nM 644 inline %s\ndata 1\nx\n",
			ref, 1_700_000_000+i, levels(name, 1))
	}
	if out, err := try(dir, stream.String(), "fast-import", "--quiet"); err != nil {
		b.Fatalf("fast-import: %v\n%s", err, out)
	}
}
