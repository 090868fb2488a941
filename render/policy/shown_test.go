package policy_test

import (
	"os"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// fault is a row of a table: one file, and the faults it must give, each as
// line:column: message, where the message may be cut. None is a valid file.
type fault struct {
	name string
	file string
	want []string
}

func (f fault) check(t *testing.T, problems []document.Problem) {
	t.Helper()
	for i, p := range problems {
		if p.Rule != "invalid-config" {
			t.Errorf("%s has the rule %s", shown(p), p.Rule)
		}
		if i >= len(f.want) || !strings.HasPrefix(shown(p), f.want[i]) {
			t.Errorf("got  %s", shown(p))
		}
	}
	for i, want := range f.want {
		if i >= len(problems) || !strings.HasPrefix(shown(problems[i]), want) {
			t.Errorf("want %s", want)
		}
	}
	if t.Failed() {
		t.Logf("the file:\n%s", f.file)
	}
}

func shown(p document.Problem) string { return p.String() + ": " + p.Message + fix(p) }

func fix(p document.Problem) string {
	if p.Fix == "" {
		return ""
	}
	return " [" + p.Fix + "]"
}

// changeable stands in for the table of rules.
func changeable(rule string) (known, canChange bool) {
	switch rule {
	case "special-range", "too-wide":
		return true, true
	case "open-world":
		return true, false
	}
	return false, false
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func mustConfig(t *testing.T, file string) *policy.Config {
	t.Helper()
	c, problems := policy.ParseConfig([]byte(file))
	fault{file: file}.check(t, problems)
	return c
}

func mustPolicy(t *testing.T, file string) *policy.Policy {
	t.Helper()
	p, problems := policy.ParsePolicy([]byte(file), changeable)
	fault{file: file}.check(t, problems)
	return p
}

func validated(t *testing.T, c *policy.Config, p *policy.Policy) {
	t.Helper()
	for _, problem := range policy.Validate(c, p) {
		t.Errorf("got %s", shown(problem))
	}
}
