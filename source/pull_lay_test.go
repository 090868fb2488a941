package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// layings tell what each side does to a.yaml and b.yaml of acme, which both
// say "base", and c.yaml of other.
var layings = map[string]struct {
	theirs, ours func(*upstream) // the pull request, the target
	changed      []string        // below tenants/
	conflicts    []string
	want         []string // all files with what is in them
}{
	"nothing": {
		want: []string{"acme/a.yaml=base", "acme/b.yaml=base", "other/c.yaml=base"},
	},
	"a file is added": {
		theirs:  func(u *upstream) { u.write("tenants/acme/new.yaml", "theirs") },
		ours:    func(u *upstream) { u.write("tenants/acme/other.yaml", "ours") },
		changed: []string{"acme/new.yaml"},
		want:    []string{"acme/a.yaml=base", "acme/b.yaml=base", "acme/new.yaml=theirs", "acme/other.yaml=ours", "other/c.yaml=base"},
	},
	"a tenant is added": {
		theirs: func(u *upstream) {
			u.write("tenants/aaa/new.yaml", "theirs")
			u.write("tenants/zzz/new.yaml", "theirs")
		},
		changed: []string{"aaa/new.yaml", "zzz/new.yaml"},
		want:    []string{"aaa/new.yaml=theirs", "acme/a.yaml=base", "acme/b.yaml=base", "other/c.yaml=base", "zzz/new.yaml=theirs"},
	},
	"different files are changed": {
		theirs:  func(u *upstream) { u.write("tenants/acme/a.yaml", "theirs") },
		ours:    func(u *upstream) { u.write("tenants/acme/b.yaml", "ours") },
		changed: []string{"acme/a.yaml"},
		want:    []string{"acme/a.yaml=theirs", "acme/b.yaml=ours", "other/c.yaml=base"},
	},
	"one is changed that the target removed another of": {
		theirs:  func(u *upstream) { u.write("tenants/acme/a.yaml", "theirs") },
		ours:    func(u *upstream) { u.remove("tenants/other") },
		changed: []string{"acme/a.yaml"},
		want:    []string{"acme/a.yaml=theirs", "acme/b.yaml=base"},
	},
	"a file is removed": {
		theirs:  func(u *upstream) { u.remove("tenants/acme/a.yaml") },
		ours:    func(u *upstream) { u.write("tenants/acme/b.yaml", "ours") },
		changed: []string{"acme/a.yaml"},
		want:    []string{"acme/b.yaml=ours", "other/c.yaml=base"},
	},
	"a file is moved": {
		theirs:  func(u *upstream) { u.git("mv", "tenants/acme/a.yaml", "tenants/other/a.yaml") },
		ours:    func(u *upstream) { u.write("tenants/acme/b.yaml", "ours") },
		changed: []string{"acme/a.yaml", "other/a.yaml"},
		want:    []string{"acme/b.yaml=ours", "other/a.yaml=base", "other/c.yaml=base"},
	},
	"everything is removed": {
		theirs:  func(u *upstream) { u.remove("tenants") },
		ours:    func(u *upstream) { u.write("tenants/other/d.yaml", "ours") },
		changed: []string{"acme/a.yaml", "acme/b.yaml", "other/c.yaml"},
		want:    []string{"other/d.yaml=ours"},
	},
	"both change one": {
		theirs:    func(u *upstream) { u.write("tenants/acme/a.yaml", "theirs") },
		ours:      func(u *upstream) { u.write("tenants/acme/a.yaml", "ours") },
		changed:   []string{"acme/a.yaml"},
		conflicts: []string{"acme/a.yaml"},
		want:      []string{"acme/a.yaml=theirs", "acme/b.yaml=base", "other/c.yaml=base"},
	},
	"both change one alike": {
		theirs:  func(u *upstream) { u.write("tenants/acme/a.yaml", "same"); u.write("tenants/acme/b.yaml", "theirs") },
		ours:    func(u *upstream) { u.write("tenants/acme/a.yaml", "same") },
		changed: []string{"acme/b.yaml"},
		want:    []string{"acme/a.yaml=same", "acme/b.yaml=theirs", "other/c.yaml=base"},
	},
	"both add one": {
		theirs:    func(u *upstream) { u.write("tenants/acme/new.yaml", "theirs") },
		ours:      func(u *upstream) { u.write("tenants/acme/new.yaml", "ours") },
		changed:   []string{"acme/new.yaml"},
		conflicts: []string{"acme/new.yaml"},
		want:      []string{"acme/a.yaml=base", "acme/b.yaml=base", "acme/new.yaml=theirs", "other/c.yaml=base"},
	},
	"both add one alike": {
		theirs: func(u *upstream) { u.write("tenants/acme/new.yaml", "same") },
		ours:   func(u *upstream) { u.write("tenants/acme/new.yaml", "same") },
		want:   []string{"acme/a.yaml=base", "acme/b.yaml=base", "acme/new.yaml=same", "other/c.yaml=base"},
	},
	"both remove one": {
		theirs: func(u *upstream) { u.remove("tenants/acme/a.yaml") },
		ours:   func(u *upstream) { u.remove("tenants/acme/a.yaml") },
		want:   []string{"acme/b.yaml=base", "other/c.yaml=base"},
	},
	"one is removed that the target changed": {
		theirs:    func(u *upstream) { u.remove("tenants/acme/a.yaml") },
		ours:      func(u *upstream) { u.write("tenants/acme/a.yaml", "ours") },
		changed:   []string{"acme/a.yaml"},
		conflicts: []string{"acme/a.yaml"},
		want:      []string{"acme/b.yaml=base", "other/c.yaml=base"},
	},
	"one is changed that the target removed": {
		theirs:    func(u *upstream) { u.write("tenants/acme/a.yaml", "theirs") },
		ours:      func(u *upstream) { u.remove("tenants/acme/a.yaml") },
		changed:   []string{"acme/a.yaml"},
		conflicts: []string{"acme/a.yaml"},
		want:      []string{"acme/a.yaml=theirs", "acme/b.yaml=base", "other/c.yaml=base"},
	},
	"a file becomes a link": {
		theirs:  func(u *upstream) { u.link("tenants/acme/a.yaml", "base") },
		changed: []string{"acme/a.yaml"},
		want:    []string{"acme/a.yaml>base", "acme/b.yaml=base", "other/c.yaml=base"},
	},
	"a file becomes a link to what it said": { // the same content under another mode
		theirs:    func(u *upstream) { u.link("tenants/acme/a.yaml", "ours") },
		ours:      func(u *upstream) { u.write("tenants/acme/a.yaml", "ours") },
		changed:   []string{"acme/a.yaml"},
		conflicts: []string{"acme/a.yaml"},
		want:      []string{"acme/a.yaml>ours", "acme/b.yaml=base", "other/c.yaml=base"},
	},
	"a folder becomes a submodule": {
		theirs: func(u *upstream) {
			u.remove("tenants/other")
			u.run(u.work, "init", "-q", "tenants/other")
			u.run(filepath.Join(u.work, "tenants/other"), "commit", "-q", "--allow-empty", "-m", "x")
		},
		changed: []string{"other", "other/c.yaml"},
		want:    []string{"acme/a.yaml=base", "acme/b.yaml=base", "other@"},
	},
	"a file becomes executable": {
		theirs: func(u *upstream) {
			if err := os.Chmod(filepath.Join(u.work, "tenants/acme/a.yaml"), 0o755); err != nil {
				u.t.Error(err)
			}
		},
		want: []string{"acme/a.yaml=base", "acme/b.yaml=base", "other/c.yaml=base"},
	},
	"a file where the target makes a folder": {
		theirs:    func(u *upstream) { u.write("tenants/acme/x.yaml", "theirs") },
		ours:      func(u *upstream) { u.write("tenants/acme/x.yaml/y.yaml", "ours") },
		changed:   []string{"acme/x.yaml"},
		conflicts: []string{"acme/x.yaml"},
		want:      []string{"acme/a.yaml=base", "acme/b.yaml=base", "acme/x.yaml=theirs", "acme/x.yaml/y.yaml=ours", "other/c.yaml=base"},
	},
	"a folder where the target makes a file": {
		theirs:    func(u *upstream) { u.write("tenants/acme/x.yaml/y.yaml", "theirs") },
		ours:      func(u *upstream) { u.write("tenants/acme/x.yaml", "ours") },
		changed:   []string{"acme/x.yaml/y.yaml"},
		conflicts: []string{"acme/x.yaml/y.yaml"},
		want:      []string{"acme/a.yaml=base", "acme/b.yaml=base", "acme/x.yaml=ours", "acme/x.yaml/y.yaml=theirs", "other/c.yaml=base"},
	},
	"a file becomes a folder": {
		theirs:  func(u *upstream) { u.remove("tenants/acme/a.yaml"); u.write("tenants/acme/a.yaml/y.yaml", "theirs") },
		changed: []string{"acme/a.yaml", "acme/a.yaml/y.yaml"},
		want:    []string{"acme/a.yaml/y.yaml=theirs", "acme/b.yaml=base", "other/c.yaml=base"},
	},
	"what is not of interest": {
		theirs: func(u *upstream) { u.write("README.md", "theirs"); u.write("tenants/acme/notes.txt", "theirs") },
		ours:   func(u *upstream) { u.write("README.md", "ours"); u.write("tenants/acme/.hidden.yaml", "ours") },
		want:   []string{"acme/a.yaml=base", "acme/b.yaml=base", "other/c.yaml=base"},
	},
	"a file that is too large": {
		theirs:  func(u *upstream) { u.write("tenants/acme/a.yaml", strings.Repeat("x", 2<<20)) },
		changed: []string{"acme/a.yaml"},
		want:    []string{"acme/a.yaml!", "acme/b.yaml=base", "other/c.yaml=base"},
	},
	"names with newlines and markup": {
		theirs:  func(u *upstream) { u.write("tenants/acme/<b>\n`x`|.yaml", "theirs") },
		changed: []string{"acme/<b>\n`x`|.yaml"},
		want:    []string{"acme/<b>\n`x`|.yaml=theirs", "acme/a.yaml=base", "acme/b.yaml=base", "other/c.yaml=base"},
	},
}

