package notes_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// What a post costs must not grow with the posts before it. Without the cut
// in history, 1,000 of them make it a million allocations.
func TestLongHistoryIsNotWalked(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, "init", "--quiet", "--bare")
	history(t, dir, 1000)
	f := open(t, &remote{dir: dir}, nil)
	var errs []error
	n := 0
	post := func() {
		n++
		c := check(fmt.Sprintf("%040x", n), forge.Success, "applied")
		errs = append(errs, f.Post(t.Context(), []forge.Check{c})...)
	}
	post() // fetches
	allocs := testing.AllocsPerRun(3, post)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if allocs > 200_000 {
		t.Errorf("%.0f allocations for one post", allocs)
	}
	equal(t, "commits of notes", run(t, dir, "rev-list", "--count", ref), "1005\n")
	run(t, dir, "fsck", "--strict", "--full")
}
