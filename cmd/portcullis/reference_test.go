package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reference is where the pages are.
const reference = "../../docs/reference"

// TestReferenceIsCurrent makes the pages anew and wants them to be those that
// are there; PORTCULLIS_REFERENCE=write (`make reference`) writes them.
func TestReferenceIsCurrent(t *testing.T) {
	for name, page := range map[string]func(*testing.T) string{
		"fields.md": fieldsPage, "rules.md": rulesPage, "cli.md": cliPage, "metrics.md": metricsPage,
	} {
		t.Run(name, func(t *testing.T) {
			want := []byte("<!-- Made from the code by `make reference`. Do not edit. -->\n\n" + page(t))
			path := filepath.Join(reference, name)
			if t.Failed() {
				return
			}
			if os.Getenv("PORTCULLIS_REFERENCE") == "write" {
				writeFile(t, path, "")
				if err := os.WriteFile(path, want, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s is stale: make reference\n%s", path, firstDifference(string(got), string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range b {
		if i >= len(a) || a[i] != b[i] {
			return fmt.Sprintf("line %d should be: %s", i+1, b[i])
		}
	}
	return "it is longer than it should be"
}

// cell is text for a table's cell.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s) }

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}
