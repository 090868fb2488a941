package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	yaml3 "gopkg.in/yaml.v3"
)

// ours are the calls of the command in a line of a shell.
var ours = regexp.MustCompile(`(?m)(?:^|[ /])portcullis ((?:check|diff)[^|>\n]*)`)

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
			args := strings.Fields(regexp.MustCompile(`"(\$\w+|HEAD\^1)"`).ReplaceAllString(call, "HEAD"))
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

// checkout is what a forge checks out for a change, and what it says of it.
type checkout struct {
	snippet, commit string
	env             []string
}

// TestCIExamplesShowTheChangeAlone runs the step that shows what a change means
// on what each forge checks out, while the target has moved on: it must show
// what the branch does, and nothing that others did.
func TestCIExamplesShowTheChangeAlone(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	dir := repositoryOf(t, filepath.Join(examples, "tenants"))
	inGit(t, dir, "branch", "-M", "main")
	start := commitOf(t, dir, "HEAD")
	inGit(t, dir, "checkout", "-q", "-b", "change")
	edit(t, dir, "acme/staging.yaml", "the branch's own")
	edit(t, dir, "acme/extra.yaml", "")
	inGit(t, dir, "checkout", "-q", "main")
	edit(t, dir, "others/theirs.yaml", "")
	inGit(t, dir, "checkout", "-q", "-b", "merged")
	inGit(t, dir, "merge", "-q", "--no-edit", "change")
	target := commitOf(t, dir, "main")
	for name, c := range map[string]checkout{
		"github":                 {"github", "merged", nil},
		"gitea":                  {"gitea", "change", []string{"TARGET=" + target}},
		"gitlab":                 {"gitlab", "change", []string{"CI_MERGE_REQUEST_DIFF_BASE_SHA=" + start, "CI_MERGE_REQUEST_EVENT_TYPE=detached"}},
		"gitlab, merged results": {"gitlab", "merged", []string{"CI_MERGE_REQUEST_DIFF_BASE_SHA=" + start, "CI_MERGE_REQUEST_EVENT_TYPE=merged_result"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := t.TempDir()
			inGit(t, dir, "worktree", "add", "-q", "--detach", own, c.commit)
			args := argumentsOf(t, own, meaningStep(t, filepath.Join(examples, "ci", c.snippet+".yaml")), c.env)
			args = append(args, "-C", filepath.Join(own, "tenants"))
			var out, errs bytes.Buffer
			if code := execute(t.Context(), args, &out, &errs); code != 0 {
				t.Fatalf("portcullis %q: exit code %d\n%s", args, code, errs.String())
			}
			if !strings.Contains(out.String(), "extrarest1") || strings.Contains(out.String(), "theirrest1") {
				t.Errorf("portcullis %q shows\n%s\nwant the branch's own change alone", args, out.String())
			}
		})
	}
}

// edit commits a list of its own name, or a comment behind a file.
func edit(t *testing.T, dir, file, comment string) {
	t.Helper()
	at := filepath.Join(dir, "tenants", file)
	before, _ := os.ReadFile(at)
	text := string(before) + "# " + comment + "\n"
	if comment == "" {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")[:5]
		text = "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: " + name + "}\nspec:\n  clusters: [" + name + "rest1]\n  nodeEgress: none\n  entries: [{cidr: 203.0.113.0/24}]\n"
	}
	writeFile(t, at, text)
	inGit(t, dir, "add", "tenants")
	inGit(t, dir, "commit", "-q", "-m", "Edit "+file)
}

func commitOf(t *testing.T, dir, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", dir, "rev-parse", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// meaningStep is the shell of a snippet that calls diff: one text, or the lines
// of a list.
func meaningStep(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml3.Node
	if err := yaml3.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if step := stepIn(&doc); step != "" {
		return step
	}
	t.Fatalf("%s: no step shows what a change means", file)
	return ""
}

func stepIn(n *yaml3.Node) string {
	const call = "portcullis diff"
	if n.Kind == yaml3.ScalarNode && strings.Contains(n.Value, call) {
		return n.Value
	}
	for _, c := range n.Content {
		step := stepIn(c)
		if step != "" && n.Kind == yaml3.SequenceNode && c.Kind == yaml3.ScalarNode {
			var lines []string
			for _, line := range n.Content {
				lines = append(lines, line.Value)
			}
			return strings.Join(lines, "\n")
		}
		if step != "" {
			return step
		}
	}
	return ""
}

// argumentsOf runs the step with a portcullis that notes how it is called, and
// answers how diff was.
func argumentsOf(t *testing.T, dir, step string, env []string) []string {
	t.Helper()
	bin := t.TempDir()
	calls := filepath.Join(bin, "calls")
	stub := "#!/bin/sh\necho \"$*\" >> " + calls + "\n"
	if err := os.WriteFile(filepath.Join(bin, "portcullis"), []byte(stub), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", strings.ReplaceAll(step, "/go/bin/", ""))
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "GITHUB_STEP_SUMMARY="+filepath.Join(bin, "summary")), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", step, err, out)
	}
	noted, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(noted), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "diff" {
			continue
		}
		if at := slices.Index(words, "-C"); at > 0 { // the folder is given below
			words = slices.Delete(words, at, at+2)
		}
		return words
	}
	t.Fatalf("the step does not call diff:\n%s", noted)
	return nil
}