func TestLay(t *testing.T) {
	t.Parallel()
	for name, c := range layings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			for _, path := range []string{"acme/a.yaml", "acme/b.yaml", "other/c.yaml"} {
				u.write("tenants/"+path, "base")
			}
			base := u.commit("base")
			u.push()
			act := func(change func(*upstream)) func() {
				return func() {
					if change != nil {
						change(u)
					}
				}
			}
			head := u.fork(7, base, act(c.theirs))
			act(c.ours)()
			target := u.commit("ours")
			u.push()

			r := pulling(t, u)
			p := fetched(t, r, 7, head)
			l := lay(t, p, target)
			if l.Base != base || l.Target != target || l.Commit != head || l.Missing {
				t.Errorf("base %s, target %s, commit %s, missing %v", l.Base, l.Target, l.Commit, l.Missing)
			}
			if got := below(l.Changed); !slices.Equal(got, c.changed) {
				t.Errorf("changed %q, want %q", got, c.changed)
			}
			if got := below(l.Conflicts); !slices.Equal(got, c.conflicts) {
				t.Errorf("conflicts %q, want %q", got, c.conflicts)
			}
			if got := contents(t, p, l.Snapshot); !slices.Equal(got, c.want) {
				t.Errorf("files\n%q, want\n%q", got, c.want)
			}
			if got := below(source.Changed(snapshot(t, r, target), l.Snapshot)); !slices.Equal(got, c.changed) {
				t.Errorf("beside the target %q is different, want %q", got, c.changed)
			}
		})
	}
}

