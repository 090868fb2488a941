package document_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// row is one case of a table: a file, and the problems it must give, each as
// `line:column rule message [fix]`, where the end may be left out.
type row struct {
	name string
	file string
	want []string
}

func (r row) check(t *testing.T) {
	t.Helper()
	problems := document.Parse([]byte(r.file)).Problems
	for i, p := range problems {
		if i >= len(r.want) || !strings.HasPrefix(shown(p), r.want[i]) {
			t.Errorf("got  %s", shown(p))
		}
	}
	for i, want := range r.want {
		if i >= len(problems) || !strings.HasPrefix(shown(problems[i]), want) {
			t.Errorf("want %s", want)
		}
	}
	if t.Failed() {
		t.Logf("the file:\n%q", r.file)
	}
}

func shown(p document.Problem) string {
	s := p.String() + " " + p.Rule + " " + p.Message
	if p.Fix != "" {
		s += " [" + p.Fix + "]"
	}
	return s
}

func table(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.check(t)
		})
	}
}

// list is an allowlist whose spec has the given lines, from line 5, column 3.
func list(lines ...string) string {
	return "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: a}\nspec:\n  " + strings.Join(lines, "\n  ") + "\n"
}

const clusters, entries = "clusters: [c]", "entries: [{cidr: 192.0.2.1}]"

// entry is an allowlist with one entry, whose content begins at 6:14.
func entry(content string) string { return list(clusters, "entries: [{"+content+"}]") }

// address is an allowlist with one prefix, at 6:20.
func address(s string) string { return entry("cidr: " + s) }
