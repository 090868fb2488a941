package source_test

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// large is a repository of n files, a tenant each ten, and n commits, each of
// which changes one file.
func large(t testing.TB, n int) *upstream {
	t.Helper()
	u := newUpstream(t)
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir = u.bare
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(in)
	file := func(i, version int) {
		text := fmt.Sprintf("kind: Allowlist\nmetadata: {name: l%d}\nspec: {clusters: [c%d], entries: [{cidr: 203.0.113.%d}]}\n# %d\n", i, i, version%256, version)
		fmt.Fprintf(w, "M 100644 inline tenants/t%04d/f%d.yaml\ndata %d\n%s\n", i/10, i%10, len(text), text)
	}
	for i := range n {
		fmt.Fprintf(w, "commit refs/heads/main\ncommitter c <c@example.com> %d +0000\ndata 1\nx\n", 1_700_000_000+i*60)
		if i == 0 {
			for f := range n {
				file(f, 0)
			}
		}
		file(i*7919%n, i)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	u.run(u.bare, "repack", "-q", "-a", "-d")
	return u
}

// oneMore adds a commit with git's plumbing, without a work tree.
func (u *upstream) oneMore(i int) {
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir = u.bare
	in, err := cmd.StdinPipe()
	if err != nil {
		u.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	text := fmt.Sprintf("# more %d\n", i)
	fmt.Fprintf(in, "commit refs/heads/main\ncommitter c <c@example.com> %d +0000\ndata 1\nx\nfrom refs/heads/main^0\nM 100644 inline tenants/t0003/f3.yaml\ndata %d\n%s\n", 1_800_000_000+i, len(text), text)
	if err := in.Close(); err != nil {
		u.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		u.t.Fatal(err)
	}
}

// BenchmarkOneCommitLater is what follows a push in a large repository: poll,
// fetch, history, files, the one that changed.
func BenchmarkOneCommitLater(b *testing.B) {
	u := large(b, 10_000)
	r := open(b, source.Options{URL: u.url(), Path: "tenants", Dir: filepath.Join(b.TempDir(), "m"), MaxPacks: 1 << 20})
	last := poll(b, r)
	old := snapshot(b, r, last)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		u.oneMore(i)
		b.StartTimer()
		head := poll(b, r)
		if ok, err := r.IsAncestor(b.Context(), last, head); err != nil || !ok {
			b.Fatal(ok, err)
		}
		snap := snapshot(b, r, head)
		changed := source.Changed(old, snap)
		if len(snap.Files) != 10_000 || len(changed) != 1 {
			b.Fatal(len(snap.Files), changed)
		}
		if _, err := r.Read(b.Context(), at(snap, changed[0]).Hash); err != nil {
			b.Fatal(err)
		}
		last, old = head, snap
	}
	b.StopTimer()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
}

// BenchmarkFirstClone is the start with an empty folder.
func BenchmarkFirstClone(b *testing.B) {
	u := large(b, 10_000)
	for b.Loop() {
		r := open(b, source.Options{URL: u.url(), Path: "tenants"})
		if got := len(snapshot(b, r, poll(b, r)).Files); got != 10_000 {
			b.Fatal(got)
		}
	}
}

// BenchmarkRewind is the answer "no", which takes all of the history.
func BenchmarkRewind(b *testing.B) {
	u := large(b, 10_000)
	r := open(b, source.Options{URL: u.url(), Path: "tenants"})
	head := poll(b, r)
	before := u.run(u.bare, "rev-parse", "main~1")
	for b.Loop() {
		if ok, err := r.IsAncestor(b.Context(), head, before); err != nil || ok {
			b.Fatal(ok, err)
		}
	}
}
