package source_test

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// fill writes one of everything.
func fill(u *upstream) {
	u.write("README.md", "hello")
	u.write("tenants/README.md", "hello")
	u.write("tenants/.yamllint", "rules")
	u.write("tenants/stray.yaml", "outside any tenant")
	u.write("tenants/acme/a.yaml", "one")
	u.write("tenants/acme/deep/er/b.YML", "two")
	u.write("tenants/acme/c.yaml.bak", "three")
	u.write("tenants/acme/.github/workflows/ci.yaml", "jobs")
	u.write("tenants/acme/notes.txt", "four")
	u.write("tenants/acme-2/big.yaml", strings.Repeat("x", 2<<20))
	u.write("tenants/acme-2/full.yaml", strings.Repeat("x", source.MaxFileSize))
	u.write("tenantsX/other/a.yaml", "not below the path")
	if err := os.Symlink("../../../etc/passwd", filepath.Join(u.work, "tenants/acme/link.yaml")); err != nil {
		u.t.Fatal(err)
	}
	if err := os.Symlink("acme", filepath.Join(u.work, "tenants/linked")); err != nil {
		u.t.Fatal(err)
	}
}

func withSubmodule(u *upstream) {
	sub := filepath.Join(u.work, "tenants/acme/sub")
	u.run(u.work, "init", "-q", sub)
	u.run(sub, "commit", "-q", "--allow-empty", "-m", "x")
}

var filled = []string{
	"tenants/acme-2/big.yaml|acme-2|too large",
	"tenants/acme-2/full.yaml|acme-2|regular",
	"tenants/acme/a.yaml|acme|regular",
	"tenants/acme/c.yaml.bak|acme|regular",
	"tenants/acme/deep/er/b.YML|acme|regular",
	"tenants/acme/link.yaml|acme|symlink",
	"tenants/acme/sub|acme|submodule",
	"tenants/stray.yaml||regular",
}

func TestSnapshotHoldsWhatIsOfInterest(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	fill(u)
	withSubmodule(u)
	c := u.commit("all")
	u.push()
	r := open(t, source.Options{URL: u.url(), Path: "tenants/"})
	poll(t, r)
	s := snapshot(t, r, c)
	if got := paths(s); !slices.Equal(got, filled) {
		t.Errorf("got  %q\nwant %q", got, filled)
	}
	if s.Commit != c || s.Missing {
		t.Errorf("commit %q, missing %v", s.Commit, s.Missing)
	}
	for path, want := range map[string]string{"tenants/acme/a.yaml": "one", "tenants/acme/link.yaml": "../../../etc/passwd"} {
		e := at(s, path)
		if got, err := r.Read(t.Context(), e.Hash); err != nil || string(got) != want || e.Size != int64(len(want)) {
			t.Errorf("%s: %q, %v, size %d, want %q", path, got, err, e.Size, want)
		}
		if want := u.git("rev-parse", "HEAD:"+path); e.Hash != want {
			t.Errorf("%s has hash %s, want %s", path, e.Hash, want)
		}
	}
	if _, err := r.Read(t.Context(), at(s, "tenants/acme-2/big.yaml").Hash); !errors.Is(err, source.ErrTooLarge) {
		t.Errorf("2 MiB: %v", err)
	}
	if got, err := r.Read(t.Context(), at(s, "tenants/acme-2/full.yaml").Hash); err != nil || len(got) != source.MaxFileSize {
		t.Errorf("1 MiB: %d bytes, %v", len(got), err)
	}
}

func TestFolderOnDiskIsTheSameView(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	fill(u)
	withSubmodule(u)
	c := u.commit("all")
	u.push()
	for _, tenant := range []string{"", "acme"} {
		r := open(t, source.Options{URL: u.url(), Path: "tenants", Tenant: tenant})
		poll(t, r)
		want := snapshot(t, r, c).Files
		got, read, err := source.ReadFolder(filepath.Join(u.work, "tenants"), tenant)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i].Path = strings.TrimPrefix(want[i].Path, "tenants/")
			if want[i].Kind == source.Submodule {
				want[i].Hash = "" // only the commit knows it
			}
		}
		if !slices.Equal(got.Files, want) {
			t.Errorf("tenant %q: got\n%v\nwant\n%v", tenant, got.Files, want)
		}
		text, err := read(t.Context(), at(got, "acme/a.yaml").Hash)
		if err != nil || string(text) != "one" {
			t.Errorf("read %q, %v", text, err)
		}
		if _, err := read(t.Context(), at(got, "acme-2/big.yaml").Hash); !errors.Is(err, source.ErrTooLarge) {
			t.Errorf("2 MiB: %v", err)
		}
		if _, err := read(t.Context(), at(got, "acme/link.yaml").Hash); !errors.Is(err, source.ErrNotFound) {
			t.Errorf("a link was read: %v", err)
		}
	}
}

