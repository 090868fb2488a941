package source_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/source"
)

// fork makes a commit on top of another, on a branch that the repository does
// not have, and shows it as a pull request.
func (u *upstream) fork(number int, from string, change func()) string {
	u.t.Helper()
	u.git("checkout", "-q", "-B", "fork", from)
	change()
	c := u.commit(fmt.Sprint("pull request ", number))
	u.pull(number, c)
	u.git("checkout", "-q", "-f", "main")
	u.git("clean", "-q", "-ffd")
	return c
}

func (u *upstream) remove(path string) { u.t.Helper(); u.git("rm", "-q", "-r", path) }

func (u *upstream) link(path, to string) {
	u.t.Helper()
	file := filepath.Join(u.work, path)
	_ = os.Remove(file)
	if err := os.Symlink(to, file); err != nil {
		u.t.Fatal(err)
	}
}

func pulling(t testing.TB, u *upstream) *source.Repository {
	t.Helper()
	r := open(t, source.Options{URL: u.url(), Path: "tenants", Pulls: source.PullRequests})
	poll(t, r)
	return r
}

func fetched(t testing.TB, r *source.Repository, number int, head string) *source.Pull {
	t.Helper()
	p, err := r.Pull(t.Context(), number, head)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func lay(t testing.TB, p *source.Pull, target string) *source.Laid {
	t.Helper()
	l, err := p.Lay(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// disk is everything in a folder, by what is in it.
func disk(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		out[path] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPullRequestLeavesNoTrace(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	head := u.fork(7, first, func() { u.write("tenants/acme/b.yaml", "of the fork") })
	dir := t.TempDir()
	r := open(t, source.Options{URL: u.url(), Path: "tenants", Pulls: source.PullRequests, Dir: dir})
	poll(t, r)
	before, around := disk(t, dir), disk(t, temp)

	p := fetched(t, r, 7, head)
	if p.Head() != head || p.Number() != 7 || p.Size() <= 0 || p.Size() > 64<<10 {
		t.Errorf("number %d, head %s, %d bytes", p.Number(), p.Head(), p.Size())
	}
	l := lay(t, p, first)
	hash := at(l.Snapshot, "tenants/acme/b.yaml").Hash
	if text, err := p.Read(t.Context(), hash); err != nil || string(text) != "of the fork" {
		t.Errorf("read %q, %v", text, err)
	}
	if text, err := p.Read(t.Context(), at(l.Snapshot, "tenants/acme/a.yaml").Hash); err != nil || string(text) != "one" {
		t.Errorf("read %q of the target, %v", text, err)
	}
	if now := disk(t, dir); !equal(before, now) {
		t.Errorf("the mirror's folder: %v, was %v", now, before)
	}
	if now := disk(t, temp); !equal(around, now) {
		t.Errorf("temporary files: %v", now)
	}
	if r.Has(head) {
		t.Error("the mirror has the pull request's head")
	}
	p.Close()
	if _, err := p.Read(t.Context(), hash); !errors.Is(err, source.ErrNotFound) {
		t.Errorf("read of a closed one: %v", err)
	}
	if _, err := p.Lay(t.Context(), first); !errors.Is(err, source.ErrNotFound) {
		t.Errorf("laid a closed one: %v", err)
	}
	p.Close()
	if text, err := r.Read(t.Context(), at(l.Snapshot, "tenants/acme/a.yaml").Hash); err != nil || string(text) != "one" {
		t.Errorf("the mirror's file: %q, %v", text, err)
	}
}

func equal(a, b map[string]string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func TestPullRequestThatIsNotThere(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	old := u.fork(7, first, func() { u.write("tenants/acme/b.yaml", "old") })
	u.fork(7, first, func() { u.write("tenants/acme/b.yaml", "new") })
	r := pulling(t, u)
	_, err := r.Pull(t.Context(), 7, old)
	wantError(t, err, source.ErrMoved, "by now")
	_, err = r.Pull(t.Context(), 8, old)
	wantError(t, err, source.ErrNoPull, "refs/pull/8/head")
	_, err = r.Pull(t.Context(), 7, "refs/heads/main")
	wantError(t, err, source.ErrNotFound, "not a full hash")
	none := open(t, source.Options{URL: u.url(), Path: "tenants"})
	poll(t, none)
	_, err = none.Pull(t.Context(), 7, old)
	wantError(t, err, nil, "not known where")
}

// traffic counts what is sent, behind the real host.
func traffic(h *host) *atomic.Int64 {
	var n atomic.Int64
	h.breakWith(func(w http.ResponseWriter, r *http.Request, real http.Handler) bool {
		real.ServeHTTP(counted{w, &n}, r)
		return true
	})
	return &n
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}

func TestPullRequestSendsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/big.bin", noise(1<<20)) // not to be sent twice
	last := u.goOn(300)                                     // the fork is older than all that is named as known
	head := u.fork(7, first, func() { u.write("tenants/acme/b.yaml", "of the fork") })
	h := serve(t, u, false)
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Pulls: source.PullRequests})
	poll(t, r)
	h.seen()
	sent := traffic(h)
	p := fetched(t, r, 7, head)
	if got, want := h.seen(), []string{"GET /info/refs", "POST /git-upload-pack"}; !slices.Equal(got, want) {
		t.Errorf("requests %v, want %v", got, want)
	}
	if got := sent.Load(); got == 0 || got > 4<<10 {
		t.Errorf("%d bytes were sent", got)
	}
	l := lay(t, p, last)
	if want := []string{"tenants/acme/b.yaml"}; l.Base != first || !slices.Equal(l.Changed, want) || len(l.Conflicts) != 0 {
		t.Errorf("base %s, want %s; changed %q, conflicts %q", l.Base, first, l.Changed, l.Conflicts)
	}
	fetched(t, r, 9, first) // merged: nothing to ask for
	if got := h.seen(); len(got) != 0 {
		t.Errorf("for a merged head: %v", got)
	}
}

// goOn adds commits to the branch, without a work tree, and returns the last.
func (u *upstream) goOn(n int) string {
	u.t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "commit refs/heads/main\ncommitter c <c@example.com> %d +0000\ndata 1\nx\n", 1_800_000_000+i)
		if i == 0 {
			b.WriteString("from refs/heads/main^0\n")
		}
		fmt.Fprintf(&b, "M 100644 inline tenants/acme/a.yaml\ndata 4\n%04d\n", i)
	}
	input(&upstream{t: u.t, work: u.bare}, b.String(), "fast-import", "--quiet")
	return u.run(u.bare, "rev-parse", "main")
}

