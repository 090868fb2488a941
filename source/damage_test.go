package source_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"

	"github.com/portcullis-gitops/portcullis/source"
)

// mirrorFile is the only file of the mirror that matches.
func mirrorFile(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "mirror.git", pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: found %v, %v", pattern, found, err)
	}
	return found[0]
}

func cut(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()/2); err != nil {
		t.Fatal(err)
	}
}

// scramble changes bytes in the middle, as a bad disk does.
func scramble(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 12; i < len(data)-20; i++ {
		data[i] ^= 0x5a
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	damage(t, file, string(data))
}

var damages = map[string]func(t *testing.T, dir string){
	"pack cut short":  func(t *testing.T, dir string) { cut(t, mirrorFile(t, dir, "objects/pack/*.pack")) },
	"pack scrambled":  func(t *testing.T, dir string) { scramble(t, mirrorFile(t, dir, "objects/pack/*.pack")) },
	"pack empty":      func(t *testing.T, dir string) { damage(t, mirrorFile(t, dir, "objects/pack/*.pack"), "") },
	"pack gone":       func(t *testing.T, dir string) { remove(t, mirrorFile(t, dir, "objects/pack/*.pack")) },
	"index cut short": func(t *testing.T, dir string) { cut(t, mirrorFile(t, dir, "objects/pack/*.idx")) },
	"index scrambled": func(t *testing.T, dir string) { scramble(t, mirrorFile(t, dir, "objects/pack/*.idx")) },
	"index gone":      func(t *testing.T, dir string) { remove(t, mirrorFile(t, dir, "objects/pack/*.idx")) },
	"objects gone":    func(t *testing.T, dir string) { remove(t, mirrorFile(t, dir, "objects")) },
	"HEAD garbage":    func(t *testing.T, dir string) { damage(t, mirrorFile(t, dir, "HEAD"), "\x00\x01\x02") },
	"HEAD gone":       func(t *testing.T, dir string) { remove(t, mirrorFile(t, dir, "HEAD")) },
	"ref garbage":     func(t *testing.T, dir string) { damage(t, mirrorFile(t, dir, "refs/portcullis/head"), "nonsense") },
	"ref empty":       func(t *testing.T, dir string) { damage(t, mirrorFile(t, dir, "refs/portcullis/accepted"), "") },
	"ref to nowhere": func(t *testing.T, dir string) {
		damage(t, mirrorFile(t, dir, "refs/portcullis/head"), strings.Repeat("1", 40)+"\n")
	},
	"not a repository": func(t *testing.T, dir string) {
		remove(t, mirrorFile(t, dir, ""))
		damage(t, filepath.Join(dir, "mirror.git"), "x")
	},
	"nothing there": func(t *testing.T, dir string) { remove(t, mirrorFile(t, dir, "")) },
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
}

// Each kind of damage is met while running and between two runs, by a poll and
// by a read.
func TestDamagedMirrorIsMadeAnew(t *testing.T) {
	t.Parallel()
	for name, hurt := range damages {
		for _, when := range []string{"while running, met by a poll", "while running, met by a read", "between runs, met by a poll", "between runs, met by a read"} {
			t.Run(name+"/"+when, func(t *testing.T) {
				t.Parallel()
				testDamage(t, hurt, strings.HasPrefix(when, "between"), strings.HasSuffix(when, "poll"))
			})
		}
	}
}

func testDamage(t *testing.T, hurt func(*testing.T, string), between, polled bool) {
	u := newUpstream(t)
	accepted := u.change("tenants/acme/a.yaml", "one")
	head := u.change("tenants/acme/a.yaml", "two")
	opts := source.Options{URL: u.url(), Path: "tenants", Dir: t.TempDir()}
	r := open(t, opts)
	poll(t, r)
	if err := r.Pin(accepted); err != nil {
		t.Fatal(err)
	}
	if between {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	hurt(t, opts.Dir)
	if between {
		r = open(t, opts)
	}
	if polled {
		if got := poll(t, r); got != head {
			t.Fatalf("head %s, want %s", got, head)
		}
	}
	e := at(snapshot(t, r, head), "tenants/acme/a.yaml")
	if got, err := r.Read(t.Context(), e.Hash); err != nil || string(got) != "two" {
		t.Errorf("read %q, %v", got, err)
	}
	if ok, err := r.IsAncestor(t.Context(), accepted, head); err != nil || !ok {
		t.Errorf("history: %v, %v", ok, err)
	}
	third := u.change("tenants/acme/a.yaml", "three")
	if got := poll(t, r); got != third {
		t.Errorf("head %s, want %s", got, third)
	}
	fsck(t, u, opts.Dir)
}

// fsck lets Git itself judge the mirror.
func fsck(t *testing.T, u *upstream, dir string) {
	t.Helper()
	m := filepath.Join(dir, "mirror.git")
	if out := u.run(m, "fsck", "--full", "--strict"); out != "" {
		t.Errorf("git fsck: %s", out)
	}
	left, err := filepath.Glob(filepath.Join(m, "objects", "pack", "tmp_*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for _, other := range []string{"mirror.new", "mirror.old"} {
		if _, err := os.Stat(filepath.Join(dir, other)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", other, err)
		}
	}
}

// The commit that was accepted is on no branch any more; the old mirror has
// it, apart from its damage.
func TestPinIsCarriedOver(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	accepted := u.change("tenants/acme/a.yaml", "two")
	opts := source.Options{URL: u.url(), Path: "tenants", Dir: t.TempDir()}
	r := open(t, opts)
	poll(t, r)
	if err := r.Pin(accepted); err != nil {
		t.Fatal(err)
	}
	u.git("reset", "-q", "--hard", first)
	u.write("tenants/acme/a.yaml", "three")
	head := u.commit("another way")
	forget(u)
	poll(t, r)
	damage(t, mirrorFile(t, opts.Dir, "refs/portcullis/head"), "nonsense")
	if got := poll(t, r); got != head {
		t.Fatalf("head %s, want %s", got, head)
	}
	e := at(snapshot(t, r, accepted), "tenants/acme/a.yaml")
	if got, err := r.Read(t.Context(), e.Hash); err != nil || string(got) != "two" {
		t.Errorf("the accepted file: %q, %v", got, err)
	}
	if got := u.run(filepath.Join(opts.Dir, "mirror.git"), "rev-parse", "refs/portcullis/accepted"); got != accepted {
		t.Errorf("pinned is %s, want %s", got, accepted)
	}
	fsck(t, u, opts.Dir)
}

// forget makes the host lose what no branch leads to.
func forget(u *upstream) {
	u.t.Helper()
	u.git("push", "-q", "-f", "origin", "HEAD:main")
	u.run(u.bare, "reflog", "expire", "--expire=now", "--all")
	u.run(u.bare, "gc", "-q", "--prune=now")
}

// Neither the remote nor the old mirror has it: that is said, and work goes on.
func TestLostPinIsSaid(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	accepted := u.change("tenants/acme/a.yaml", "two")
	log := &lines{}
	opts := source.Options{URL: u.url(), Path: "tenants", Dir: t.TempDir(), Log: funcr.New(log.add, funcr.Options{})}
	r := open(t, opts)
	poll(t, r)
	if err := r.Pin(accepted); err != nil {
		t.Fatal(err)
	}
	u.git("reset", "-q", "--hard", first)
	u.write("tenants/acme/a.yaml", "three")
	head := u.commit("another way")
	forget(u)
	remove(t, mirrorFile(t, opts.Dir, "objects"))
	if got := poll(t, r); got != head {
		t.Fatalf("head %s, want %s", got, head)
	}
	if r.Has(accepted) {
		t.Error("has what nobody has")
	}
	if ok, err := r.IsAncestor(t.Context(), accepted, head); err != nil || ok {
		t.Errorf("a rewind was taken for a way forward: %v, %v", ok, err)
	}
	for _, want := range []string{"mirror cannot be used and is made anew", "the accepted commit could not be kept"} {
		if !log.has(want) {
			t.Errorf("not said: %q in %v", want, log.all())
		}
	}
}

func TestManyPacksAreMadeOne(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	opts := source.Options{URL: u.url(), Path: "tenants", Dir: t.TempDir(), MaxPacks: 3}
	r := open(t, opts)
	poll(t, r)
	var counts []int
	for i := range 5 {
		c := u.change("tenants/acme/a.yaml", strings.Repeat("x", i))
		if got := poll(t, r); got != c {
			t.Fatalf("head %s, want %s", got, c)
		}
		packs, err := filepath.Glob(filepath.Join(opts.Dir, "mirror.git/objects/pack/*.pack"))
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, len(packs))
	}
	if want := []int{2, 3, 1, 2, 3}; !slices.Equal(counts, want) {
		t.Errorf("packs after each fetch: %v, want %v", counts, want)
	}
	fsck(t, u, opts.Dir)
}

// A crash may come between the two renames of a swap, and in any write.
func TestCrashLeavesAUsableMirror(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	head := u.change("tenants/acme/a.yaml", "one")
	opts := source.Options{URL: u.url(), Path: "tenants", Dir: t.TempDir()}
	r := open(t, opts)
	poll(t, r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mirror := filepath.Join(opts.Dir, "mirror.git")
	damage(t, filepath.Join(mirror, "objects/pack/tmp_pack_1"), "half")
	damage(t, filepath.Join(mirror, "refs/portcullis/tmp_1"), "half")
	if err := os.MkdirAll(filepath.Join(opts.Dir, "mirror.new"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(mirror, filepath.Join(opts.Dir, "mirror.old")); err != nil {
		t.Fatal(err)
	}
	remove(t, u.bare) // so that nothing can be had from there
	r = open(t, opts)
	if got := len(snapshot(t, r, head).Files); got != 1 {
		t.Errorf("%d files", got)
	}
	fsck(t, u, opts.Dir)
}

// While the remote is away a damaged mirror is an error, and stays for later.
func TestDamageWithoutARemote(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	head := u.change("tenants/acme/a.yaml", "one")
	opts := source.Options{URL: u.url(), Path: "tenants", Dir: t.TempDir()}
	r := open(t, opts)
	poll(t, r)
	hash := at(snapshot(t, r, head), "tenants/acme/a.yaml").Hash
	away := u.bare + ".away"
	if err := os.Rename(u.bare, away); err != nil {
		t.Fatal(err)
	}
	scramble(t, mirrorFile(t, opts.Dir, "objects/pack/*.pack"))
	_, err := r.Read(t.Context(), hash)
	wantError(t, err, source.ErrNoRepository, "mirror is damaged")
	_, err = r.Read(t.Context(), hash)
	wantError(t, err, source.ErrUnavailable, "left to the next poll")
	_, err = r.Poll(t.Context())
	wantError(t, err, source.ErrNoRepository, u.bare)
	if err := os.Rename(away, u.bare); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Read(t.Context(), hash); err != nil || string(got) != "one" {
		t.Errorf("read %q, %v", got, err)
	}
}
