package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// update writes the comments of examples/changes instead of comparing them:
// go test ./cmd/portcullis -run Changes -update. Read what it wrote.
var update = flag.Bool("update", false, "write the comments that examples/changes must give")

// Each patch in examples/changes gives exactly the comment beside it. A commit
// of this test's own is called 0123456789ab there.
func TestChanges(t *testing.T) {
	t.Parallel()
	patches, err := filepath.Glob("../../examples/changes/*.patch")
	if err != nil || len(patches) < 12 {
		t.Fatalf("%d patches (%v), want a dozen", len(patches), err)
	}
	for _, patch := range patches {
		t.Run(strings.TrimSuffix(filepath.Base(patch), ".patch"), func(t *testing.T) {
			t.Parallel()
			got := commentOn(t, patch)
			file := strings.TrimSuffix(patch, ".patch") + ".md"
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the comment is\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// exists tells whether a change needs something in the files beforehand.
func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// commentOn applies a patch to a copy of the examples, commits both, and
// compares the two commits.
func commentOn(t *testing.T, patch string) string {
	t.Helper()
	patch, err := filepath.Abs(patch)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, part := range []string{"tenants", "seed"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS("../../examples/"+part)); err != nil {
			t.Fatal(err)
		}
	}
	inGit(t, dir, "init", "-q", "-b", "main")
	if before := strings.TrimSuffix(patch, ".patch") + ".before"; exists(before) {
		inGit(t, dir, "apply", before)
	}
	inGit(t, dir, "add", "tenants", "seed")
	inGit(t, dir, "commit", "-q", "-m", "before")
	inGit(t, dir, "checkout", "-q", "-b", "change")
	inGit(t, dir, "apply", "--index", patch)
	inGit(t, dir, "commit", "-q", "-m", "after")
	var out, errs bytes.Buffer
	code := execute(t.Context(), []string{"diff", "main", "change", "-C", filepath.Join(dir, "tenants"),
		"--policy", filepath.Join(dir, "seed", "policy.yaml"), "-o", "markdown"}, &out, &errs)
	if want := map[bool]int{true: 1}[strings.Contains(out.String(), " error[")]; code != want || errs.Len() > 0 {
		t.Fatalf("exit code %d, want %d: %s", code, want, errs.String())
	}
	return regexp.MustCompile(`\(([0-9a-f]{12})\)`).ReplaceAllString(out.String(), "(0123456789ab)")
}

func inGit(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
