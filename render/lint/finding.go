package lint

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity is how much a finding weighs.
type Severity string

// The severities. Off is only met in policies and in the table of rules.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Off     Severity = "off"
)

// Finding is one thing a rule has to say about one place.
type Finding struct {
	Path     string   `json:"path"`
	Line     int      `json:"line"`   // from 1; 1 for a whole file
	Column   int      `json:"column"` // in characters, from 1
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	Message  string   `json:"message"`
	Fix      string   `json:"fix"` // empty where there is none
	// Source is the name of the source that the file is from.
	Source string `json:"-"`
	// Cluster is the cluster that a finding of cluster scope holds.
	Cluster string `json:"-"`
}

// String is the finding as the command line prints it, without its fix.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s[%s]: %s", f.Path, f.Line, f.Column, f.Severity, f.Rule, f.Message)
}

// Sort puts findings in the order in which they are shown.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message))
	})
}
