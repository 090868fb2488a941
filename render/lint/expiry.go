package lint

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// soon is how long before its end expires-soon speaks of an entry.
const soon = 7 * 24 * time.Hour

// dated is an entry of a document with the end that it states itself.
type dated struct {
	what    string // what it lets in: prefixes, or the name of a group
	expires *document.Value[document.Date]
}

func datedEntry(prefixes []document.Value[netip.Prefix], group string, expires *document.Value[document.Date]) dated {
	what := "group " + group
	if group == "" {
		what = ""
		for i, p := range prefixes {
			if i > 0 {
				what += ", "
			}
			what += p.V.String()
		}
	}
	return dated{what, expires}
}

// Line stands for what a line with an end says, whatever else is on it: to tell
// the lines that a change adds from those that it moves or words anew.
func (d dated) Line() string { return d.what + " until " + d.expires.V.End.Format(time.RFC3339) }

func datedIn(a *document.Allowlist) []dated {
	var out []dated
	for i := range a.Spec.Entries.Items {
		if e := &a.Spec.Entries.Items[i]; e.Expires != nil && e.Expires.Set {
			out = append(out, datedEntry(e.Prefixes(), e.Group.V, e.Expires))
		}
	}
	return out
}

func datedInGroup(g *document.AddressGroup) []dated {
	var out []dated
	for i := range g.Spec.Entries.Items {
		if e := &g.Spec.Entries.Items[i]; e.Expires != nil && e.Expires.Set {
			out = append(out, datedEntry(e.Prefixes(), "", e.Expires))
		}
	}
	return out
}

// DatedLines are the lines of a file that end after a time, for a later change to
// be compared with; of the zero time, all lines with an end.
func DatedLines(p *document.Parsed, after time.Time) []string {
	var out []string
	note := func(lines []dated) {
		for _, d := range lines {
			if d.expires.V.End.After(after) {
				out = append(out, d.Line())
			}
		}
	}
	for _, a := range p.Allowlists {
		note(datedIn(a))
	}
	for _, g := range p.Groups {
		note(datedInGroup(g))
	}
	return out
}

// expiredOf: what is past admits nobody any more. On a line that a change adds
// it is a mistake, most likely in the year; elsewhere it is a leftover.
func expiredOf(lines []dated, added func(line string) bool, now time.Time) []Problem {
	var out []Problem
	for _, d := range lines {
		if now.Before(d.expires.V.End) {
			continue
		}
		p := Problem{Severity: Warning, Problem: document.Problem{Pos: d.expires.Pos,
			Message: fmt.Sprintf("the time of %s is up since %s: it lets nobody in", d.what, stamp(d.expires.V.End)), Fix: "remove the entry, or give it a later end"}}
		if added != nil && added(d.Line()) {
			p.Severity = Error
		}
		out = append(out, p)
	}
	return out
}

func expiresSoonOf(lines []dated, now time.Time) []document.Problem {
	var out []document.Problem
	for _, d := range lines {
		if end := d.expires.V.End; now.Before(end) && !now.Add(soon).Before(end) {
			out = append(out, document.Problem{Pos: d.expires.Pos,
				Message: fmt.Sprintf("the time of %s is up at %s: whoever comes from there is locked out then", d.what, stamp(end)), Fix: "give it a later end, if it is still needed"})
		}
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

func expired(a *Allowlist) []Problem { return expiredOf(datedIn(a.Doc), a.Added, a.Now) }

func expiresSoon(a *Allowlist) []document.Problem { return expiresSoonOf(datedIn(a.Doc), a.Now) }
