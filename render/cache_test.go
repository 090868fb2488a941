package render_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
)

// commit asks a cache for the files of a commit, as the reconciler does.
func commit(t *testing.T, c *render.Cache, files map[string]string) {
	t.Helper()
	for path, content := range files {
		p, err := c.Parse(content, func() ([]byte, error) { return []byte(content), nil })
		if err != nil || len(p.Allowlists) != 1 {
			t.Fatalf("%s: got %v, %v", path, p, err)
		}
	}
	c.Forget()
}

func TestOneChangedFileOfManyIsTakenApart(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 200 {
		files[fmt.Sprintf("acme/%d.yaml", i)] = allowlist(fmt.Sprintf("a%d", i), "shopprod01", "203.0.113.0/24")
	}
	c := render.NewCache()
	commit(t, c, files)
	if c.Taken != 200 {
		t.Fatalf("the first commit: %d files taken apart, want 200", c.Taken)
	}
	commit(t, c, files)
	files["acme/7.yaml"] = allowlist("a7", "shopprod01", "198.51.100.0/24")
	commit(t, c, files)
	if c.Taken != 201 {
		t.Errorf("after one change: %d files taken apart, want 201", c.Taken)
	}
	files["acme/8.yaml"] = files["acme/9.yaml"] // the same content elsewhere
	commit(t, c, files)
	if c.Taken != 201 {
		t.Errorf("after a copy: %d files taken apart, want 201", c.Taken)
	}
}

func TestCacheForgetsWhatIsNotAskedFor(t *testing.T) {
	t.Parallel()
	c := render.NewCache()
	file := map[string]string{"acme/a.yaml": allowlist("a", "shopprod01", "203.0.113.0/24")}
	commit(t, c, file)
	commit(t, c, nil)
	commit(t, c, file)
	if c.Taken != 2 {
		t.Errorf("%d files taken apart, want 2: one was not asked for in between", c.Taken)
	}
}

func TestCacheKeepsNoFailure(t *testing.T) {
	t.Parallel()
	c := render.NewCache()
	gone := errors.New("the mirror is gone")
	if _, err := c.Parse("1", func() ([]byte, error) { return nil, gone }); !errors.Is(err, gone) {
		t.Fatalf("got %v, want %v", err, gone)
	}
	if p, err := c.Parse("1", func() ([]byte, error) { return []byte("{"), nil }); err != nil || len(p.Problems) != 1 {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestWhatIsNoFileIsRefusedAsUnread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rule, file string }{{"not-a-file", "link"}, {"file-too-large", "large"}} {
		parsed := render.NotAFile("symlink")
		if c.file == "large" {
			parsed = render.TooLarge(2<<20, 1<<20)
		}
		w := newWorld(t)
		w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
		w.plan()
		files := []render.File{{Source: "s", Tenant: "acme", Path: "acme/a.yaml", Hash: c.file, Parsed: parsed}}
		p := render.Render(render.Input{Files: files, Base: w.base, Policy: w.policy, Inventory: w.inventory, Seed: w.seed, Now: w.now})
		wantFindings(t, p, "acme/a.yaml:1:1 error "+c.rule)
		wantHeld(t, p, "shopprod01", c.rule)
		wantList(t, p, "shopprod01", "203.0.113.0/24")
	}
}
