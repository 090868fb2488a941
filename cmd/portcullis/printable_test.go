package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"sigs.k8s.io/yaml"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
)

// A name of a file is somebody else's: what a terminal would act on is escaped
// wherever it is said.
func TestErrorsAreEscaped(t *testing.T) {
	t.Parallel()
	const bad = "a\x1b[2J\nb\u202ec"
	policy := writeFile(t, filepath.Join(t.TempDir(), bad, "p.yaml"), "kind: nonsense\n")
	for _, args := range [][]string{
		{"check", "/nowhere/" + bad},
		{"check", ".", "--policy", "/nowhere/" + bad},
		{"check", ".", "--policy", policy},
		{"diff", "-C", t.TempDir(), bad},
		{bad},
	} {
		var out, errs bytes.Buffer
		if code := execute(context.Background(), args, &out, &errs); code != 2 {
			t.Fatalf("%q: exit code %d", args, code)
		}
		if text := errs.String(); strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "\nb") {
			t.Errorf("%q: %q", args, text)
		}
	}
}

// Several errors are a line each.
func TestPrintableErrors(t *testing.T) {
	t.Parallel()
	one, two := errors.New("one\x07"), errors.New("two\nthree")
	for _, c := range []struct {
		err  error
		want string
	}{
		{one, `one\a`},
		{errors.Join(one, two), "one\\a\ntwo\\nthree"},
		{errors.Join(one, errors.Join(two, one)), "one\\a\ntwo\\nthree\none\\a"},
		{fmt.Errorf("with %w", two), `with two\nthree`},
	} {
		if got := printable(c.err); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// Names of clusters are somebody else's, too: whatever the form of the status, a
// terminal is told nothing by them, and a program that reads JSON has them whole.
func TestStatusIsEscaped(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"shop\u009b2J\x7f", "shop\u202eprod", "two\nlines\x1b[2J\u0085", "- 'a': \"b\" # \u2066c\\u202e", "\ufeff", "shop-prod"} {
		s := &status{console.Status{Seed: "eu-west", Clusters: []apply.Observed{{ID: "qvjdddt72t", Name: name, Message: name, State: apply.Synced}}}}
		for _, form := range []string{"", "wide", "json", "yaml"} {
			var out bytes.Buffer
			if err := (&statusOptions{output: form}).print(&out, s); err != nil {
				t.Fatal(err)
			}
			for _, r := range out.String() {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Errorf("%q as %q: %U is in what is printed:\n%+q", name, form, r, &out)
				}
			}
			var back console.Status
			switch form {
			case "json":
				if err := json.Unmarshal(out.Bytes(), &back); err != nil || len(back.Clusters) != 1 || back.Clusters[0].Name != name {
					t.Errorf("%q read back as %+v, %v", name, back.Clusters, err)
				}
			case "yaml":
				if err := yaml.Unmarshal(out.Bytes(), &back); err != nil || len(back.Clusters) != 1 || back.Clusters[0].ID != "qvjdddt72t" {
					t.Errorf("%q read back as %+v, %v:\n%s", name, back.Clusters, err, &out)
				}
			}
		}
	}
}
