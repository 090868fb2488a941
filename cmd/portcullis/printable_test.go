package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
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
