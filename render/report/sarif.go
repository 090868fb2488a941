package report

import (
	"io"
	"net/url"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/lint"
)

// sarifSchema is where the schema of SARIF 2.1.0 is kept by OASIS.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// SARIF writes the result as one SARIF 2.1.0 document, which code hosts show
// beside the lines of a change. All rules are listed, found or not; what could
// not be checked is a note. Text is escaped as on a terminal, and cannot be
// taken for a link. Paths are relative to where the check was run.
func SARIF(w io.Writer, r Result, version string) error {
	log := sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{{
		Tool:       sarifTool{sarifDriver{Name: "portcullis", Version: version, Rules: sarifRules()}},
		ColumnKind: "unicodeCodePoints", // columns count characters
		Invocations: []sarifInvocation{{Successful: true,
			Notifications: notifications(r.NotChecked)}},
		Results: sarifResults(r.Findings),
	}}}
	return WriteJSON(w, log)
}

func sarifRules() []sarifRule {
	out := make([]sarifRule, 0, len(lint.Rules))
	for _, r := range lint.Rules {
		rule := sarifRule{ID: r.Name, Short: sarifText{r.What}}
		rule.Default.Enabled, rule.Default.Level = r.Severity != lint.Off, level(r.Severity)
		rule.Properties.Scope = string(r.Scope)
		out = append(out, rule)
	}
	return out
}

// level is a severity in SARIF's words. A rule that is off by default is a
// warning to those who turn it on.
func level(s lint.Severity) string {
	if s == lint.Error {
		return "error"
	}
	return "warning"
}

func sarifResults(findings []lint.Finding) []sarifResult {
	index := map[string]int{}
	for i, r := range lint.Rules {
		index[r.Name] = i
	}
	out := make([]sarifResult, 0, len(findings))
	for _, f := range findings {
		result := sarifResult{Rule: f.Rule, Level: level(f.Severity), Message: sarifText{message(f)},
			Locations: []sarifLocation{{}}}
		if i, known := index[f.Rule]; known {
			result.Index = &i
		}
		place := &result.Locations[0].Physical
		place.Artifact.URI = (&url.URL{Path: f.Path}).String()
		place.Region = sarifRegion{f.Line, f.Column}
		out = append(out, result)
	}
	return out
}

// message is what is wrong and what to do about it. Both are plain text: a
// bracket that could begin one of SARIF's links is escaped as it wants it.
func message(f lint.Finding) string {
	text := Escape(f.Message)
	if f.Fix != "" {
		text += "\nfix: " + Escape(f.Fix)
	}
	if strings.Contains(text, "](") {
		text = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`).Replace(text)
	}
	return text
}

func notifications(notChecked []string) []sarifNotification {
	out := make([]sarifNotification, 0, len(notChecked))
	for _, n := range notChecked {
		out = append(out, sarifNotification{"note", sarifText{"not checked: " + Escape(n)}})
	}
	return out
}
