package wire

import (
	"strings"
	"unicode/utf8"
)

// cutNote stands where the rest of a text was.
const cutNote = "\n\n… (cut: more than this Git host takes)\n"

// CutText makes a text fit a host's limit in bytes, at the end of a line where
// there is one in the second half. A fence of code or a list that is cut in
// the middle still holds what was in it.
func CutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := max(0, limit-len(cutNote))
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	if line := strings.LastIndexByte(text[:end], '\n'); line > end/2 {
		end = line
	}
	return text[:end] + cutNote
}
