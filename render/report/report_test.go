package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/report"
)

var hostBits = lint.Finding{Path: "tenants/acme/a.yaml", Line: 8, Column: 13, Severity: lint.Error, Rule: "host-bits",
	Message: `"10.0.0.1/8" has bits set behind its length`, Fix: "10.0.0.0/8", Source: "customers", Cluster: "shopprod01"}

var stray = lint.Finding{Path: "a.yaml.bak", Line: 1, Column: 1, Severity: lint.Warning, Rule: "stray-file", Message: "the file is not read"}

func TestText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		result report.Result
		colour bool
		want   string
	}{
		"nothing": {report.Result{}, false, "0 files, 0 allowlists, 0 clusters: 0 errors, 0 warnings\n"},
		"one of each": {report.Result{Findings: []lint.Finding{hostBits, stray}, NotChecked: []string{"foreign-cluster: needs a seed"},
			Summary: report.Summary{Files: 1, Allowlists: 1, Clusters: 1}}, false,
			"tenants/acme/a.yaml:8:13: error[host-bits]: \"10.0.0.1/8\" has bits set behind its length\n" +
				"    fix: 10.0.0.0/8\n" +
				"a.yaml.bak:1:1: warning[stray-file]: the file is not read\n" +
				"not checked: foreign-cluster: needs a seed\n" +
				"1 file, 1 allowlist, 1 cluster: 1 error, 1 warning\n"},
		"several": {report.Result{Findings: []lint.Finding{hostBits, hostBits, stray, stray}, Summary: report.Summary{Files: 2, Allowlists: 3, Clusters: 4}}, false,
			strings.Repeat("tenants/acme/a.yaml:8:13: error[host-bits]: \"10.0.0.1/8\" has bits set behind its length\n    fix: 10.0.0.0/8\n", 2) +
				strings.Repeat("a.yaml.bak:1:1: warning[stray-file]: the file is not read\n", 2) +
				"2 files, 3 allowlists, 4 clusters: 2 errors, 2 warnings\n"},
		"in colour": {report.Result{Findings: []lint.Finding{hostBits, stray}}, true,
			"tenants/acme/a.yaml:8:13: \x1b[1;31merror[host-bits]\x1b[0m: \"10.0.0.1/8\" has bits set behind its length\n" +
				"    fix: 10.0.0.0/8\n" +
				"a.yaml.bak:1:1: \x1b[33mwarning[stray-file]\x1b[0m: the file is not read\n" +
				"0 files, 0 allowlists, 0 clusters: 1 error, 1 warning\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.result.Count()
			var out bytes.Buffer
			if err := report.Text(&out, c.result, c.colour); err != nil {
				t.Fatal(err)
			}
			if out.String() != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", out.String(), c.want)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		result report.Result
		want   string
	}{
		"nothing": {report.Result{}, `{
  "findings": [],
  "notChecked": [],
  "summary": {
    "files": 0,
    "allowlists": 0,
    "clusters": 0,
    "errors": 0,
    "warnings": 0
  }
}
`},
		"one of each": {report.Result{Findings: []lint.Finding{hostBits, stray}, NotChecked: []string{"a <b> & c"},
			Summary: report.Summary{Files: 1, Allowlists: 2, Clusters: 3}}, `{
  "findings": [
    {
      "path": "tenants/acme/a.yaml",
      "line": 8,
      "column": 13,
      "severity": "error",
      "rule": "host-bits",
      "message": "\"10.0.0.1/8\" has bits set behind its length",
      "fix": "10.0.0.0/8"
    },
    {
      "path": "a.yaml.bak",
      "line": 1,
      "column": 1,
      "severity": "warning",
      "rule": "stray-file",
      "message": "the file is not read",
      "fix": ""
    }
  ],
  "notChecked": [
    "a <b> & c"
  ],
  "summary": {
    "files": 1,
    "allowlists": 2,
    "clusters": 3,
    "errors": 1,
    "warnings": 1
  }
}
`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.result.Count()
			var out bytes.Buffer
			if err := report.JSON(&out, c.result); err != nil {
				t.Fatal(err)
			}
			if out.String() != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", out.String(), c.want)
			}
		})
	}
}

func TestCountStartsAnew(t *testing.T) {
	t.Parallel()
	r := report.Result{Findings: []lint.Finding{hostBits, stray, stray}}
	r.Count()
	r.Count()
	if r.Summary.Errors != 1 || r.Summary.Warnings != 2 {
		t.Errorf("got %d errors and %d warnings, want 1 and 2", r.Summary.Errors, r.Summary.Warnings)
	}
}

func TestEscape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                      "",
		"Vienna office":         "Vienna office",
		"Zürich, 東京 – \"ok\"":   "Zürich, 東京 – \"ok\"",
		`C:\back\slash`:         `C:\back\slash`,
		"two\nlines":            `two\nlines`,
		"a\ttab\r":              `a\ttab\r`,
		"\x1b[31mred\x1b[0m":    `\x1b[31mred\x1b[0m`,
		"\x00\x07\x7f":          `\x00\a\x7f`,
		"c1 \u009b31m":          `c1 \u009b31m`,
		"turned \u202eelttil":   `turned \u202eelttil`,
		"line\u2028separator":   `line\u2028separator`,
		"zero\u200bwidth":       `zero\u200bwidth`,
		"not UTF-8: \xff":       `not UTF-8: \ufffd`,
		"beyond \U000e0001 BMP": `beyond \U000e0001 BMP`,
	} {
		if got := report.Escape(in); got != want {
			t.Errorf("%+q: got %s, want %s", in, got, want)
		}
	}
}

// Whatever a file or its name holds: nothing of it reaches a terminal, and a
// finding stays on its lines.
func TestNothingFromAFileReachesATerminal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := lint.Finding{Path: nasty().Draw(t, "path"), Line: 1, Column: 1, Severity: lint.Error, Rule: "unsafe-text",
			Message: nasty().Draw(t, "message"), Fix: nasty().Draw(t, "fix")}
		text := report.Finding(f, false)
		wantPlain(t, text)
		if lines, want := strings.Count(text, "\n"), 1+min(1, len(f.Fix)); lines != want {
			t.Fatalf("%d lines, want %d: %q", lines, want, text)
		}
		var doc bytes.Buffer
		if err := report.JSON(&doc, report.Result{Findings: []lint.Finding{f}}); err != nil {
			t.Fatal(err)
		}
		wantPlain(t, doc.String())
		var back report.Result
		if err := json.Unmarshal(doc.Bytes(), &back); err != nil {
			t.Fatalf("not JSON: %v\n%s", err, doc.String())
		}
		if back.Findings[0] != f {
			t.Fatalf("read back: got %+v, want %+v", back.Findings[0], f)
		}
	})
}

func nasty() *rapid.Generator[string] {
	return rapid.StringOf(rapid.OneOf(rapid.Rune(),
		rapid.SampledFrom([]rune("\x00\x07\x1b\x7f\u0085\u009b\u061c\u200e\u202e\u2028\u2066\ufeff\U000e0001\"\\\n\r\tü"))))
}

func wantPlain(t *rapid.T, text string) {
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%U is in what is printed: %+q", r, text)
		}
	}
}
