package lint

import "github.com/portcullis-gitops/portcullis/render/document"

// Problem is what a rule finds, before its file and its severity are settled.
type Problem struct {
	document.Problem
	// Path is the file that it points into; empty for that of the document
	// which the rule was asked about.
	Path string
	// Severity is what it has unless the policy chose another; empty for that
	// of the table. It is for rules that weigh a change, or what is live.
	Severity Severity
}

// plain makes a rule of one that always points into the document's own file,
// with the table's severity.
func plain(check func(*Allowlist) []document.Problem) func(*Allowlist) []Problem {
	return func(a *Allowlist) []Problem { return problems(check(a)) }
}

func problems(found []document.Problem) []Problem {
	var out []Problem
	for _, p := range found {
		out = append(out, Problem{Problem: p})
	}
	return out
}

// SeverityFor is the severity of a problem under a policy's own choices.
func (p Problem) SeverityFor(chosen map[string]string) Severity {
	if p.Severity == "" || chosen[p.Rule] != "" {
		return SeverityOf(p.Rule, chosen)
	}
	return p.Severity
}
