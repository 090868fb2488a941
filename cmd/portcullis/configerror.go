package main

import (
	"fmt"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/report"
)

// configError is everything that is wrong with the Config or the Policy.
type configError struct {
	path     string
	problems []document.Problem
}

// Error is a line a problem, as findings are shown.
func (e *configError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is not valid\n", report.Escape(e.path))
	for _, p := range e.problems {
		b.WriteString(report.Finding(lint.Finding{Path: e.path, Line: int(p.Line), Column: int(p.Column),
			Severity: lint.Error, Rule: p.Rule, Message: p.Message, Fix: p.Fix}, false))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
