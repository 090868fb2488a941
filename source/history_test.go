package source_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// dag is a history made by fast-import: commit i is called mark i+1.
type dag struct {
	u       *upstream
	commits []string
}

// newDAG makes n commits with up to three parents each and clocks that may go
// anywhere.
func newDAG(t *testing.T, n int, rnd *rand.Rand) *dag {
	t.Helper()
	u := newUpstream(t)
	var b strings.Builder
	for i := range n {
		when := 1_700_000_000 + i*60
		if rnd.IntN(4) == 0 {
			when = rnd.IntN(2_000_000_000)
		}
		fmt.Fprintf(&b, "commit refs/heads/c%d\nmark :%d\ncommitter c <c@example.com> %d +0000\ndata 1\nx\n", i, i+1, when)
		for j, p := range parents(i, rnd) {
			fmt.Fprintf(&b, "%s :%d\n", []string{"from", "merge", "merge"}[j], p+1)
		}
		fmt.Fprintf(&b, "M 100644 inline n.yaml\ndata <<E\n%d\nE\n\n", i)
	}
	cmd := exec.Command("git", "fast-import", "--quiet", "--force")
	cmd.Dir, cmd.Stdin = u.bare, strings.NewReader(b.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	d := &dag{u: u}
	for i := range n {
		d.commits = append(d.commits, u.run(u.bare, "rev-parse", fmt.Sprintf("c%d", i)))
	}
	// One merge of all tips, so that one fetch brings everything.
	args := []string{"commit-tree", "-m", "all", "c0^{tree}"}
	for _, c := range d.commits {
		args = append(args, "-p", c)
	}
	u.run(u.bare, "update-ref", "refs/heads/main", u.run(u.bare, args...))
	return d
}

func parents(i int, rnd *rand.Rand) []int {
	var out []int
	for range min(i, 1+rnd.IntN(3)) {
		p := max(0, i-1-rnd.IntN(4))
		if !slices.Contains(out, p) && rnd.IntN(12) > 0 {
			out = append(out, p)
		}
	}
	return out
}

func TestIsAncestorAsGitSees(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		d := newDAG(t, 40, rnd)
		r := open(t, source.Options{URL: d.u.url(), Path: "."})
		poll(t, r)
		for range 80 {
			old, new := d.commits[rnd.IntN(40)], d.commits[rnd.IntN(40)]
			want := exec.Command("git", "-C", d.u.bare, "merge-base", "--is-ancestor", old, new).Run() == nil
			if got, err := r.IsAncestor(t.Context(), old, new); err != nil || got != want {
				t.Fatalf("seed %d: %s in %s: got %v, %v, git says %v", seed, old, new, got, err, want)
			}
		}
	}
}

func TestSkippedAsGitSees(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		d := newDAG(t, 40, rnd)
		r := open(t, source.Options{URL: d.u.url(), Path: "."})
		poll(t, r)
		for range 40 {
			old, new := d.commits[rnd.IntN(40)], d.commits[rnd.IntN(40)]
			if exec.Command("git", "-C", d.u.bare, "merge-base", "--is-ancestor", new, old).Run() == nil {
				continue // nothing is between what goes back
			}
			want := strings.Fields(d.u.run(d.u.bare, "rev-list", "--reverse", "--topo-order", "--first-parent", new, "^"+old))
			// rev-list with --first-parent leaves out only what old reaches by
			// first parents; leave out all that it reaches.
			want = slices.DeleteFunc(want, func(c string) bool {
				return c == new || exec.Command("git", "-C", d.u.bare, "merge-base", "--is-ancestor", c, old).Run() == nil
			})
			got, err := r.Skipped(t.Context(), old, new)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("seed %d: %s to %s:\ngot  %v, %v\nwant %v", seed, old, new, got, err, want)
			}
		}
	}
}

func TestHistoryOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	head := u.change("tenants/acme/a.yaml", "two")
	r := open(t, source.Options{URL: u.url(), Path: "tenants"})
	poll(t, r)
	nowhere := strings.Repeat("1", 40)
	if got, err := r.IsAncestor(t.Context(), nowhere, head); err != nil || got {
		t.Errorf("a lost commit: %v, %v", got, err)
	}
	if _, err := r.IsAncestor(t.Context(), head, nowhere); !errors.Is(err, source.ErrNotFound) {
		t.Errorf("into a lost commit: %v", err)
	}
	if got, err := r.FirstParent(t.Context(), head); err != nil || got != first {
		t.Errorf("the parent: %q, %v, want %q", got, err, first)
	}
	if _, err := r.FirstParent(t.Context(), nowhere); !errors.Is(err, source.ErrNotFound) {
		t.Errorf("the parent of a lost commit: %v", err)
	}
	if got, err := r.IsAncestor(t.Context(), head, first); err != nil || got {
		t.Errorf("a rewind: %v, %v", got, err)
	}
	for _, bad := range []string{"", "main", first[:12]} {
		if r.Has(bad) {
			t.Errorf("has %q", bad)
		}
		if _, err := r.Snapshot(t.Context(), bad); !errors.Is(err, source.ErrNotFound) {
			t.Errorf("snapshot of %q: %v", bad, err)
		}
	}
	if _, err := r.Read(t.Context(), nowhere); !errors.Is(err, source.ErrNotFound) {
		t.Errorf("read: %v", err)
	}
}

func TestSkippedIsBounded(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	var b strings.Builder
	const n = source.MaxSkipped + 50
	for i := range n {
		fmt.Fprintf(&b, "commit refs/heads/main\ncommitter c <c@example.com> %d +0000\ndata 1\nx\nM 100644 inline n.yaml\ndata <<E\n%d\nE\n\n", 1_700_000_000+i, i)
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = u.bare, strings.NewReader(b.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	all := strings.Fields(u.run(u.bare, "rev-list", "--reverse", "main"))
	r := open(t, source.Options{URL: u.url(), Path: "."})
	head := poll(t, r)
	got, err := r.Skipped(t.Context(), all[0], head)
	if want := all[n-1-source.MaxSkipped : n-1]; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %d commits, %v, want the newest %d", len(got), err, len(want))
	}
}
