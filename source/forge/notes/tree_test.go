package notes_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/notes"
)

// plant writes a notes ref with the given files, as other writers leave it.
func plant(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	var stream strings.Builder
	fmt.Fprintf(&stream, "commit %s\ncommitter a <a@b> 1700000000 +0000\ndata 1\nx\n", ref)
	for path, text := range files {
		fmt.Fprintf(&stream, "M 644 inline %s\ndata %d\n%s\n", path, len(text), text)
	}
	if out, err := try(dir, stream.String(), "fast-import", "--quiet", "--force"); err != nil {
		t.Fatalf("fast-import: %v\n%s", err, out)
	}
}

func levels(commit string, n int) string {
	path := ""
	for range n {
		path, commit = path+commit[:2]+"/", commit[2:]
	}
	return path + commit
}

// Whatever fan-out other writers left, and mixtures of it: their notes stay,
// ours are found by git, each commit has one note.
func TestFanOutIsKept(t *testing.T) {
	t.Parallel()
	for name, level := range map[string]func(i int) int{
		"none":  func(int) int { return 0 },
		"one":   func(int) int { return 1 },
		"two":   func(int) int { return 2 },
		"mixed": func(i int) int { return i % 3 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, commits := bare(t, 40)
			files := map[string]string{"README": "not a note"}
			for i, c := range commits[:30] {
				files[levels(c, level(i))] = "foreign\n"
			}
			plant(t, dir, files)
			f := open(t, &remote{dir: dir}, nil)
			var checks []forge.Check
			for _, c := range commits[20:] { // ten are there already, ten are new
				checks = append(checks, check(c, forge.Success, "applied"))
			}
			post(t, f, checks...)
			for i, c := range commits {
				want := "foreign\n"
				if i >= 20 {
					want = "success portcullis/eu-west: applied\n"
				}
				equal(t, "note", show(t, dir, c), want)
			}
			equal(t, "notes", strings.Count(run(t, dir, "ls-tree", "-r", ref), "\n"), 41)
			equal(t, "other file", run(t, dir, "show", ref+":README"), "not a note")
			run(t, dir, "fsck", "--strict", "--full")
			// And git can go on from there.
			run(t, dir, "notes", "--ref", ref, "add", "-f", "-m", "later", commits[39])
			equal(t, "note", show(t, dir, commits[39]), "later\n")
		})
	}
}

func TestNoteInTwoPlacesBecomesOne(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 1)
	c := commits[0]
	plant(t, dir, map[string]string{c: "one\n", levels(c, 1): "two\n", levels(c, 2): "three\n"})
	post(t, open(t, &remote{dir: dir}, nil), check(c, forge.Success, "applied"))
	equal(t, "note", show(t, dir, c), "success portcullis/eu-west: applied\n")
	equal(t, "files", run(t, dir, "ls-tree", "-r", "--name-only", ref), levels(c, 2)+"\n")
}

func TestFileInAFoldersPlaceStays(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 1)
	plant(t, dir, map[string]string{commits[0][:2]: "a file"})
	post(t, open(t, &remote{dir: dir}, nil), check(commits[0], forge.Success, "applied"))
	equal(t, "note", show(t, dir, commits[0]), "success portcullis/eu-west: applied\n")
	equal(t, "file", run(t, dir, "show", ref+":"+commits[0][:2]), "a file")
}

func TestThreeThousandNotes(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 3001)
	files := map[string]string{}
	for _, c := range commits[:3000] {
		files[levels(c, 1)] = "foreign\n"
	}
	plant(t, dir, files)
	r := &remote{dir: dir}
	f := open(t, r, nil)
	post(t, f, check(commits[3000], forge.Success, "applied"))
	post(t, f, check(commits[0], forge.Success, "again"))
	equal(t, "new", show(t, dir, commits[3000]), "success portcullis/eu-west: applied\n")
	equal(t, "replaced", show(t, dir, commits[0]), "success portcullis/eu-west: again\n")
	equal(t, "notes", strings.Count(run(t, dir, "notes", "--ref", ref, "list"), "\n"), 3001)
	equal(t, "requests", r.counts(), "1 fetches, 2 pushes")
}

// Any file of the cache may be cut short, filled with rubbish or gone.
func TestDamagedFolderIsMadeAnew(t *testing.T) {
	t.Parallel()
	spoils := map[string]func(file string) error{
		"cut":     func(f string) error { return os.Truncate(f, 0) },
		"rubbish": func(f string) error { return os.WriteFile(f, []byte("rubbish\x00\xff"), 0o600) },
		"gone":    os.Remove,
	}
	for name, spoil := range spoils {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, commits := bare(t, 4)
			cache := filepath.Join(t.TempDir(), "notes")
			adjust := func(o *notes.Options) { o.Dir = cache }
			running := open(t, &remote{dir: dir}, adjust)
			post(t, running, check(commits[0], forge.Success, "0"), check(commits[1], forge.Success, "1"))
			for i := range 25 {
				f := running
				if i%2 == 1 {
					f = open(t, &remote{dir: dir}, adjust)
				}
				files := filesIn(t, cache) // loose objects at first, packs once made anew
				file := files[i%len(files)]
				if err := errors.Join(os.Chmod(file, 0o600), spoil(file)); err != nil {
					t.Fatal(err)
				}
				title := fmt.Sprintf("after %s of %d", name, i)
				post(t, f, check(commits[2], forge.Success, title))
				equal(t, file+": note", show(t, dir, commits[2]), "success portcullis/eu-west: "+title+"\n")
				equal(t, file+": note before", show(t, dir, commits[0]), "success portcullis/eu-west: 0\n")
			}
			run(t, dir, "fsck", "--strict", "--full")
		})
	}
}

func filesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSomethingElseInTheFoldersPlace(t *testing.T) {
	t.Parallel()
	dir, commits := bare(t, 1)
	cache := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(cache, []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	post(t, open(t, &remote{dir: dir}, func(o *notes.Options) { o.Dir = cache }), check(commits[0], forge.Success, "x"))
	equal(t, "note", show(t, dir, commits[0]), "success portcullis/eu-west: x\n")
}
