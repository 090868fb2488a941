package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/portcullis-gitops/portcullis/render/lint"
)

// widest is how many characters of a line are shown: a long one is cut around
// the place that is meant.
const widest = 100

// Terminal writes the result as Text does, for people who sit at a terminal:
// below each finding is the line that it points at, with a caret. lines gives
// a line of a file, counted from 1; it answers false where there is none.
func Terminal(w io.Writer, r Result, colour bool, lines func(path string, line int) (string, bool)) error {
	return write(w, r, func(f lint.Finding) string {
		line, ok := lines(f.Path, f.Line)
		if !ok {
			return Finding(f, colour)
		}
		head, fix, _ := strings.Cut(Finding(f, colour), "\n")
		return head + "\n" + excerpt(line, f.Line, f.Column) + fix
	})
}

// cells is how many columns of a terminal a text takes: wide characters of East
// Asia two (Unicode's UAX 11, as golang.org/x/text has it), combining ones and
// those that only format none.
func cells(text string) (n int) {
	for _, r := range text {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// excerpt is a line with its number, and a caret below the column.
func excerpt(line string, number, column int) string {
	before, after := split(line, column-1)
	if n := utf8.RuneCountInString(before); n > widest/2 {
		before = "…" + last(before, widest/2)
	}
	if runes := []rune(after); len(runes) > widest/2 {
		after = string(runes[:widest/2]) + "…"
	}
	before = Escape(before)
	return fmt.Sprintf("%6d | %s%s\n       | %s^\n", number, before, Escape(after), strings.Repeat(" ", cells(before)))
}

// split cuts a line after so many characters, or at its end.
func split(line string, n int) (before, after string) {
	runes := []rune(line)
	n = min(max(n, 0), len(runes))
	return string(runes[:n]), string(runes[n:])
}

func last(s string, n int) string {
	runes := []rune(s)
	return string(runes[len(runes)-n:])
}
