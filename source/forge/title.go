package forge

import (
	"strings"
	"unicode/utf8"
)

// Cut makes a title fit a host's limit: one line of at most limit characters,
// the last an ellipsis where something was left out. What matters most, such
// as the place of the first finding, therefore stands first.
func Cut(title string, limit int) string {
	title = strings.Join(strings.Fields(strings.ToValidUTF8(title, "\uFFFD")), " ")
	if utf8.RuneCountInString(title) <= limit {
		return title
	}
	runes := []rune(title)
	return strings.TrimRight(string(runes[:max(0, limit-1)]), " ") + "…"
}