// What a seed would refuse is refused before it is pushed, and at the same bounds.
func TestFolderOnDiskIsBoundedAlike(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	full := int(source.MaxTenantContent / source.MaxFileSize)
	for tenant, files := range map[string]int{"full": full, "over": full + 1} {
		for i := range files {
			u.write(fmt.Sprintf("tenants/%s/f%d.yaml", tenant, i), strings.Repeat("a", source.MaxFileSize))
		}
		u.write("tenants/"+tenant+"/none.txt", "no YAML")
	}
	u.write("tenants/acme/a.yaml", "one")
	u.write("tenants/deep"+strings.Repeat("/d", 64)+"/a.yaml", "at the bottom")
	u.write("tenants/deeper"+strings.Repeat("/d", 65)+"/a.yaml", "below the bottom")
	c := u.commit("all")
	u.push()
	for tenant, refused := range map[string][]string{"": {"deeper", "over"}, "full": nil, "over": {"."}, "deep": nil, "deeper": {"."}, "acme": nil} {
		r := open(t, source.Options{URL: u.url(), Path: path.Join("tenants", tenant), Tenant: tenant})
		poll(t, r)
		want := snapshot(t, r, c).Files
		got, _, err := source.ReadFolder(filepath.Join(u.work, "tenants", tenant), tenant)
		if err != nil {
			t.Fatal(err)
		}
		var over []string
		for i, e := range want {
			if want[i].Path, err = filepath.Rel(path.Join("tenants", tenant), e.Path); err != nil {
				t.Fatal(err)
			}
			if e.Kind == source.Overfull {
				over = append(over, want[i].Path)
				want[i].Hash = "" // the tree's, which only the commit knows
			}
		}
		if !slices.Equal(got.Files, want) || !slices.Equal(over, refused) {
			t.Errorf("tenant %q: got\n%v\nwant\n%v; refused %q, not %q", tenant, got.Files, want, over, refused)
		}
	}
}

func TestFolderOnDiskChangesMeanwhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "a.yaml")
	damage(t, file, "one")
	s, read, err := source.ReadFolder(dir, "acme")
	if err != nil || len(s.Files) != 1 {
		t.Fatal(s, err)
	}
	damage(t, file, "two")
	if _, err := read(t.Context(), s.Files[0].Hash); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("got %v", err)
	}
	if _, _, err := source.ReadFolder(file, "acme"); err == nil {
		t.Error("a file was taken for a folder")
	}
	if _, _, err := source.ReadFolder(filepath.Join(dir, "none"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestSnapshotOfOneTenantsRepository(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.write("a.yaml", "one")
	u.write("deep/b.yaml", "two")
	c := u.commit("all")
	u.push()
	for path, want := range map[string][]string{
		"":     {"a.yaml|acme|regular", "deep/b.yaml|acme|regular"},
		".":    {"a.yaml|acme|regular", "deep/b.yaml|acme|regular"},
		"deep": {"deep/b.yaml|acme|regular"},
	} {
		r := open(t, source.Options{URL: u.url(), Tenant: "acme", Path: path})
		poll(t, r)
		if got := paths(snapshot(t, r, c)); !slices.Equal(got, want) {
			t.Errorf("path %q: got %q, want %q", path, got, want)
		}
	}
	r := open(t, source.Options{URL: u.url(), Path: "."})
	poll(t, r)
	if got, want := paths(snapshot(t, r, c)), []string{"a.yaml||regular", "deep/b.yaml|deep|regular"}; !slices.Equal(got, want) {
		t.Errorf("shared root: got %q, want %q", got, want)
	}
}

func TestMissingFolderIsSaid(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	c := u.change("tenants/acme/a.yaml", "one")
	for path, want := range map[string]bool{"tenants": false, "tenants/none": true, "tenants/acme/a.yaml": true, "none": true} {
		r := open(t, source.Options{URL: u.url(), Path: path})
		poll(t, r)
		if s := snapshot(t, r, c); s.Missing != want || want && len(s.Files) != 0 {
			t.Errorf("path %q: missing %v, files %v", path, s.Missing, s.Files)
		}
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.write("tenants/acme/a.yaml", "one")
	u.write("tenants/acme/b.yaml", "one")
	u.write("tenants/acme-2/c.yaml", "one")
	u.write("tenants/other/d.yaml", "one")
	first := u.commit("first")
	u.write("tenants/acme/b.yaml", "two")
	u.write("tenants/acme/e.yaml", "one")
	u.git("rm", "-q", "tenants/acme-2/c.yaml")
	u.git("rm", "-q", "tenants/other/d.yaml")
	if err := os.MkdirAll(filepath.Join(u.work, "tenants/other"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("one", filepath.Join(u.work, "tenants/other/d.yaml")); err != nil {
		t.Fatal(err)
	}
	second := u.commit("second")
	u.push()
	r := open(t, source.Options{URL: u.url(), Path: "tenants"})
	poll(t, r)
	a, b := snapshot(t, r, first), snapshot(t, r, second)
	want := []string{"tenants/acme-2/c.yaml", "tenants/acme/b.yaml", "tenants/acme/e.yaml", "tenants/other/d.yaml"}
	if got := source.Changed(a, b); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := source.Changed(b, a); !slices.Equal(got, want) {
		t.Errorf("the other way: got %q, want %q", got, want)
	}
	if got := source.Changed(b, b); len(got) != 0 {
		t.Errorf("of itself: %q", got)
	}
	if got := source.Changed(nil, a); len(got) != len(a.Files) {
		t.Errorf("of nothing: %q", got)
	}
}

// Snapshots share what is alike; a shared folder must not carry one commit's
// files into another's.
func TestSnapshotsInAnyOrder(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	var commits []string
	var want [][]string
	for i := range 6 {
		u.write(fmt.Sprintf("tenants/t%d/a.yaml", i%3), fmt.Sprint(i))
		u.write(fmt.Sprintf("tenants/t%d/deep/b%d.yaml", i%2, i), "same")
		if i == 4 {
			u.git("rm", "-q", "-r", "tenants/t1/deep")
		}
		commits = append(commits, u.commit("x"))
		want = append(want, strings.Split(u.git("ls-tree", "-r", "--format=%(path) %(objectname)", "HEAD"), "\n"))
	}
	u.push()
	r := open(t, source.Options{URL: u.url(), Path: "tenants"})
	poll(t, r)
	for _, i := range []int{0, 5, 2, 4, 3, 1, 0, 5} {
		var got []string
		for _, e := range snapshot(t, r, commits[i]).Files {
			got = append(got, e.Path+" "+e.Hash)
		}
		if !slices.Equal(got, want[i]) {
			t.Errorf("commit %d: got %q, want %q", i, got, want[i])
		}
	}
}

// A few trees that name each other stand for more files than there are atoms.
func TestOneTenantsBombIsItsOwn(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	blob := u.git("rev-parse", "HEAD:tenants/acme/a.yaml")
	level := mktree(u, "100644 blob "+blob, 10)
	for range 12 {
		level = mktree(u, "040000 tree "+level, 10)
	}
	large := input(u, strings.Repeat("a", source.MaxFileSize), "hash-object", "-w", "--stdin")
	full := mktree(u, "100644 blob "+large, source.MaxTenantContent/source.MaxFileSize)
	over := mktree(u, "100644 blob "+large, source.MaxTenantContent/source.MaxFileSize+1)
	root := u.run(u.work, "rev-parse", "HEAD:tenants/acme")
	tenants := input(u, fmt.Sprintf("040000 tree %s\tacme\n040000 tree %s\tbomb\n040000 tree %s\tfull\n040000 tree %s\tover\n", root, level, full, over), "mktree")
	top := input(u, fmt.Sprintf("040000 tree %s\ttenants\n", tenants), "mktree")
	c := u.git("commit-tree", "-m", "bomb", "-p", "HEAD", top)
	u.git("push", "-q", "origin", c+":main")
	r := open(t, source.Options{URL: u.url(), Path: "tenants"})
	poll(t, r)
	want := []string{"tenants/acme/a.yaml|acme|regular", "tenants/bomb|bomb|overfull folder"}
	for i := range source.MaxTenantContent / source.MaxFileSize {
		want = append(want, fmt.Sprintf("tenants/full/n%d.yaml|full|regular", i))
	}
	slices.Sort(want)
	want = append(want, "tenants/over|over|overfull folder")
	for range 2 {
		if got := paths(snapshot(t, r, c)); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func mktree(u *upstream, entry string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s\tn%d.yaml\n", entry, i)
	}
	return input(u, b.String(), "mktree")
}
