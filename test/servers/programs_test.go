package servers_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// workTree is a folder with the given programs in .tools/bin; the working
// directory becomes a folder below it.
func workTree(t *testing.T, names ...string) (bin string) {
	t.Helper()
	root := t.TempDir()
	bin, below := filepath.Join(root, ".tools", "bin"), filepath.Join(root, "a", "b")
	if err := errors.Join(os.MkdirAll(bin, 0o755), os.MkdirAll(below, 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(bin, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(below)
	return bin
}

func TestFindLooksWhereItSays(t *testing.T) {
	bin := workTree(t, "etcd", "gitea")
	own := t.TempDir()
	if err := os.WriteFile(filepath.Join(own, "etcd"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ program, assets, want string }{
		{"etcd", "", filepath.Join(bin, "etcd")},
		{"etcd", own, filepath.Join(own, "etcd")},
		{"gitea", own, filepath.Join(bin, "gitea")},
		{"kube-apiserver", "", ""},
		{"kube-apiserver", own, ""},
	} {
		t.Setenv("KUBEBUILDER_ASSETS", c.assets)
		got, err := servers.Find(c.program)
		if c.want == "" && (!errors.Is(err, servers.ErrMissing) || !strings.Contains(err.Error(), "make tools")) {
			t.Errorf("%s with assets %q: %s, the error is %v", c.program, c.assets, got, err)
		}
		if got != c.want {
			t.Errorf("%s with assets %q: %s, not %s", c.program, c.assets, got, c.want)
		}
	}
}

// verdict is a TB that notes how Need decides.
type verdict struct{ said string }

func (*verdict) Helper()             {}
func (*verdict) Cleanup(func())      {}
func (*verdict) Error(...any)        {}
func (v *verdict) Skip(args ...any)  { v.decide("skip: ", args) }
func (v *verdict) Fatal(args ...any) { v.decide("fatal: ", args) }

// decide ends the call, as skipping and failing do.
func (v *verdict) decide(what string, args []any) {
	v.said = what + fmt.Sprint(args...)
	panic(v)
}

func need(programs ...string) (said string) {
	v := &verdict{}
	defer func() {
		if got := recover(); got != nil && got != any(v) {
			panic(got)
		}
		said = v.said
	}()
	servers.Need(v, programs...)
	return v.said
}

func TestNeedSkipsOrFails(t *testing.T) {
	workTree(t, "gitea")
	t.Setenv("KUBEBUILDER_ASSETS", "")
	for _, c := range []struct{ mode, program, want string }{
		{"", "gitea", ""},
		{"", "etcd", "skip: find etcd"},
		{"required", "gitea", ""},
		{"required", "etcd", "fatal: find etcd"},
		{"none", "gitea", "skip: needs real servers"},
		{"none", "etcd", "skip: needs real servers"},
	} {
		t.Setenv("PORTCULLIS_TEST_SERVERS", c.mode)
		if got := need(c.program); !strings.HasPrefix(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("with mode %q a test that needs %s: %q, not %q", c.mode, c.program, got, c.want)
		}
	}
}
