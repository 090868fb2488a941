package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/report"
)

func TestTerminalShowsTheLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 80) + "10.0.0.1/8" + strings.Repeat("y", 80)
	for name, c := range map[string]struct {
		line   string
		column int
		want   string
	}{
		"a value":             {"    - cidr: 10.0.0.1/8", 13, "     8 |     - cidr: 10.0.0.1/8\n       |             ^\n"},
		"in the first column": {"spec:", 1, "     8 | spec:\n       | ^\n"},
		"behind the end":      {"spec:", 99, "     8 | spec:\n       |      ^\n"},
		"of another script":   {"- {a: 東京, b: 1}", 11, "     8 | - {a: 東京, b: 1}\n       |             ^\n"},
		"combined":            {"- {a: Cafe\u0301, b: 1}", 14, "     8 | - {a: Cafe\u0301, b: 1}\n       |             ^\n"},
		"half and full width": {"- {a: ｶＡ, b: 1}", 11, "     8 | - {a: ｶＡ, b: 1}\n       |            ^\n"},
		"what moves a cursor": {"\ta: \x1b[2Jb", 8, "     8 | \\ta: \\x1b[2Jb\n       |            ^\n"},
		"a long line": {long, 81, "     8 | …" + strings.Repeat("x", 50) + "10.0.0.1/8" + strings.Repeat("y", 40) + "…\n       | " +
			strings.Repeat(" ", 51) + "^\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := hostBits
			f.Column = c.column
			lines := func(path string, line int) (string, bool) { return c.line, path == f.Path && line == 8 }
			r := report.Result{Findings: []lint.Finding{f, stray}}
			r.Count()
			var out bytes.Buffer
			if err := report.Terminal(&out, r, false, lines); err != nil {
				t.Fatal(err)
			}
			head, fix, _ := strings.Cut(report.Finding(f, false), "\n")
			want := head + "\n" + c.want + fix + report.Finding(stray, false) + "0 files, 0 allowlists, 0 clusters: 1 error, 1 warning\n"
			if out.String() != want {
				t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
			}
		})
	}
}
