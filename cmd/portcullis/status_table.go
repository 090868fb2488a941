package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/width"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render/report"
)

// Columns of the table, and how much of them some of its cells may take: what is
// cut off is in -o wide, and the ID of a cluster never is.
const (
	columns    = 100
	mostTitle  = 36
	mostTenant = 14
	gap        = "  "
)

// tableOptions are how a table is shown: wide cuts and wraps nothing; name is what
// the command is called in lines to copy.
type tableOptions struct {
	wide bool
	name string
}

// table shows the worst first.
func (s *status) table(out io.Writer, o tableOptions, now time.Time) error {
	var b strings.Builder
	o.paragraph(&b, "seed "+s.Seed+": ", "     ", s.headline())
	for _, src := range s.Sources {
		fmt.Fprintf(&b, "source %s at %s\n", src.Name, shown(src.Accepted, o.wide))
	}
	for _, h := range s.Holds {
		o.paragraph(&b, fmt.Sprintf("HELD %s@%s: ", h.Source, shown(h.Commit, o.wide)), "     ", h.Reason)
		fmt.Fprintf(&b, "     %s\n", o.name+strings.TrimPrefix(h.Approve, ownName)) // one line: it is copied
	}
	if len(s.Clusters) > 0 {
		o.rows(&b, s.Clusters, now)
	}
	for _, notice := range s.Notices {
		o.paragraph(&b, "note: ", "      ", notice)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// headline counts the clusters by state, the worst first.
func (s *status) headline() string {
	n := map[apply.State]int{}
	for _, c := range s.Clusters {
		n[c.State]++
	}
	line := plural(len(s.Clusters), "cluster")
	for _, state := range console.States() {
		if n[state] > 0 {
			line += fmt.Sprintf(", %d %s", n[state], state)
		}
	}
	return line
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// rows are the clusters, a line each; the message takes what is left of it.
func (o tableOptions) rows(b *strings.Builder, clusters []apply.Observed, now time.Time) {
	sorted := slices.Clone(clusters)
	slices.SortStableFunc(sorted, func(a, b apply.Observed) int { return cmp.Compare(console.Badness(a.State), console.Badness(b.State)) })
	lines := [][]string{{"CLUSTER", "TENANT", "STATE", "REVISION", "AGE", "MESSAGE"}}
	for _, c := range sorted {
		lines = append(lines, []string{o.title(c), o.cut(report.Escape(c.Tenant), mostTenant), string(c.State),
			shown(c.Revision, o.wide), age(c.Since, now), report.Escape(c.Message)})
	}
	last := len(lines[0]) - 1
	widths, left := make([]int, last), columns
	for i := range widths {
		for _, line := range lines {
			widths[i] = max(widths[i], columnsOf(line[i]))
		}
		left -= widths[i] + len(gap)
	}
	for _, line := range lines {
		text := ""
		for i, cell := range line[:last] {
			text += cell + strings.Repeat(" ", widths[i]-columnsOf(cell)) + gap
		}
		b.WriteString(strings.TrimRight(text+o.cut(line[last], left), " ") + "\n")
	}
}

// title is a cluster by name and ID; of the two the name is what is cut.
func (o tableOptions) title(c apply.Observed) string {
	if c.Name == "" {
		return report.Escape(c.ID)
	}
	id := " (" + report.Escape(c.ID) + ")"
	return o.cut(report.Escape(c.Name), max(2, mostTitle-len(id))) + id
}

// cut shortens a text to so many columns of a terminal.
func (o tableOptions) cut(s string, most int) string {
	if o.wide || columnsOf(s) <= most {
		return s
	}
	used := 1 // for the mark of what is cut off
	for i, r := range s {
		if used += runeColumns(r); used > most {
			return s[:i] + "…"
		}
	}
	return s
}

// paragraph writes a text that begins with one thing and is indented by another
// where it does not fit on a line.
func (o tableOptions) paragraph(b *strings.Builder, begin, indent, text string) {
	line, empty := begin, true
	for word := range strings.FieldsSeq(report.Escape(text)) {
		if !empty && !o.wide && columnsOf(line)+1+columnsOf(word) > columns {
			b.WriteString(line + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	b.WriteString(line + "\n")
}

// columnsOf is how many columns of a terminal a text takes: names may be of any
// script, and those of East Asia take two a letter (Unicode, UAX 11).
func columnsOf(s string) (n int) {
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

func shown(commit string, wide bool) string {
	if wide {
		return commit
	}
	return commit[:min(len(commit), 7)]
}

func age(since, now time.Time) string {
	if since.IsZero() {
		return "-"
	}
	d := now.Sub(since)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
