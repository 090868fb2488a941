package docs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// TestExamplesAreRead reads each whole document of ours that a page shows. The
// pages of rules show wrong ones on purpose; they have a test of their own.
func TestExamplesAreRead(t *testing.T) {
	t.Parallel()
	_, pages := allPages(t)
	read := 0
	for _, p := range pages {
		for _, b := range p.Blocks {
			if b.Lang != "yaml" || strings.HasPrefix(p.Path, "docs/reference/") {
				continue
			}
			whole := strings.Contains(b.Text(), "portcullis.dev/")
			if whole == (b.Has("fragment") || b.Has("other")) {
				t.Errorf("%s:%d: a block of yaml is a document of ours, a fragment of one, or other", p.Path, b.Line)
			}
			if !whole {
				continue
			}
			read++
			found := problems(b.Text())
			if b.Has("wrong") != (len(found) > 0) {
				t.Errorf("%s:%d: the document is marked as wrong: %v, and has %d faults", p.Path, b.Line, b.Has("wrong"), len(found))
			}
			if b.Has("wrong") {
				continue
			}
			for _, problem := range found {
				t.Errorf("%s:%d: %s: %s", p.Path, b.Line+int(problem.Line)-1, problem.Rule, problem.Message)
			}
		}
	}
	if read == 0 {
		t.Error("no documents were found")
	}
}

// problems is what is wrong with the form of a document, whatever its kind.
func problems(text string) (out []document.Problem) {
	switch {
	case strings.Contains(text, "kind: "+policy.KindConfig):
		_, out = policy.ParseConfig([]byte(text))
	case strings.Contains(text, "kind: "+policy.KindPolicy):
		_, out = policy.ParsePolicy([]byte(text), lint.Changeable)
	default:
		out = document.Parse([]byte(text)).Problems
	}
	return out
}

// A check that finds nothing in anything is none.
func TestProblemsAreFound(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Allowlist", "AddressGroup", "Config", "Policy"} {
		text := fmt.Sprintf("apiVersion: portcullis.dev/v1alpha1\nkind: %s\nnonsense: 1\n", kind)
		if len(problems(text)) == 0 {
			t.Errorf("a %s with an unknown field is read", kind)
		}
	}
}
