package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// ruleName is the one rule that faults of the provider's files have.
const ruleName = "invalid-config"

// reporter gathers what is wrong with a file.
type reporter struct{ problems []document.Problem }

func (r *reporter) report(at document.Pos, fix, format string, args ...any) {
	r.problems = append(r.problems, document.Problem{Pos: at, Rule: ruleName, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// instead gives what was found of a value another remedy: the reader of documents
// does not know what else is wanted of it here.
func (r *reporter) instead(at document.Pos, rule, fix string) {
	for i, p := range r.problems {
		if p.Pos == at && p.Rule == rule {
			r.problems[i].Fix = fix
		}
	}
}

// finish is everything found, in the order of the file.
func (r *reporter) finish() []document.Problem {
	for i := range r.problems {
		r.problems[i].Rule = ruleName
	}
	slices.SortStableFunc(r.problems, func(a, b document.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(r.problems)
}

// text is a string that must not be empty where it is given at all.
func (r *reporter) text(name string, v document.Value[string]) string {
	if v.Set && v.V == "" {
		r.report(v.Pos, "", "%s is empty", name)
	}
	return v.V
}

// between is a number within its bounds, else the default.
func (r *reporter) between(name string, v document.Value[int], least, most, otherwise int) int {
	switch {
	case !v.Set:
		return otherwise
	case v.V < least || v.V > most:
		r.report(v.Pos, "", "%s is %d, where a number from %d to %d belongs", name, v.V, least, most)
		return otherwise
	}
	return v.V
}

// name wants a DNS label, as Kubernetes names most things.
func (r *reporter) name(what, s string, at document.Pos) bool {
	if document.ValidName(s) {
		return true
	}
	r.report(at, "", "%s is no name for a %s: lower-case letters, digits and dashes, at most 63, beginning and ending with a letter or digit", quote(s), what)
	return false
}

// folder wants one part of a path: tenants are named by their folder.
func (r *reporter) folder(s string, at document.Pos) bool {
	odd := strings.IndexFunc(s, func(c rune) bool { return !unicode.IsPrint(c) || c == '/' || c == '\\' }) >= 0
	if s != "" && s[0] != '.' && !odd && strings.TrimSpace(s) == s {
		return true
	}
	r.report(at, "", "%s is no name for a tenant: it is the name of one folder, not beginning with a dot", quote(s))
	return false
}

// nearest is the known word that was most likely meant, else all of them.
func nearest(word string, known []string) string {
	if best, ok := document.Nearest(word, known); ok {
		return best
	}
	if len(known) == 0 {
		return ""
	}
	return "one of " + strings.Join(known, ", ")
}

// quote shows a value on one line, cut where it is long.
func quote(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most-1]) + "…"
	}
	return strconv.Quote(s)
}

// sortedKeys of a mapping, so that what is reported does not depend on chance.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// inFileOrder are the keys of a mapping by where they stand.
func inFileOrder[V any](m map[string]V, at func(V) document.Pos) []string {
	keys := sortedKeys(m)
	slices.SortStableFunc(keys, func(a, b string) int { return order(at(m[a]), at(m[b])) })
	return keys
}

func order(a, b document.Pos) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// choice is one of several fields of which exactly one belongs in a mapping.
type choice struct {
	name     string
	key, pos document.Pos // pos is zero where the field is absent or null
}

func (r *reporter) exactlyOne(at document.Pos, choices ...choice) bool {
	var names []string
	var given []choice
	for _, c := range choices {
		names = append(names, c.name)
		if c.pos != (document.Pos{}) {
			given = append(given, c)
		}
	}
	slices.SortStableFunc(given, func(a, b choice) int { return order(a.key, b.key) })
	switch len(given) {
	case 0:
		r.report(at, "", "one of %s is missing", strings.Join(names, ", "))
	case 1:
		return true
	default:
		r.report(given[1].key, "remove one of the two", "%s is there beside %s, at %s: only one of them can be meant",
			given[1].name, given[0].name, given[0].key)
	}
	return false
}
