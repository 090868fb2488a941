package forge

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Cut makes a title fit a host's limit: one line of at most limit characters,
// the last an ellipsis where something was left out. What matters most, such
// as the place of the first finding, therefore stands first. Control
// characters and broken UTF-8 become U+FFFD: titles end up on terminals.
func Cut(title string, limit int) string {
	title = strings.Map(printable, strings.Join(strings.Fields(title), " "))
	if utf8.RuneCountInString(title) <= limit {
		return title
	}
	runes := []rune(title)
	return strings.TrimRight(string(runes[:max(0, limit-1)]), " ") + "…"
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return utf8.RuneError
	}
	return r // of a broken byte, range already makes U+FFFD
}
