package document

import (
	"fmt"
	"strconv"
	"unicode"
)

// longestName is the length of a DNS label; KKP's cluster IDs end at 36.
const (
	longestName      = 63
	longestClusterID = 36
)

// ValidName tells whether s is a DNS label.
func ValidName(s string) bool { return len(s) <= longestName && isLabel(s) }

// ValidCluster tells whether s is a name that a KKP cluster can have.
func ValidCluster(s string) bool { return len(s) <= longestClusterID && isLabel(s) }

// isLabel knows RFC 1123's label of any length, as Kubernetes names most things:
// lower-case letters, digits and dashes, which stand neither first nor last.
func isLabel(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		case c == '-' && i > 0 && i < len(s)-1:
		default:
			return false
		}
	}
	return s != ""
}

func nameProblem(s, what string, longest int) *Problem {
	if len(s) <= longest && isLabel(s) {
		return nil
	}
	return &Problem{Rule: "invalid-name", Message: fmt.Sprintf(
		"%s is no name for a %s: lower-case letters, digits and dashes, at most %d, beginning and ending with a letter or digit",
		quote(s), what, longest)}
}

// unsafe is the first character of s that shows differently from what it is:
// control characters, and those that turn the direction of text.
func unsafeRune(s string) (rune, bool) {
	for _, r := range s {
		if unicode.IsControl(r) || isBidi(r) {
			return r, true
		}
	}
	return 0, false
}

// isBidi knows Unicode's explicit directional formatting characters (UAX 9)
// and the separators that break a line unseen.
func isBidi(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 ||
		r == 0x200E || r == 0x200F || r == 0x061C || r == 0x2028 || r == 0x2029
}

// quote shows a value from a file on one line, cut where it is long, with
// everything that is not plain text escaped.
func quote(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most-1]) + "…"
	}
	return strconv.Quote(s)
}