func below(paths []string) []string {
	var out []string
	for _, p := range paths {
		out = append(out, strings.TrimPrefix(p, "tenants/"))
	}
	return out
}

// contents are the files with what they say; a mark for those that are none.
func contents(t *testing.T, p *source.Pull, s *source.Snapshot) []string {
	t.Helper()
	var out []string
	for _, e := range s.Files {
		mark := map[source.Kind]string{source.Regular: "=", source.Symlink: ">", source.Submodule: "@", source.TooLarge: "!", source.Overfull: "%"}[e.Kind]
		text := ""
		if e.Kind == source.Regular || e.Kind == source.Symlink {
			data, err := p.Read(t.Context(), e.Hash)
			if err != nil || int64(len(data)) != e.Size {
				t.Errorf("read %s of %d bytes: %v, size %d", e.Path, len(data), err, e.Size)
			}
			text = string(data)
		}
		out = append(out, strings.TrimPrefix(e.Path, "tenants/")+mark+text)
	}
	return out
}

func TestLayOverAnotherTarget(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	head := u.fork(7, first, func() { u.write("tenants/acme/b.yaml", "theirs") })
	second := u.change("tenants/acme/b.yaml", "ours")
	u.remove("tenants")
	u.write("README.md", "nothing left")
	third := u.commit("all gone")
	u.push()
	p := fetched(t, pulling(t, u), 7, head)
	for _, c := range []struct {
		target    string
		conflicts int
		files     []string
	}{
		{first, 0, []string{"tenants/acme/a.yaml|acme|regular", "tenants/acme/b.yaml|acme|regular"}},
		{second, 1, []string{"tenants/acme/a.yaml|acme|regular", "tenants/acme/b.yaml|acme|regular"}},
		{third, 0, []string{"tenants/acme/b.yaml|acme|regular"}},
		{first, 0, []string{"tenants/acme/a.yaml|acme|regular", "tenants/acme/b.yaml|acme|regular"}},
	} {
		l := lay(t, p, c.target)
		if got := paths(l.Snapshot); !slices.Equal(got, c.files) || len(l.Conflicts) != c.conflicts || l.Missing {
			t.Errorf("over %s: %q, conflicts %q, missing %v", c.target, got, l.Conflicts, l.Missing)
		}
	}
	_, err := p.Lay(t.Context(), head)
	wantError(t, err, source.ErrNotFound, head) // the target is the mirror's alone
}

