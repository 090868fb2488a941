package document

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

// syntaxProblem gives the library's error a place. The library names a line,
// at times the one before, and no column: the column is that of what most
// likely is at fault there, else of the line's first character.
func syntaxProblem(content []byte, err error) Problem {
	if p := unknownAnchor(content, err); p != nil {
		return *p
	}
	line, message := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlErrorLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = m[2]
		line += parserLag(message)
		if blockMessage.MatchString(message) {
			line = max(line, lastRead(content))
		}
	}
	lines := strings.Split(strings.TrimRight(string(content), " \t\r\n"), "\n")
	line = min(max(line, 1), len(lines))
	for _, near := range []int{line, line + 1, line - 1, line + 2, line + 3} {
		if near < 1 || near > len(lines) {
			continue
		}
		if p := suspect(strings.TrimSuffix(lines[near-1], "\r"), message); p != nil {
			p.Line = int32(near)
			return *p
		}
	}
	text := lines[line-1]
	return Problem{Pos: place(line, column(text, indent(text))), Rule: "yaml-syntax", Message: message}
}

var (
	yamlUnknownAnchor = regexp.MustCompile(`^yaml: unknown anchor '(.*)' referenced$`)
	// blockMessage is of a line that fits into no list or mapping above it: the
	// library names the line where the innermost of those begins.
	blockMessage  = regexp.MustCompile(`^did not find expected (key|'-' indicator)`)
	parserMessage = regexp.MustCompile(`^did not find expected (node content|',' or|key|'-' indicator|<)`)
)

// unknownAnchor finds the alias of which the library says only the name. It
// is refused as any other alias is, and most likely a value without quotes.
func unknownAnchor(content []byte, err error) *Problem {
	m := yamlUnknownAnchor.FindStringSubmatch(err.Error())
	if m == nil {
		return nil
	}
	p := &Problem{Pos: Start, Rule: "yaml-alias", Message: "anchors and aliases are not read here",
		Fix: fmt.Sprintf("write the value out; in quotes where it begins with an asterisk: %q", "*"+m[1])}
	for i, text := range strings.Split(string(content), "\n") {
		if at := aliasAt(text, "*"+m[1]); at >= 0 {
			p.Pos = place(i+1, column(text, at))
			return p
		}
	}
	return p
}

// aliasAt is where a value begins with that alias, -1 if none does.
func aliasAt(text, alias string) int {
	for from := 0; ; from++ {
		next := strings.Index(text[from:], alias)
		if next < 0 {
			return -1
		}
		if from += next; startsValue(text[:from]) {
			return from
		}
	}
}

// parserLag is how far behind the true line the library's message is: its
// scanner counts from 1, its parser from 0.
func parserLag(message string) int {
	if parserMessage.MatchString(message) {
		return 1
	}
	return 0
}

// suspect looks on one line for what usually causes the error that the
// message tells of.
func suspect(text, message string) *Problem {
	at := func(offset int, what, fix string) *Problem {
		return &Problem{Pos: place(0, column(text, offset)), Rule: "yaml-syntax", Message: what, Fix: fix}
	}
	if tab := strings.IndexByte(text, '\t'); tab >= 0 && tab <= indent(text) && strings.TrimSpace(text) != "" {
		return at(tab, "a tab where YAML wants spaces", "indent with spaces")
	}
	if strings.Contains(message, "mapping values are not allowed") {
		return suspectColon(text, at)
	}
	if strings.Contains(message, "expected node content") {
		if m := leadingColon.FindStringSubmatchIndex(text); m != nil {
			return at(m[2], "an address that begins with a colon reads as a key", fmt.Sprintf("put it in quotes: %q", text[m[2]:m[3]]))
		}
	}
	if m := bracketed.FindStringSubmatchIndex(text); m != nil && parserMessage.MatchString(message) {
		return at(m[2], "an address in brackets reads as a list", fmt.Sprintf("write the address alone: %q", text[m[4]:m[5]]))
	}
	if strings.Contains(message, "expected alphabetic or numeric character") {
		for i, r := range text {
			if (r == '*' || r == '&') && startsValue(text[:i]) {
				return at(i, fmt.Sprintf("a %q without quotes begins an alias", string(r)), fmt.Sprintf("put it in quotes: %q", string(r)))
			}
		}
	}
	if strings.Contains(message, "cannot start any token") {
		if tab := strings.IndexByte(text, '\t'); tab >= 0 && strings.Trim(text[:tab], " -") == "" {
			return at(tab, "a tab where YAML wants spaces", "put a space behind the dash")
		}
		for i, r := range text {
			if (r == '@' || r == '`' || r == '%') && startsValue(text[:i]) {
				return at(i, fmt.Sprintf("%q cannot begin a plain value", r), "put the value in quotes")
			}
		}
	}
	return nil
}

var unquotedAddress = regexp.MustCompile(`[0-9A-Fa-f:]+::(\s|,|\]|\}|$)`)

var leadingColon = regexp.MustCompile(`(?:[\[,{]|:\s)\s*(::[^\s,\]}]*)`)

// bracketed is an IPv6 address with a port.
var bracketed = regexp.MustCompile(`:\s+(\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\]:[0-9]+)`)

func suspectColon(text string, at func(int, string, string) *Problem) *Problem {
	if m := unquotedAddress.FindStringIndex(text); m != nil {
		address := strings.TrimRight(text[m[0]:m[1]], " \t,]}")
		return at(m[0], "an address that ends in a colon reads as a key", fmt.Sprintf("put it in quotes: %q", address))
	}
	seen := 0
	for i := range text {
		if text[i] == ':' && (i+1 == len(text) || text[i+1] == ' ') {
			if seen++; seen == 2 {
				return at(i, "a second key on one line", "put the value in quotes, or the key on a line of its own")
			}
		}
	}
	return nil
}

func startsValue(before string) bool {
	trimmed := strings.TrimRight(before, " ")
	return trimmed == "" || strings.HasSuffix(trimmed, ":") || strings.HasSuffix(trimmed, "-") ||
		strings.HasSuffix(trimmed, ",") || strings.HasSuffix(trimmed, "[") || strings.HasSuffix(trimmed, "{")
}

func indent(text string) int { return len(text) - len(strings.TrimLeft(text, " \t")) }

// column turns an offset in bytes into one in characters, from 1.
func column(text string, offset int) int { return utf8.RuneCountInString(text[:offset]) + 1 }
