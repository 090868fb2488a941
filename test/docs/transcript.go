package docs

import (
	"fmt"
	"strconv"
	"strings"
)

// Command is one of a terminal, with what it prints.
type Command struct {
	Text string
	Want []string // nil: anything
	Line int      // in the page, from 1
	Exit int
	// Stays: it goes on. Again: it is repeated until it prints what is shown.
	Stays, Again bool
}

// Commands reads a block that shows a terminal.
func (b Block) Commands() ([]Command, error) {
	var out []Command
	continued := false
	for i, line := range b.Lines {
		switch text, ok := strings.CutPrefix(line, "$ "); {
		case continued:
			out[len(out)-1].Text += "\n" + line
			continued = strings.HasSuffix(line, `\`)
		case ok:
			out = append(out, Command{Text: text, Line: b.Line + i, Again: b.Has("again")})
			continued = strings.HasSuffix(line, `\`)
		case len(out) == 0:
			return nil, fmt.Errorf("line %d: output without a command", b.Line+i)
		default:
			last := &out[len(out)-1]
			last.Want = append(last.Want, line)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("line %d: a terminal without a command", b.Line)
	}
	last := &out[len(out)-1]
	last.Stays = b.Has("stays")
	if code, ok := b.Options["exit"]; ok {
		var err error
		if last.Exit, err = strconv.Atoi(code); err != nil {
			return nil, fmt.Errorf("line %d: exit code: %w", b.Line, err)
		}
	}
	return out, nil
}

// elision stands for what is left out of what a command prints.
const elision = "..."

// Prints tells whether the lines are what is shown.
func Prints(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if strings.TrimSpace(want[0]) == elision {
		for i := 0; i <= len(got); i++ {
			if Prints(want[1:], got[i:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && same(want[0], got[0]) && Prints(want[1:], got[1:])
}

// Begins tells whether some of the first lines are what is shown: of a command
// that goes on.
func Begins(want, got []string) bool {
	return Prints(append(append([]string{}, want...), elision), got)
}

// same compares two lines but for white space at their ends.
func same(want, got string) bool {
	got = strings.TrimRight(got, " \t")
	parts := strings.Split(strings.TrimRight(want, " \t"), elision)
	if len(parts) == 1 {
		return parts[0] == got
	}
	last := parts[len(parts)-1]
	if !strings.HasPrefix(got, parts[0]) {
		return false
	}
	got = got[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, ok := strings.Cut(got, part)
		if !ok {
			return false
		}
		got = after
	}
	return strings.HasSuffix(got, last)
}