func TestLayWithoutTheFolder(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("README.md", "empty as yet")
	head := u.fork(7, first, func() { u.write("tenants/acme/a.yaml", "the first") })
	idle := u.fork(8, first, func() { u.write("README.md", "words") })
	r := pulling(t, u)
	if l := lay(t, fetched(t, r, 7, head), first); l.Missing || !slices.Equal(l.Changed, []string{"tenants/acme/a.yaml"}) {
		t.Errorf("missing %v, changed %q", l.Missing, l.Changed)
	}
	if l := lay(t, fetched(t, r, 8, idle), first); !l.Missing || len(l.Changed) != 0 || len(l.Files) != 0 {
		t.Errorf("missing %v, changed %q, files %q", l.Missing, l.Changed, paths(l.Snapshot))
	}
}

func TestNoCommonAncestor(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	u.git("checkout", "-q", "--orphan", "elsewhere")
	u.write("tenants/acme/a.yaml", "another beginning")
	head := u.commit("unrelated")
	u.pull(7, head)
	p := fetched(t, pulling(t, u), 7, head)
	_, err := p.Lay(t.Context(), first)
	wantError(t, err, source.ErrUnrelated, "no common ancestor")
}

// One tenant's own repository, and a source in the root of a shared one.
func TestLayByTenant(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.write("a.yaml", "one")
	first := u.change("deep/b.yaml", "two")
	head := u.fork(7, first, func() { u.write("deep/c.yaml", "theirs") })
	for tenant, want := range map[string][]string{
		"acme": {"a.yaml|acme|regular", "deep/b.yaml|acme|regular", "deep/c.yaml|acme|regular"},
		"":     {"a.yaml||regular", "deep/b.yaml|deep|regular", "deep/c.yaml|deep|regular"},
	} {
		r := open(t, source.Options{URL: u.url(), Tenant: tenant, Pulls: source.PullRequests})
		poll(t, r)
		if got := paths(lay(t, fetched(t, r, 7, head), first).Snapshot); !slices.Equal(got, want) {
			t.Errorf("tenant %q: got %q, want %q", tenant, got, want)
		}
	}
}

// Branches that were merged both ways have several bases.
func TestCrissCross(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	left := u.change("tenants/acme/left.yaml", "left")
	u.git("checkout", "-q", "-B", "fork", first)
	u.write("tenants/acme/right.yaml", "right")
	right := u.commit("right")
	u.git("merge", "-q", "-m", "left into right", left)
	u.write("tenants/acme/b.yaml", "theirs")
	head := u.commit("theirs")
	u.pull(7, head)
	u.git("checkout", "-q", "main")
	u.tick++
	u.git("merge", "-q", "-m", "right into left", right)
	target := u.git("rev-parse", "HEAD")
	u.push()
	l := lay(t, fetched(t, pulling(t, u), 7, head), target)
	if all := u.git("merge-base", "--all", target, head); strings.Count(all, "\n") != 1 {
		t.Fatalf("not a criss-cross: %q", all)
	}
	if want := u.git("merge-base", target, head); l.Base != want || want != right {
		t.Errorf("base %s, git says %s; left %s, right %s", l.Base, want, left, right)
	}
	// From the newer base, what came by the older one is on both sides alike.
	if got := below(l.Changed); !slices.Equal(got, []string{"acme/b.yaml"}) || len(l.Conflicts) != 0 {
		t.Errorf("changed %q, conflicts %q", got, l.Conflicts)
	}
	if got, want := len(l.Files), 4; got != want {
		t.Errorf("%d files: %s", got, fmt.Sprint(paths(l.Snapshot)))
	}
}