// noise is text that cannot be made smaller.
func noise(n int) string {
	var b bytes.Buffer
	for sum := sha256.Sum256([]byte("seed")); b.Len() < n; sum = sha256.Sum256(sum[:]) {
		b.Write(sum[:])
	}
	return b.String()[:n]
}

func TestMergedHeadIsPartOfTheTarget(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	head := u.fork(7, first, func() { u.write("tenants/acme/b.yaml", "of the fork") })
	other := u.fork(8, first, func() { u.write("tenants/acme/c.yaml", "of another") })
	r := pulling(t, u)
	is := func(head, target string, want bool) {
		t.Helper()
		if got, err := r.IsAncestor(t.Context(), head, target); err != nil || got != want {
			t.Errorf("%s in %s: %v, %v", head, target, got, err)
		}
	}
	is(head, first, false)
	u.git("merge", "-q", "--no-ff", "-m", "merge", head)
	merge := u.git("rev-parse", "HEAD")
	u.push()
	poll(t, r)
	is(head, merge, true)
	is(other, merge, false)
	if l := lay(t, fetched(t, r, 7, head), merge); len(l.Changed) != 0 || l.Base != head {
		t.Errorf("merged, and yet changes %q from %s", l.Changed, l.Base)
	}
	if l := lay(t, fetched(t, r, 8, other), merge); !slices.Equal(l.Changed, []string{"tenants/acme/c.yaml"}) || len(l.Files) != 3 {
		t.Errorf("changed %q, files %q", l.Changed, paths(l.Snapshot))
	}
}

