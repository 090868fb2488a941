package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	yaml3 "gopkg.in/yaml.v3"
)

// ours are the calls of the command in a line of a shell.
var ours = regexp.MustCompile(`(?:^|[ /])portcullis ((?:check|diff)[^|>]*)`)

// calls are the calls of the command in all text of a document.
func calls(n *yaml3.Node) (out []string) {
	if n.Kind == yaml3.ScalarNode {
		for _, m := range ours.FindAllStringSubmatch(n.Value, -1) {
			out = append(out, strings.TrimSpace(m[1]))
		}
	}
	for _, c := range n.Content {
		out = append(out, calls(c)...)
	}
	return out
}

// TestCIExamples reads the examples as YAML, and runs the calls that they make
// on the tenants' files of the examples, in a repository.
func TestCIExamples(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	dir := repositoryOf(t, filepath.Join(examples, "tenants"))
	t.Chdir(dir)
	for _, name := range []string{"github", "gitlab", "gitea"} {
		text, err := os.ReadFile(filepath.Join(examples, "ci", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml3.Node
		if err := yaml3.Unmarshal(text, &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found := calls(&doc)
		if len(found) < 2 {
			t.Errorf("%s: calls %q", name, found)
		}
		for _, call := range found {
			args := strings.Fields(regexp.MustCompile(`"\$\w+"`).ReplaceAllString(call, "HEAD"))
			var out, errs bytes.Buffer
			if code := execute(context.Background(), args, &out, &errs); code != 0 {
				t.Errorf("%s: portcullis %s: exit code %d\n%s%s", name, call, code, out.String(), errs.String())
			}
		}
	}
}

// repositoryOf is a repository that holds the folder as tenants.
func repositoryOf(t *testing.T, tenants string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "tenants"), os.DirFS(tenants)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=ci", "-c", "user.email=ci@example.com", "commit", "-q", "-m", "Start"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	return dir
}
