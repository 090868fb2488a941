package source_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/source"
)

var places = []string{"tenants/a/x.yaml", "tenants/a/y.yaml", "tenants/b/x.yaml", "tenants/b/deep/x.yaml", "tenants/b/deep/y.yaml", "tenants/c/x.yaml", "tenants/top.yaml"}

// merging is a merge base and what two sides made of it: files with their text.
type merging struct{ base, theirs, ours map[string]string }

var mergings = rapid.Custom(func(t *rapid.T) merging {
	base := drawn(t, "base", map[string]string{})
	return merging{base, drawn(t, "theirs", base), drawn(t, "ours", base)}
})

// drawn are a commit's files: some of the places are other than before. No
// text is at two places, or git takes it for a file that was moved.
func drawn(t *rapid.T, label string, base map[string]string) map[string]string {
	out := maps.Clone(base)
	for _, path := range rapid.SliceOfDistinct(rapid.SampledFrom(places), rapid.ID[string]).Draw(t, label) {
		word := rapid.SampledFrom([]string{"", "one", "two", "three"}).Draw(t, path)
		if delete(out, path); word != "" {
			out[path] = fmt.Sprintf("%x", sha256.Sum256([]byte(path+word)))
		}
	}
	out["README.md"] = "always there"
	return out
}

// imported writes all of them to one history: each base follows the target
// before it. It returns the commits, three of each.
func (u *upstream) imported(all []merging) []string {
	u.t.Helper()
	var b strings.Builder
	mark := 0
	commit := func(ref string, from int, files map[string]string) int {
		mark++
		fmt.Fprintf(&b, "commit %s\nmark :%d\ncommitter c <c@example.com> %d +0000\ndata 1\nx\n", ref, mark, 1_700_000_000+mark)
		if from > 0 {
			fmt.Fprintf(&b, "from :%d\n", from)
		}
		b.WriteString("deleteall\n")
		for _, path := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", path, len(files[path]), files[path])
		}
		return mark
	}
	target := 0
	for i, m := range all {
		base := commit("refs/heads/main", target, m.base)
		commit(fmt.Sprintf("refs/pull/%d/head", i+1), base, m.theirs)
		target = commit("refs/heads/main", base, m.ours)
	}
	file := filepath.Join(u.bare, "marks")
	input(&upstream{t: u.t, work: u.bare}, b.String(), "fast-import", "--quiet", "--export-marks="+file)
	text, err := os.ReadFile(file)
	if err != nil {
		u.t.Fatal(err)
	}
	out := make([]string, mark)
	for line := range strings.Lines(string(text)) {
		var mark int
		var hash string
		if _, err := fmt.Sscanf(line, ":%d %s", &mark, &hash); err != nil {
			u.t.Fatal(err)
		}
		out[mark-1] = hash
	}
	return out
}

// What is laid over a target is what git would merge, as far as only one side
// changed a file; and what is a conflict for git is one here.
func TestLayIsWhatGitMerges(t *testing.T) {
	t.Parallel()
	var all []merging
	for seed := range 40 {
		all = append(all, mergings.Example(seed))
	}
	u := newUpstream(t)
	commits := u.imported(all)
	r := pulling(t, u)
	clean := 0
	for i, m := range all {
		base, head, target := commits[3*i], commits[3*i+1], commits[3*i+2]
		p := fetched(t, r, i+1, head)
		l := lay(t, p, target)
		want, conflicts := model(m.base, m.theirs, m.ours)
		if got := texts(t, p, l); !maps.Equal(got, want) || l.Base != base {
			t.Errorf("%d: files %v, want %v; base %s, want %s", i, got, want, l.Base, base)
		}
		if !slices.Equal(l.Conflicts, conflicts) {
			t.Errorf("%d: conflicts %q, want %q", i, l.Conflicts, conflicts)
		}
		tree, merged := u.mergeTree(target, head)
		if !merged && len(conflicts) == 0 {
			t.Errorf("%d: git has conflicts", i)
		}
		if len(conflicts) > 0 {
			continue
		}
		clean++
		if got := u.list(tree); !maps.Equal(got, hashes(l)) {
			t.Errorf("%d: git merges to %v, here it is %v", i, got, hashes(l))
		}
	}
	if clean < 5 || clean > 35 {
		t.Errorf("%d of %d are without conflict: the examples show too little", clean, len(all))
	}
}

// model is merging by path, in its plainest words.
func model(base, theirs, ours map[string]string) (files map[string]string, conflicts []string) {
	files = map[string]string{}
	for _, path := range slices.Sorted(slices.Values(places)) {
		text := ours[path]
		if theirs[path] != base[path] {
			text = theirs[path]
			if ours[path] != base[path] && ours[path] != theirs[path] {
				conflicts = append(conflicts, path)
			}
		}
		if text != "" {
			files[path] = text
		}
	}
	return files, conflicts
}

func texts(t *testing.T, p *source.Pull, l *source.Laid) map[string]string {
	out := map[string]string{}
	for _, e := range l.Files {
		text, err := p.Read(t.Context(), e.Hash)
		if err != nil {
			t.Fatal(err)
		}
		out[e.Path] = string(text)
	}
	return out
}

func hashes(l *source.Laid) map[string]string {
	out := map[string]string{}
	for _, e := range l.Files {
		out[e.Path] = e.Hash
	}
	return out
}

// mergeTree has git merge without a work tree, renames not guessed.
func (u *upstream) mergeTree(a, b string) (tree string, clean bool) {
	u.t.Helper()
	cmd := exec.Command("git", "-c", "merge.renames=false", "merge-tree", "--write-tree", a, b)
	cmd.Dir = u.bare
	out, err := cmd.Output()
	first, _, _ := strings.Cut(string(out), "\n")
	if first == "" {
		u.t.Fatalf("git merge-tree: %v", err)
	}
	return first, err == nil
}

func (u *upstream) list(tree string) map[string]string {
	u.t.Helper()
	out := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(u.run(u.bare, "ls-tree", "-r", "--format=%(path) %(objectname)", tree, "tenants/")))
	for lines.Scan() {
		path, hash, _ := strings.Cut(lines.Text(), " ")
		out[path] = hash
	}
	return out
}
