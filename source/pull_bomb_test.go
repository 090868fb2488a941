package source_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/portcullis-gitops/portcullis/source"
)

// maxPullMemory is what judging one pull request may take, in bytes.
const maxPullMemory = 256 << 20

// atMost fails the test if the heap grows by more than maxPullMemory while f
// runs. Tests that call it do not run beside others.
func atMost(t *testing.T, f func()) {
	t.Helper()
	within(t, maxPullMemory, f)
}

// within is atMost, with another bound.
func within(t *testing.T, limit int64, f func()) {
	t.Helper()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	var peak atomic.Uint64
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapAlloc))
			}
		}
	})
	f()
	close(stop)
	watch.Wait()
	grown := int64(peak.Load()) - int64(before)
	t.Logf("at most %d MiB of heap", grown>>20)
	if grown > limit {
		t.Errorf("%d MiB of heap", grown>>20)
	}
}

// sized is how large something is: less with the race detector, which takes many
// times as long; `make test` has all of it without.
func sized(full, raced int) int {
	if raceDetector {
		return raced
	}
	return full
}

// tooLarge also sees to it that the bound is told.
func tooLarge(t *testing.T, err error, what string) {
	t.Helper()
	var over *source.TooLargeError
	if !errors.As(err, &over) || !errors.Is(err, source.ErrTooLarge) || !strings.Contains(over.What, what) {
		t.Errorf("got %v, want over %q", err, what)
	}
}

// usable tells whether the branch can still be followed, and another pull
// request judged.
func usable(t *testing.T, u *upstream, r *source.Repository) {
	t.Helper()
	head := poll(t, r)
	innocent := u.fork(99, head, func() { u.write("tenants/innocent/a.yaml", "fine") })
	l := lay(t, fetched(t, r, 99, innocent), head)
	if !slices.Equal(l.Changed, []string{"tenants/innocent/a.yaml"}) {
		t.Errorf("an innocent one changes %q", l.Changed)
	}
}

func TestPullRequestOfTooManyBytes(t *testing.T) {
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	head := u.fork(7, first, func() { u.write("tenants/acme/noise.yaml", noise(source.MaxPullBytes+8<<20)) })
	h := serve(t, u, false)
	dir := t.TempDir()
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Pulls: source.PullRequests, Dir: dir})
	poll(t, r)
	before := disk(t, dir)
	sent := traffic(h)
	atMost(t, func() {
		_, err := r.Pull(t.Context(), 7, head)
		tooLarge(t, err, "bytes sent")
	})
	if got := sent.Load(); got > source.MaxPullBytes+4<<20 {
		t.Errorf("%d bytes were sent", got)
	}
	if !equal(before, disk(t, dir)) {
		t.Error("the mirror's folder has changed")
	}
	usable(t, u, r)
}

// A file of 60 MiB that is nothing sent: it is measured and not looked into.
func TestPullRequestWithALargeFile(t *testing.T) {
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	head := u.fork(7, first, func() {
		u.write("tenants/acme/zeros.yaml", strings.Repeat("\x00", sized(60<<20, 20<<20)))
		u.write("tenants/acme/zeros.bin", strings.Repeat("\x00", sized(59<<20, 19<<20)))
	})
	r := pulling(t, u)
	atMost(t, func() {
		p := fetched(t, r, 7, head)
		l := lay(t, p, first)
		e := at(l.Snapshot, "tenants/acme/zeros.yaml")
		if e.Kind != source.TooLarge {
			t.Errorf("%+v", e)
		}
		_, err := p.Read(t.Context(), e.Hash)
		tooLarge(t, err, "bytes in a blob")
		if p.Size() > 1<<20 {
			t.Errorf("holds %d bytes", p.Size())
		}
	})
}

