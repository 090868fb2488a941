package report

import "strings"

// longestText is how much of a tenant's text is shown, in characters.
const longestText = 60

// span is a tenant's text in a code span, in which Markdown reads nothing.
func span(s string) string { return fence(cut(Escape(s))) }

// cut shortens text from a file.
func cut(s string) string {
	if runes := []rune(s); len(runes) > longestText {
		return string(runes[:longestText-1]) + "…"
	}
	return s
}

// fence puts text into a code span: between more backticks than are anywhere in
// it, and apart from them by a space where the text has one at its end
// (CommonMark 0.31, section 6.1). The text must hold no line breaks.
func fence(s string) string {
	longest, run := 0, 0
	for _, r := range s {
		if r == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	ticks := strings.Repeat("`", longest+1)
	if s == "" || strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.HasPrefix(s, " ") && strings.HasSuffix(s, " ") {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

// words are a line that is shown in several ways: what is ours, and what is
// from files.
type words []word

type word struct {
	text  string
	given bool // from a file: a code span in Markdown
	whole bool // not to be cut: a path
}

// say makes words of pairs: what is ours, then what is from a file, and so on.
func say(pairs ...string) words {
	var out words
	for i, text := range pairs {
		if text != "" {
			out = append(out, word{text: text, given: i%2 == 1})
		}
	}
	return out
}

func at(path string) word { return word{text: path, given: true, whole: true} }

func (w words) markdown() string {
	var b strings.Builder
	for _, word := range w {
		switch {
		case !word.given:
			b.WriteString(word.text)
		case word.whole:
			b.WriteString(fence(Escape(word.text)))
		default:
			b.WriteString(span(word.text))
		}
	}
	return b.String()
}

func (w words) plain() string {
	var b strings.Builder
	for _, word := range w {
		if word.given {
			b.WriteString(Escape(word.text))
		} else {
			b.WriteString(word.text)
		}
	}
	return b.String()
}
