package source_test

import (
	"fmt"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// BenchmarkPullRequest is one of a fork in a large repository: fetched, and
// laid over a branch that has gone on since.
func BenchmarkPullRequest(b *testing.B) {
	u := large(b, 10_000)
	head := u.forked(7)
	for i := range 20 {
		u.oneMore(i)
	}
	r := open(b, source.Options{URL: u.url(), Path: "tenants", Pulls: source.PullRequests})
	target := poll(b, r)
	snapshot(b, r, target)
	b.Run("fetch", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			fetched(b, r, 7, head).Close()
		}
	})
	p := fetched(b, r, 7, head)
	b.Run("lay", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if l := lay(b, p, target); len(l.Changed) != 1 || len(l.Conflicts) != 0 {
				b.Fatal(l.Changed, l.Conflicts)
			}
		}
	})
}

// forked shows a commit on top of the branch as a pull request, without a work
// tree.
func (u *upstream) forked(number int) string {
	u.t.Helper()
	ref := fmt.Sprintf("refs/pull/%d/head", number)
	input(&upstream{t: u.t, work: u.bare}, "commit "+ref+"\ncommitter c <c@example.com> 1790000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\nM 100644 inline tenants/t0007/f7.yaml\ndata 6\ntheirs\n", "fast-import", "--quiet")
	return u.run(u.bare, "rev-parse", ref)
}
