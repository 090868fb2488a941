package source_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/source"
)

// A file of 100 MiB on the branch, which is nothing sent, is measured and never
// in memory; the other files of the commit are as good as ever.
func TestBranchWithAHugeFile(t *testing.T) {
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	u.write("tenants/acme/zeros.yaml", strings.Repeat("\x00", sized(100<<20, 40<<20)))
	u.commit("zeros")
	u.push()
	r := open(t, source.Options{URL: "file://" + u.bare, Path: "tenants"})
	within(t, 32<<20, func() {
		head := poll(t, r)
		want := []string{"tenants/acme/a.yaml|acme|regular", "tenants/acme/zeros.yaml|acme|too large"}
		if got := paths(snapshot(t, r, head)); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// Files as large as forges let through, each sent as a difference of the one
// before, leave the other files of the branch as good as ever.
func TestBranchWithALargeFileThatChanges(t *testing.T) {
	u := newUpstream(t)
	u.change("tenants/acme/a.yaml", "one")
	const large = 100 << 20
	for _, end := range []string{"one", "two", "three"} {
		u.write("tenants/globex/zeros.yaml", strings.Repeat("\x00", sized(large, 40<<20))+end)
		u.commit(end)
	}
	u.push()
	r := open(t, source.Options{URL: "file://" + u.bare, Path: "tenants"})
	within(t, 6*large, func() {
		head := poll(t, r)
		want := []string{"tenants/acme/a.yaml|acme|regular", "tenants/globex/zeros.yaml|globex|too large"}
		if got := paths(snapshot(t, r, head)); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A listing without an end is not read to one, and the source is polled again.
func TestListingOverHTTPWithoutAnEnd(t *testing.T) {
	u := newUpstream(t)
	first := u.change("tenants/acme/a.yaml", "one")
	h := serve(t, u, false)
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary)})
	poll(t, r)
	h.breakWith(func(w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		fmt.Fprintf(w, "001e# service=git-upload-pack\n0000%04x%s HEAD\x00ofs-delta\n", 40+5+11+4, first)
		long := fmt.Sprintf("%s refs/heads/%s\n", first, strings.Repeat("x", 60_000))
		for req.Context().Err() == nil {
			if _, err := fmt.Fprintf(w, "%04x%s", len(long)+4, long); err != nil {
				break
			}
		}
		return true
	})
	_, err := r.Poll(t.Context())
	tooLarge(t, err, "a list of refs")
	h.breakWith(nil)
	if head := poll(t, r); head != first {
		t.Errorf("the branch is at %s, not %s", head, first)
	}
}
