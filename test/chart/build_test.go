package chart_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// TestBuildsAreTheSame builds what is shipped from copies of the sources in two
// folders: the bytes are the same.
func TestBuildsAreTheSame(t *testing.T) {
	t.Parallel()
	servers.Need(t) // it takes a minute of both cores, as they do
	var builds [2][]byte
	for i, folder := range []string{"a", "another/place"} {
		dir := filepath.Join(t.TempDir(), folder)
		for _, name := range []string{"cmd", "apply", "render", "source"} {
			if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(root, name))); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"go.mod", "go.sum", "Makefile"} {
			if err := os.WriteFile(filepath.Join(dir, name), must[[]byte](t)(os.ReadFile(filepath.Join(root, name))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "make", "shipped", "VERSION=v1.2.3", "OUT=command")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		builds[i] = must[[]byte](t)(os.ReadFile(filepath.Join(dir, "command")))
		if bytes.Contains(builds[i], []byte(dir)) {
			t.Errorf("it holds the folder %s that it was built in", dir)
		}
	}
	if !bytes.Equal(builds[0], builds[1]) {
		t.Error("the two builds differ")
	}
}
