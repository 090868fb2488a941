package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/source"
)

// shortTimeout is for servers that never answer.
const shortTimeout = 300 * time.Millisecond

// wantError also sees to it that no secret is in what people are shown.
func wantError(t *testing.T, err, want error, text string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if want != nil && !errors.Is(err, want) {
		t.Errorf("got %v, want one that is %v", err, want)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("got %q, want %q in it", err, text)
	}
	if strings.Contains(err.Error(), canary) {
		t.Errorf("the secret is in %q", err)
	}
}

func secret(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPollOverHTTP(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	h := serve(t, u, false)
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary+"\n")})

	if got := poll(t, r); got != first {
		t.Fatalf("head %s, want %s", got, first)
	}
	if got, want := h.seen(), []string{"GET /info/refs", "POST /git-upload-pack"}; !slices.Equal(got, want) {
		t.Errorf("first poll: %v, want %v", got, want)
	}
	if got := poll(t, r); got != first {
		t.Fatalf("head %s, want %s", got, first)
	}
	if got, want := h.seen(), []string{"GET /info/refs"}; !slices.Equal(got, want) {
		t.Errorf("nothing new: %v, want %v", got, want)
	}

	second := u.change("tenants/acme/a.yaml", "two")
	if got := poll(t, r); got != second {
		t.Fatalf("head %s, want %s", got, second)
	}
	if got, want := h.seen(), []string{"GET /info/refs", "POST /git-upload-pack"}; !slices.Equal(got, want) {
		t.Errorf("moved: %v, want %v", got, want)
	}
	// Back to what is in the mirror: nothing to fetch.
	u.git("push", "-q", "-f", "origin", first+":main")
	if got := poll(t, r); got != first {
		t.Fatalf("head %s, want %s", got, first)
	}
	if got, want := h.seen(), []string{"GET /info/refs"}; !slices.Equal(got, want) {
		t.Errorf("moved back: %v, want %v", got, want)
	}
}

func TestFetchSendsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.change("tenants/acme/big.bin", strings.Repeat(u.bare, 100_000)) // not to be sent twice
	r := open(t, source.Options{URL: u.url(), Path: "tenants", Dir: t.TempDir()})
	poll(t, r)
	dir := t.TempDir()
	r2 := open(t, source.Options{URL: u.url(), Path: "tenants", Dir: dir})
	poll(t, r2)
	u.change("tenants/acme/a.yaml", "two")
	poll(t, r2)
	packs, err := filepath.Glob(filepath.Join(dir, "mirror.git", "objects", "pack", "*.pack"))
	if err != nil || len(packs) != 2 {
		t.Fatalf("packs %v, %v", packs, err)
	}
	var sizes []int64
	for _, p := range packs {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, info.Size())
	}
	if slices.Min(sizes) > 1000 {
		t.Errorf("packs of %v bytes: the fetch repeated what was there", sizes)
	}
}

func TestMirrorSurvivesReopening(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	h := serve(t, u, false)
	opts := source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Dir: t.TempDir()}
	r := open(t, opts)
	poll(t, r)
	if err := r.Pin(first); err != nil {
		t.Fatal(err)
	}
	_, err := source.Open(opts)
	wantError(t, err, source.ErrLocked, opts.Dir)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	h.seen()
	r = open(t, opts)
	if !r.Has(first) {
		t.Error("the commit is gone")
	}
	if got := len(snapshot(t, r, first).Files); got != 1 {
		t.Errorf("%d files", got)
	}
	if got := h.seen(); len(got) != 0 {
		t.Errorf("reading made requests: %v", got)
	}
	poll(t, r)
	if got := h.seen(); len(got) != 1 {
		t.Errorf("poll after reopening: %v", got)
	}
}

func TestTLSNeedsTheAuthority(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	h := serve(t, u, true)
	opts := source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Dir: t.TempDir()}
	r := open(t, opts)
	_, err := r.Poll(t.Context())
	wantError(t, err, source.ErrUnavailable, "certificate")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	opts.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(opts.CAFile, certificate(h), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := poll(t, open(t, opts)); got != first {
		t.Errorf("head %s, want %s", got, first)
	}
}

func TestNoBranch(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	r := open(t, source.Options{URL: u.url(), Path: "tenants"})
	_, err := r.Poll(t.Context())
	wantError(t, err, source.ErrNoBranch, `"main"`)
	over := serve(t, u, false)
	r2 := open(t, source.Options{URL: over.url(), Path: "tenants", TokenFile: secret(t, canary)})
	_, err = r2.Poll(t.Context())
	wantError(t, err, source.ErrNoBranch, `"main"`)

	first := u.change("tenants/acme/a.yaml", "one")
	if got := poll(t, r); got != first {
		t.Fatalf("head %s, want %s", got, first)
	}
	u.git("push", "-q", "origin", "HEAD:other")
	u.run(u.bare, "symbolic-ref", "HEAD", "refs/heads/other")
	u.git("push", "-q", "origin", ":main")
	_, err = r.Poll(t.Context())
	wantError(t, err, source.ErrNoBranch, `"main"`)
	if got := len(snapshot(t, r, first).Files); got != 1 {
		t.Errorf("the mirror has %d files left", got)
	}
}

func TestFileNeedsARepository(t *testing.T) {
	t.Parallel()
	r := open(t, source.Options{URL: "file://" + t.TempDir(), Path: "tenants"})
	_, err := r.Poll(t.Context())
	wantError(t, err, source.ErrNoRepository, "not appear to be a git repository")
}

func TestPinOutlivesAForcedMove(t *testing.T) {
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
	wantError(t, r.Pin(strings.Repeat("1", 40)), source.ErrNotFound, "pin")
	u.git("reset", "-q", "--hard", first)
	head := u.commit("another way")
	u.push("-f")
	u.run(u.bare, "reflog", "expire", "--expire=now", "--all")
	u.run(u.bare, "gc", "-q", "--prune=now")
	if got := poll(t, r); got != head {
		t.Fatalf("head %s, want %s", got, head)
	}
	for old, want := range map[string]bool{first: true, accepted: false, head: true} {
		if got, err := r.IsAncestor(t.Context(), old, head); err != nil || got != want {
			t.Errorf("%s in %s: %v, %v, want %v", old, head, got, err, want)
		}
	}
	// The mirror is made anew: the remote no longer has it, the old mirror does.
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	damage(t, filepath.Join(opts.Dir, "mirror.git", "HEAD"), "garbage")
	r = open(t, opts)
	poll(t, r)
	if got := len(snapshot(t, r, head).Files); got != 1 {
		t.Errorf("%d files", got)
	}
}

func damage(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
