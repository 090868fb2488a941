package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
)

// Compared is a change with what it was compared with.
type Compared struct {
	Base string `json:"base"` // main (3f2a9c1d5e6b)
	Head string `json:"head"` // the work tree, or a commit likewise
	// Merged is set where the change is on the branch already.
	Merged bool `json:"-"`
	*meaning.Diff
}

// markdownLines is about how long a comment is: what is not an opening or a
// loss is cut there, with a count.
const markdownLines = 25

// Markdown writes what a change means as a comment on a pull request: its class
// as the first word, the worst first. Openings and losses are never cut.
//
// Whatever is from a file is in code spans, cut at 60 characters but for paths:
// nothing in it can be a link, an image, a mention, HTML or a line of its own.
func Markdown(w io.Writer, c Compared) error {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**: %s\n\n", c.Class, Headline(c.Diff))
	fmt.Fprintf(&b, "Compared: %s with %s.", span(c.Head), span(c.Base))
	if len(c.Why) > 0 {
		fmt.Fprintf(&b, " %s: %s.", reasons(c.Class), why(c.Why).markdown())
	}
	if c.Class == meaning.Hold {
		when := "Once merged, an"
		if c.Merged {
			when = "An"
		}
		fmt.Fprintf(&b, " %s operator of the seed lets it go ahead: `portcullis approve SOURCE@SHA --reason TEXT`.", when)
	}
	b.WriteString("\n")
	writeFindings(&b, c.Findings)
	left := markdownLines - strings.Count(b.String(), "\n") - min(len(c.Findings), 1)
	writeBlocks(&b, blocks(c.Diff), left)
	writeRest(&b, c.Diff)
	_, err := io.WriteString(w, b.String())
	return err
}

// why are the reasons, and whose they are.
func why(reasons []meaning.Reason) words {
	var out words
	for i, r := range reasons {
		if i > 0 {
			out = append(out, say("; ")...)
		}
		if r.Tenant != "" {
			out = append(out, say("tenant ", r.Tenant, ": ")...)
		}
		out = append(out, say(r.Text)...)
	}
	return out
}

// MarkdownFindings are findings as Markdown shows them, one a line and errors
// first, after an empty line; nothing where there are none.
func MarkdownFindings(findings []lint.Finding) string {
	var b strings.Builder
	writeFindings(&b, findings)
	return b.String()
}

func writeFindings(b *strings.Builder, findings []lint.Finding) {
	if len(findings) == 0 {
		return
	}
	b.WriteString("\n")
	shown := 0
	for _, severity := range []lint.Severity{lint.Error, lint.Warning} {
		for _, f := range findings {
			if f.Severity == severity && (severity == lint.Error || shown < mostFindings) {
				writeFinding(b, f)
				shown++
			}
		}
	}
	if shown < len(findings) {
		fmt.Fprintf(b, "- and %s\n", count(len(findings)-shown, "warning"))
	}
}

// writeFinding keeps path and line unbroken in one code span. What the rules
// say quotes files, and is theirs as a whole.
func writeFinding(b *strings.Builder, f lint.Finding) {
	fmt.Fprintf(b, "- %s %s[%s] %s", fence(Escape(fmt.Sprintf("%s:%d:%d", f.Path, f.Line, f.Column))), f.Severity, f.Rule, fence(Escape(f.Message)))
	if f.Fix != "" {
		fmt.Fprintf(b, " fix: %s", fence(Escape(f.Fix)))
	}
	b.WriteString("\n")
}

// reasons is how what follows is introduced.
func reasons(c meaning.Class) string {
	if c == meaning.Hold {
		return "Will be held"
	}
	return "Not routine"
}

// mostFindings is how many findings are shown, where they are no errors.
const mostFindings = 6

func writeBlocks(b *strings.Builder, all []block, left int) {
	var cut []block
	dropped := 0
	for _, block := range all {
		if left -= 2; left < 0 && !block.keep() {
			cut = append(cut, block)
			continue
		}
		fmt.Fprintf(b, "\n%s\n", block.title.markdown())
		for _, l := range block.lines {
			if left <= 0 && !l.keep {
				dropped++
				continue
			}
			fmt.Fprintf(b, "- %s\n", l.text.markdown())
			left--
		}
	}
	if n := clustersIn(cut); n+dropped > 0 {
		fmt.Fprintf(b, "\nLeft out: %s; `portcullis diff` shows all.\n", strings.Join(leftOut(n, dropped), " and "))
	}
}

func leftOut(clusters, lines int) []string {
	var out []string
	if clusters > 0 {
		out = append(out, count(clusters, "more cluster"))
	}
	if lines > 0 {
		out = append(out, count(lines, "more line"))
	}
	return out
}

func writeRest(b *strings.Builder, d *meaning.Diff) {
	if rest := rest(d); len(rest) > 0 {
		b.WriteString("\n")
		for _, l := range rest {
			fmt.Fprintf(b, "- %s\n", l.markdown())
		}
	}
}
