package report_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/report"
)

// results are the parts of a SARIF document that people come to see.
type results struct {
	Version string
	Runs    []struct {
		ColumnKind string
		Tool       struct {
			Driver struct {
				Name, Version string
				Rules         []struct{ ID string }
			}
		}
		Invocations []struct {
			ToolExecutionNotifications []struct {
				Level   string
				Message struct{ Text string }
			}
		}
		Results []struct {
			RuleID, Level string
			RuleIndex     int
			Message       struct{ Text string }
			Locations     []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine, StartColumn int }
				}
			}
		}
	}
}

func sarif(t *testing.T, r report.Result) (string, results) {
	t.Helper()
	var out bytes.Buffer
	if err := report.SARIF(&out, r, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	var doc results
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, out.String())
	}
	return out.String(), doc
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	_, doc := sarif(t, report.Result{Findings: []lint.Finding{hostBits, stray}, NotChecked: []string{"whose the clusters are"}})
	if len(doc.Runs) != 1 || doc.Version != "2.1.0" || doc.Runs[0].ColumnKind != "unicodeCodePoints" {
		t.Fatalf("got %+v", doc)
	}
	run := doc.Runs[0]
	if d := run.Tool.Driver; d.Name != "portcullis" || d.Version != "v1.2.3" || len(d.Rules) != len(lint.Rules) {
		t.Errorf("driver: %s %s with %d rules, want all %d", d.Name, d.Version, len(d.Rules), len(lint.Rules))
	}
	if n := run.Invocations[0].ToolExecutionNotifications; len(n) != 1 || n[0].Level != "note" || n[0].Message.Text != "not checked: whose the clusters are" {
		t.Errorf("notes: %+v", n)
	}
	if len(run.Results) != 2 {
		t.Fatalf("%d results", len(run.Results))
	}
	first := run.Results[0]
	place := first.Locations[0].PhysicalLocation
	if first.RuleID != "host-bits" || first.Level != "error" || run.Tool.Driver.Rules[first.RuleIndex].ID != "host-bits" ||
		first.Message.Text != "\"10.0.0.1/8\" has bits set behind its length\nfix: 10.0.0.0/8" ||
		place.ArtifactLocation.URI != "tenants/acme/a.yaml" || place.Region.StartLine != 8 || place.Region.StartColumn != 13 {
		t.Errorf("got %+v", first)
	}
	if run.Results[1].Level != "warning" {
		t.Errorf("a warning is %s", run.Results[1].Level)
	}
}

// strange are findings of which a reader must get neither a link nor another
// file than the one that is meant.
var strange = []lint.Finding{
	{Path: "a b/ü:1#2?.yaml", Line: 1, Column: 1, Severity: lint.Error, Rule: "unsafe-text", Message: "[click](https://evil.example) \x1b[31m\u202e"},
	{Path: "c:1/a.yaml", Line: 1, Column: 1, Severity: lint.Error, Rule: "no-such-rule", Message: "plain [brackets] stay"},
}

func TestSARIFOfStrangeText(t *testing.T) {
	t.Parallel()
	_, doc := sarif(t, report.Result{Findings: strange})
	run := doc.Runs[0]
	for i, want := range []struct{ uri, text string }{
		{"a%20b/%C3%BC:1%232%3F.yaml", `\[click\](https://evil.example) \\x1b\[31m\\u202e`},
		{"./c:1/a.yaml", "plain [brackets] stay"},
	} {
		got := run.Results[i]
		if got.Locations[0].PhysicalLocation.ArtifactLocation.URI != want.uri || got.Message.Text != want.text {
			t.Errorf("got %s %q, want %s %q", got.Locations[0].PhysicalLocation.ArtifactLocation.URI, got.Message.Text, want.uri, want.text)
		}
	}
}

// The schema is that of OASIS, as the Go module go-sarif has it. A machine that
// cannot get the module skips this.
func TestSARIFIsValid(t *testing.T) {
	t.Parallel()
	download := exec.Command("go", "mod", "download")
	download.Dir = "../../test/tools/sarif"
	if out, err := download.CombinedOutput(); err != nil {
		t.Skipf("the schema's module is not to be had: %v\n%s", err, out)
	}
	full, _ := sarif(t, report.Result{Findings: append([]lint.Finding{hostBits, stray}, strange...), NotChecked: []string{"something"}})
	empty, _ := sarif(t, report.Result{})
	for name, c := range map[string]struct {
		document string
		valid    bool
	}{
		"full":  {full, true},
		"empty": {empty, true},
		"wrong": {strings.Replace(full, `"columnKind"`, `"columnkind"`, 1), false}, // the test can fail
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("go", "run", ".")
			cmd.Dir, cmd.Stdin = download.Dir, strings.NewReader(c.document)
			if out, err := cmd.CombinedOutput(); (err == nil) != c.valid {
				t.Errorf("valid: %v, want %v\n%s", err == nil, c.valid, out)
			}
		})
	}
}
