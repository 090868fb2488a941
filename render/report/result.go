// Package report writes findings for people and for programs.
//
// Text is one line a finding, `path:line:column: severity[rule]: message`, with
// an indented `fix:` below where there is one; JSON is one document of the same.
// Whatever came from a file is escaped: nothing in it can move a cursor, start
// a line or colour a terminal.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/portcullis-gitops/portcullis/render/lint"
)

// Result is the outcome of a check.
type Result struct {
	Findings []lint.Finding `json:"findings"`
	// NotChecked says what could not be checked without a seed.
	NotChecked []string `json:"notChecked"`
	Summary    Summary  `json:"summary"`
}

// Summary counts what was checked and what was found.
type Summary struct {
	Files      int `json:"files"`
	Allowlists int `json:"allowlists"`
	Clusters   int `json:"clusters"` // named by ID
	Errors     int `json:"errors"`
	Warnings   int `json:"warnings"`
}

// Count fills in the numbers of errors and warnings.
func (r *Result) Count() {
	r.Summary.Errors, r.Summary.Warnings = 0, 0
	for _, f := range r.Findings {
		if f.Severity == lint.Error {
			r.Summary.Errors++
		} else {
			r.Summary.Warnings++
		}
	}
}

// JSON writes the result as one document (WriteJSON). Lists are never null.
func JSON(w io.Writer, r Result) error {
	if r.Findings == nil {
		r.Findings = []lint.Finding{}
	}
	if r.NotChecked == nil {
		r.NotChecked = []string{}
	}
	return WriteJSON(w, r)
}

// WriteJSON writes any value as one indented document, with everything escaped
// that a terminal may act on: a program reads it as it was.
func WriteJSON(w io.Writer, doc any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, plainJSON(b.String()))
	return err
}

// plainJSON escapes what encoding/json leaves as it is although a terminal may
// act on it, such as the control characters from U+007F on. The line breaks
// are the encoder's own.
func plainJSON(doc string) string {
	var b strings.Builder
	for _, r := range doc {
		if r == '\n' || !unprintable(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// Text writes the result for people; colour is for terminals only.
func Text(w io.Writer, r Result, colour bool) error {
	return write(w, r, func(f lint.Finding) string { return Finding(f, colour) })
}

func write(w io.Writer, r Result, finding func(lint.Finding) string) error {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(finding(f))
	}
	for _, n := range r.NotChecked {
		fmt.Fprintf(&b, "not checked: %s\n", n)
	}
	fmt.Fprintf(&b, "%s, %s, %s: %s, %s\n", count(r.Summary.Files, "file"), count(r.Summary.Allowlists, "allowlist"),
		count(r.Summary.Clusters, "cluster"), count(r.Summary.Errors, "error"), count(r.Summary.Warnings, "warning"))
	_, err := io.WriteString(w, b.String())
	return err
}

// Finding is one finding as text, with its fix, ending in a newline.
func Finding(f lint.Finding, colour bool) string {
	severity := fmt.Sprintf("%s[%s]", f.Severity, f.Rule)
	if colour {
		severity = paint(f.Severity, severity)
	}
	out := fmt.Sprintf("%s:%d:%d: %s: %s\n", Escape(f.Path), f.Line, f.Column, severity, Escape(f.Message))
	if f.Fix != "" {
		out += "    fix: " + Escape(f.Fix) + "\n"
	}
	return out
}

func paint(s lint.Severity, text string) string {
	if s == lint.Error {
		return "\x1b[1;31m" + text + "\x1b[0m"
	}
	return "\x1b[33m" + text + "\x1b[0m"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Escape writes what is not plain text as Go would, and leaves the rest.
func Escape(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprintable(r) {
			b.WriteString(strings.Trim(fmt.Sprintf("%+q", string(r)), `"`))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
