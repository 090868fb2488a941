package lint

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// ownerRequired wants an owner of every entry of the tenant's own: of itself,
// or of the group's entries that it brings in.
func ownerRequired(a *Allowlist) []document.Problem {
	if !a.Policy.Require.Owner || !a.restricted() {
		return nil
	}
	ownerless := map[document.Pos]*Entry{} // by where the list brings entries in, the first of each
	for i := range a.Entries {
		e := &a.Entries[i]
		if e.Own() && strings.TrimSpace(e.Owner) == "" && !strings.HasPrefix(e.Group, "provider/") && ownerless[e.At] == nil {
			ownerless[e.At] = e
		}
	}
	var out []document.Problem
	for i := range a.Doc.Spec.Entries.Items {
		e := &a.Doc.Spec.Entries.Items[i]
		what, missing := "the entry", false
		if of := ownerless[e.Group.Pos]; e.Group.Set && of != nil {
			what, missing = "an entry of the group "+e.Group.V+", at "+of.at()+",", true
		}
		for _, p := range e.Prefixes() {
			missing = missing || ownerless[p.Pos] != nil
		}
		if missing {
			out = append(out, document.Problem{Pos: e.Pos, Message: what + " has no owner, which the provider's policy wants: somebody must know whether it is still needed", Fix: "owner: team@example.com"})
		}
	}
	return out
}

// expiryRequired wants an end of what is wider than the policy lets stay.
func expiryRequired(a *Allowlist) []document.Problem {
	var out []document.Problem
	for _, e := range a.Entries {
		limit := a.Policy.Require.ExpiryWiderThan
		if e.Own() && e.Expires.IsZero() && !e.Undated && limit.Exceeded(e.Prefix) {
			out = append(out, document.Problem{Pos: e.At, Message: fmt.Sprintf(
				"%s is wider than /%d, which the provider's policy lets in for a time only", e.Prefix, limit.Of(e.Prefix)), Fix: "expires: a date"})
		}
	}
	return out
}

func forbiddenRange(a *Allowlist) []document.Problem {
	if !a.restricted() {
		return nil // no list is written, and the node egress lets nobody in
	}
	var out []document.Problem
	for _, e := range a.Entries {
		for _, f := range a.Policy.Limits.Forbidden {
			if e.Kind != FromPlatform && e.Prefix.Overlaps(f.Prefix) {
				out = append(out, document.Problem{Pos: e.At, Message: fmt.Sprintf(
					"%s lets in some of %s, which the provider forbids%s", e.Prefix, f.Prefix, inBrackets(f.Description))})
			}
		}
	}
	return out
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// canaryFailed asks the provider's own tests of what is admitted.
func canaryFailed(a *Allowlist) []document.Problem {
	if !a.restricted() && !a.open() {
		return nil
	}
	admitted := prefixes.UnionOf(a.admitted())
	var out []document.Problem
	for _, t := range a.Policy.Tests {
		switch {
		case t.Allow && a.whole() && !admitted.Covers(t.Prefix):
			out = append(out, document.Problem{Pos: a.entriesKey(), Message: fmt.Sprintf("the provider wants %s let in, and it is not", t.Prefix)})
		case !t.Allow && admitted.Overlaps(t.Prefix):
			out = append(out, document.Problem{Pos: a.widestOver(t.Prefix), Message: fmt.Sprintf("the provider wants %s kept out, and it is let in", t.Prefix)})
		}
	}
	return out
}

// entriesKey is where something that the list lacks belongs.
func (a *Allowlist) entriesKey() document.Pos { return a.Doc.Spec.Entries.Or(a.Doc.Pos) }

// widestOver is the widest of the file's entries that let in some of p; where
// everyone is let in, what says so.
func (a *Allowlist) widestOver(p netip.Prefix) document.Pos {
	if a.open() {
		return a.Doc.Spec.Access.Pos
	}
	at, bits := a.entriesKey(), 1000
	for _, e := range a.Entries {
		if e.Kind != FromPlatform && e.counts(a.Now) && e.Prefix.Overlaps(p) && e.Prefix.Bits() < bits {
			at, bits = e.At, e.Prefix.Bits()
		}
	}
	return at
}
