package source_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"

	"github.com/portcullis-gitops/portcullis/source"
)

// A commit in somebody's work tree is read as the same commit is out of the
// mirror.
func TestCommitIsTheSameView(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	fill(u)
	withSubmodule(u)
	c := u.commit("all")
	u.push()
	own, err := git.PlainOpen(u.work)
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"", "acme"} {
		r := open(t, source.Options{URL: u.url(), Path: "tenants", Tenant: tenant})
		poll(t, r)
		want := snapshot(t, r, c)
		for i := range want.Files {
			want.Files[i].Path = strings.TrimPrefix(want.Files[i].Path, "tenants/")
		}
		got, read, err := source.ReadCommit(t.Context(), own.Storer, c, "tenants", tenant)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Files, want.Files) || got.Commit != c || got.Missing {
			t.Errorf("tenant %q: got\n%v\nwant\n%v", tenant, got.Files, want.Files)
		}
		if text, err := read(t.Context(), at(got, "acme/a.yaml").Hash); err != nil || string(text) != "one" {
			t.Errorf("read %q, %v", text, err)
		}
		if _, err := read(t.Context(), at(got, "acme-2/big.yaml").Hash); !errors.Is(err, source.ErrTooLarge) {
			t.Errorf("2 MiB: %v", err)
		}
	}
	if got, _, err := source.ReadCommit(t.Context(), own.Storer, c, "nowhere", ""); err != nil || !got.Missing || len(got.Files) != 0 {
		t.Errorf("no such folder: %+v, %v", got, err)
	}
	if _, _, err := source.ReadCommit(t.Context(), own.Storer, strings.Repeat("5", 40), "tenants", ""); err == nil {
		t.Error("a commit that is not there was read")
	}
}