// Large files that differ by a little come as deltas, which are not put together.
func TestPullRequestWithDeltasOfLargeFiles(t *testing.T) {
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	text := noise(sized(20<<20, 17<<20))
	u.git("checkout", "-q", "-B", "fork", first)
	u.write("tenants/acme/big.yaml", text)
	u.write("tenants/acme/big.bin", text+"and more")
	u.commit("one")
	u.write("tenants/acme/big.yaml", text+"and something else")
	u.write("tenants/acme/b.yaml", "small")
	head := u.commit("two")
	u.pull(7, head)
	u.run(u.bare, "repack", "-q", "-a", "-d", "-f")
	r := pulling(t, u)
	atMost(t, func() {
		p := fetched(t, r, 7, head)
		if p.Size() > 30<<20 {
			t.Fatalf("%d bytes: no deltas", p.Size())
		}
		l := lay(t, p, first)
		want := []string{"tenants/acme/a.yaml|acme|regular", "tenants/acme/b.yaml|acme|regular", "tenants/acme/big.yaml|acme|too large"}
		if got := paths(l.Snapshot); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// As much as is permitted, none of which can be made smaller.
func TestPullRequestAtTheBounds(t *testing.T) {
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	const files = source.MaxPullContent / source.MaxFileSize
	text := noise(files << 20)
	head := u.fork(7, first, func() {
		for i := 0; len(text) > 0; i++ {
			n := min(len(text), source.MaxFileSize)
			u.write(fmt.Sprintf("tenants/globex/f%02d.yaml", i), text[:n])
			text = text[n:]
		}
	})
	r := pulling(t, u)
	atMost(t, func() {
		p := fetched(t, r, 7, head)
		l := lay(t, p, first)
		for _, e := range l.Files {
			if data, err := p.Read(t.Context(), e.Hash); err != nil || int64(len(data)) != e.Size {
				t.Errorf("%s: %d bytes, %v", e.Path, len(data), err)
			}
		}
		if len(l.Changed) != files {
			t.Errorf("changed %d files", len(l.Changed))
		}
	})
}

func TestPullRequestOfManyFiles(t *testing.T) {
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	var b strings.Builder
	b.WriteString("commit refs/pull/7/head\ncommitter c <c@example.com> 1800000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\n")
	files := sized(100_000, 20_000)
	for i := range files {
		text := fmt.Sprintf("kind: Allowlist # %d\n", i)
		fmt.Fprintf(&b, "M 100644 inline tenants/t%d/f%d.yaml\ndata %d\n%s\n", i%4, i, len(text), text)
	}
	input(&upstream{t: t, work: u.bare}, b.String(), "fast-import", "--quiet")
	head := u.run(u.bare, "rev-parse", "refs/pull/7/head")
	r := pulling(t, u)
	atMost(t, func() {
		l := lay(t, fetched(t, r, 7, head), first)
		if len(l.Changed) != files || len(l.Files) != files+1 {
			t.Errorf("changed %d of %d files", len(l.Changed), len(l.Files))
		}
	})
	usable(t, u, r)
}

// treeOf makes tree objects of any shape, which no Git program makes.
func (u *upstream) treeOf(lines ...string) string {
	u.t.Helper()
	var b bytes.Buffer
	for _, line := range lines { // mode, hash, name
		mode, rest, _ := strings.Cut(line, " ")
		hash, name, _ := strings.Cut(rest, " ")
		fmt.Fprintf(&b, "%s %s\x00", mode, name)
		raw, err := hex.DecodeString(hash)
		if err != nil {
			u.t.Fatal(err)
		}
		b.Write(raw)
	}
	return u.raw("tree", b.Bytes())
}

func (u *upstream) raw(kind string, data []byte) string {
	u.t.Helper()
	return input(u, string(data), "hash-object", "-w", "--literally", "-t", kind, "--stdin")
}

// crafted shows a root tree as a pull request on top of main.
func (u *upstream) crafted(number int, tenants string) string {
	u.t.Helper()
	root := u.treeOf("40000 " + tenants + " tenants")
	head := u.git("commit-tree", "-m", "crafted", "-p", "main", root)
	u.pull(number, head)
	return head
}

func TestPullRequestOfCraftedFolders(t *testing.T) {
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	blob := u.git("rev-parse", "HEAD:tenants/acme/a.yaml")
	acme := u.git("rev-parse", "HEAD:tenants/acme")
	other := u.raw("blob", []byte("other"))

	twice := u.treeOf("100644 "+blob+" a.yaml", "100644 "+other+" a.yaml", "100644 "+other+" b.yaml")
	level := mktree(u, "100644 blob "+blob, 10)
	for range 12 {
		level = mktree(u, "040000 tree "+level, 10)
	}
	deep := u.treeOf("100644 " + blob + " a.yaml")
	for range 100 {
		deep = u.treeOf("40000 " + deep + " d")
	}
	long := u.treeOf("40000 " + mktree(u, "100644 blob "+blob, 20) + " " + strings.Repeat("n", 1<<20))
	for name, c := range map[string]struct {
		tenant string
		want   []string
	}{
		"a name twice":  {twice, []string{"tenants/acme/a.yaml|acme|regular", "tenants/x/a.yaml|x|regular", "tenants/x/b.yaml|x|regular"}},
		"a bomb":        {level, []string{"tenants/acme/a.yaml|acme|regular", "tenants/x|x|overfull folder"}},
		"deep folders":  {deep, []string{"tenants/acme/a.yaml|acme|regular", "tenants/x|x|overfull folder"}},
		"endless names": {long, []string{"tenants/acme/a.yaml|acme|regular", "tenants/x|x|overfull folder"}},
		"odd names":     {u.treeOf("100644 "+blob+" .", "100644 "+blob+" ..", "100644 "+blob+" x/y.yaml", "40000 "+acme+" .git"), []string{"tenants/acme/a.yaml|acme|regular"}},
		"an odd mode":   {u.treeOf("0 " + blob + " a.yaml"), []string{"tenants/acme/a.yaml|acme|regular", "tenants/x/a.yaml|x|regular"}},
	} {
		t.Run(name, func(t *testing.T) {
			sub := &upstream{t: t, bare: u.bare, work: u.work, tick: u.tick}
			head := sub.crafted(7, sub.treeOf("40000 "+acme+" acme", "40000 "+c.tenant+" x"))
			r := pulling(t, sub)
			atMost(t, func() {
				if got := paths(lay(t, fetched(t, r, 7, head), first).Snapshot); !slices.Equal(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// Many tenants, each of which alone would pass.
func TestPullRequestOfTooManyFolders(t *testing.T) {
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	blob := u.git("rev-parse", "HEAD:tenants/acme/a.yaml")
	many := func(tenant string, n int) string {
		var lines []string
		for i := range n {
			lines = append(lines, fmt.Sprintf("40000 %s t%05d", tenant, i))
		}
		return u.treeOf(lines...)
	}
	name := strings.Repeat("n", 1<<20)
	for what, tenants := range map[string]string{
		"new files and folders": many(mktree(u, "100644 blob "+blob, 1000), 1000),
		"bytes of new files":    many(mktree(u, "100644 blob "+u.raw("blob", []byte(strings.Repeat("a", source.MaxFileSize))), 2), 10),
		"bytes of paths":        many(u.treeOf("40000 "+mktree(u, "100644 blob "+blob, 10)+" "+name), 1000),
	} {
		t.Run(what, func(t *testing.T) {
			sub := &upstream{t: t, bare: u.bare, work: u.work, tick: u.tick}
			head := sub.crafted(7, tenants)
			r := pulling(t, sub)
			atMost(t, func() {
				_, err := fetched(t, r, 7, head).Lay(t.Context(), first)
				tooLarge(t, err, what)
			})
			usable(t, sub, r)
		})
	}
}

// Objects that are not what they are taken for. The mirror is not made anew for
// their sake.
func TestPullRequestOfMalformedObjects(t *testing.T) {
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	blob := u.git("rev-parse", "HEAD:tenants/acme/a.yaml")
	acme := u.git("rev-parse", "HEAD:tenants/acme")
	for name, tenants := range map[string]string{
		"a tree that is cut short":      u.treeOf("40000 " + u.raw("tree", []byte("100644 a.yaml\x00short")) + " acme"),
		"a file for a folder":           u.treeOf("40000 " + u.raw("blob", []byte("not a folder")) + " acme"),
		"a file of the mirror for one":  u.treeOf("40000 " + blob + " acme"),
		"a folder for a file":           u.treeOf("40000 " + u.treeOf("100644 "+u.treeOf("100644 "+blob+" q.yaml")+" a.yaml") + " acme"),
		"a folder of the mirror for it": u.treeOf("40000 " + u.treeOf("100644 "+acme+" a.yaml") + " acme"),
	} {
		t.Run(name, func(t *testing.T) {
			var log lines
			sub := &upstream{t: t, bare: u.bare, work: u.work, tick: u.tick}
			h := serveObjects(t, sub, sub.git("commit-tree", "-m", "crafted", "-p", "main", sub.treeOf("40000 "+tenants+" tenants")))
			r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Pulls: source.PullRequests, Log: funcr.New(log.add, funcr.Options{})})
			poll(t, r)
			made := len(log.all())
			p := fetched(t, r, 7, h.head)
			l, err := p.Lay(t.Context(), first)
			if err == nil {
				_, err = p.Read(t.Context(), at(l.Snapshot, "tenants/acme/a.yaml").Hash)
			}
			wantError(t, err, source.ErrMalformed, "")
			if said := log.all()[made:]; len(said) != 0 {
				t.Errorf("logged %q", said)
			}
		})
	}
}

// A commit may say more than anybody reads.
func TestPullRequestWithAHugeMessage(t *testing.T) {
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	file := filepath.Join(t.TempDir(), "message")
	for size, over := range map[int]bool{3 << 20: false, 5 << 20: true} {
		head := u.fork(7, first, func() { u.write("tenants/acme/b.yaml", "theirs") })
		if err := os.WriteFile(file, bytes.Repeat([]byte("word\n"), size/5), 0o600); err != nil {
			t.Fatal(err)
		}
		head = u.git("commit-tree", "-F", file, "-p", first, head+"^{tree}")
		u.pull(7, head)
		r := pulling(t, u)
		atMost(t, func() {
			p := fetched(t, r, 7, head)
			l, err := p.Lay(t.Context(), first)
			if over {
				tooLarge(t, err, "bytes in a commit")
				return
			}
			if err != nil || len(l.Changed) != 1 {
				t.Errorf("%d bytes of message: %v", size, err)
			}
		})
	}
}