// The branch goes on, and its mirror is made anew, while pull requests are read.
func TestPullRequestsDuringPolls(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	var heads []string
	for i := range 3 {
		heads = append(heads, u.fork(i+1, first, func() { u.write(fmt.Sprintf("tenants/t%d/a.yaml", i), strings.Repeat("x", i+1)) }))
	}
	r := open(t, source.Options{URL: u.url(), Path: "tenants", Pulls: source.PullRequests, MaxPacks: 2})
	poll(t, r)
	var judges sync.WaitGroup
	var stop atomic.Bool
	for i, head := range heads {
		judges.Go(func() {
			for !stop.Load() {
				if err := judgeOne(t.Context(), r, i, head, first); err != nil {
					t.Errorf("pull request %d: %v", i+1, err)
					return
				}
			}
		})
	}
	for i := range 8 {
		c := u.change("tenants/acme/b.yaml", fmt.Sprint(i))
		if got := poll(t, r); got != c {
			t.Errorf("head %s, want %s", got, c)
		}
	}
	stop.Store(true)
	judges.Wait()
}

func judgeOne(ctx context.Context, r *source.Repository, i int, head, target string) error {
	p, err := r.Pull(ctx, i+1, head)
	if err != nil {
		return err
	}
	defer p.Close()
	l, err := p.Lay(ctx, target)
	if err != nil {
		return err
	}
	path := fmt.Sprintf("tenants/t%d/a.yaml", i)
	text, err := p.Read(ctx, at(l.Snapshot, path).Hash)
	if err != nil || string(text) != strings.Repeat("x", i+1) || !slices.Equal(l.Changed, []string{path}) {
		return fmt.Errorf("read %q, changed %q: %w", text, l.Changed, err)
	}
	return nil
}

// What breaks in a transfer is the host's trouble and passes.
func TestPullRequestFaults(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	head := u.fork(7, first, func() { u.write("tenants/acme/b.yaml", noise(300_000)) })
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := serve(t, u, false)
			dir := t.TempDir()
			opts := source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Pulls: source.PullRequests, Dir: dir}
			if strings.Contains(name, "hangs") || strings.Contains(name, "stalls") {
				opts.Timeout = shortTimeout
			}
			seeded := open(t, source.Options{URL: u.url(), Path: "tenants", Dir: dir})
			poll(t, seeded)
			if err := seeded.Close(); err != nil {
				t.Fatal(err)
			}
			r := open(t, opts)
			before := disk(t, dir)
			h.breakWith(c.fault)
			_, err := r.Pull(t.Context(), 7, head)
			wantError(t, err, c.want, c.text)
			if !equal(before, disk(t, dir)) {
				t.Error("the mirror's folder has changed")
			}
			h.breakWith(nil)
			if opts.Timeout == 0 {
				lay(t, fetched(t, r, 7, head), first)
			}
		})
	}
}

// One that stalls is cut off long before a poll would be: others wait behind it.
func TestPullRequestThatTakesTooLong(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as a pull request may")
	}
	if source.MaxPullTime > 30*time.Second {
		t.Fatalf("a pull request may take %s", source.MaxPullTime)
	}
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	head := u.fork(7, first, func() { u.write("tenants/acme/b.yaml", noise(300_000)) })
	h := serve(t, u, false)
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Pulls: source.PullRequests, Dir: t.TempDir()})
	poll(t, r)
	h.breakWith(onPost(stall))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	_, err := r.Pull(ctx, 7, head)
	if ctx.Err() != nil {
		t.Fatal("it was not cut off")
	}
	wantError(t, err, source.ErrUnavailable, "no answer in time")
	h.breakWith(nil)
	lay(t, fetched(t, r, 7, head), first)
}
