package docs

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Link is one in a page's prose, or an image.
type Link struct {
	Target string
	Line   int // from 1
}

// Span is code within prose.
type Span struct {
	Text string
	Line int // from 1
}

var (
	spanned = regexp.MustCompile("`([^`]+)`")
	linked  = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`^#{1,6} +(.*?) *#*$`)
	link    = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// Links are the page's inline links.
func (p Page) Links() (out []Link) {
	for i, line := range p.Prose {
		for _, m := range linked.FindAllStringSubmatch(spanned.ReplaceAllString(line, ""), -1) {
			out = append(out, Link{Target: m[1], Line: i + 1})
		}
		// A link whose text is code: the text is gone, the target is not.
	}
	return out
}

// Spans are the code spans of the page's prose. One that goes over the end of a
// line counts too.
func (p Page) Spans() (out []Span) {
	at := 0
	for at < len(p.Prose) {
		end := at
		for end < len(p.Prose) && strings.TrimSpace(p.Prose[end]) != "" {
			end++
		}
		paragraph := strings.Join(p.Prose[at:end], "\n")
		for _, m := range spanned.FindAllStringSubmatchIndex(paragraph, -1) {
			text := strings.Join(strings.Fields(paragraph[m[2]:m[3]]), " ")
			out = append(out, Span{Text: text, Line: at + 1 + strings.Count(paragraph[:m[2]], "\n")})
		}
		at = end + 1
	}
	return out
}

// Anchors are what "#..." in a link to the page can name, made of its headings
// as Git hosts make them.
func (p Page) Anchors() map[string]bool {
	out, seen := map[string]bool{}, map[string]int{}
	for _, line := range p.Prose {
		m := heading.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		name := anchor(m[1])
		if n := seen[name]; n > 0 {
			out[fmt.Sprintf("%s-%d", name, n)] = true
		}
		seen[name]++
		out[name] = true
	}
	return out
}

// anchor keeps letters, digits, hyphens and underscores; spaces become hyphens.
func anchor(title string) string {
	title = link.ReplaceAllString(title, "$1")
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}
