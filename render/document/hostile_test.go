package document_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// Files of the largest size that is read, made to cost as much as they can.
// A time that grew with the square of the size, or with what aliases stand
// for, would show as a test that does not end.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, file := range map[string]string{
		"aliases that stand for 9^9 values": aliasBomb(),
		"brackets":                          fill("["),
		"braces":                            fill("{a: "),
		"brackets, closed":                  strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"lists in lists":                    fill("- "),
		"explicit keys":                     fill("? "),
		"documents":                         fill("---\n"),
		"documents with something":          fill("a\n---\n"),
		"items without a value":             list(clusters, "entries:\n"+fill("  -\n")),
		"entries without an address":        list(clusters, "entries: ["+fill("{},")+"]"),
		"one key many times":                fill("a: b\n"),
		"many unknown keys":                 list(clusters, entries) + manyKeys(size),
		"one long word":                     fill("a"),
		"one long quote":                    `"` + fill(`\n`) + `"`,
		"comments":                          fill("# a\n"),
		"comments in a list":                "a:\n" + fill("# a\n- b\n"),
		"one long comment":                  "#" + fill("a"),
		"spaces":                            fill(" "),
		"colons":                            fill(":"),
		"colons and spaces":                 fill(": "),
		"asterisks":                         fill("*"),
		"commas":                            "[" + fill(","),
		"tags":                              fill("!a "),
		"a block that is never left":        "a: |\n" + fill("  b\n"),
		"indentation that always grows":     staircase(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := document.Parse([]byte(file))
			if len(p.Allowlists) > 1 || len(p.Groups) > 0 {
				t.Errorf("found %d lists and %d groups", len(p.Allowlists), len(p.Groups))
			}
			inside(t, []byte(file), p.Problems)
		})
	}
}

// What would take many times its size in memory is not read, and the file says
// so once; of a rule as much is told as anybody reads.
func TestMoreThanIsRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file   string
		unread bool
		want   string // the last finding but those of the same place
	}{
		"items":     {list(clusters, "entries: ["+strings.Repeat("{},", 100_001)+"]"), false, "file-too-large: the lists of the file have more than 100000 items"},
		"in two":    {list("clusters: ["+strings.Repeat("a,", 60_000)+"]", "entries: ["+strings.Repeat("{},", 60_000)+"]"), false, "file-too-large: the lists of the file have more than 100000 items"},
		"mistakes":  {strings.Repeat("a: 1\n---\n", 20_000), true, "file-too-large: more than 10000 mistakes: the rest of the file is not read"},
		"of a rule": {strings.Repeat("a\n---\n", 1_500), true, "wrong-type: \"a\", where a mapping belongs; and 499 more of this rule in the file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := document.Parse([]byte(c.file))
			found := 0
			for _, one := range p.Problems {
				if one.Rule+": "+one.Message == c.want {
					found++
				}
			}
			if found != 1 || p.Unread != c.unread || len(p.Problems) > 3*document.MostOfARule {
				t.Errorf("%d findings, %q %d times, unread: %t; the last: %v", len(p.Problems), c.want, found, p.Unread, p.Problems[len(p.Problems)-1])
			}
			for _, a := range p.Allowlists {
				if len(a.Spec.Entries.Items) > 0 || !a.Spec.Entries.Faulty {
					t.Errorf("%d entries, faulty: %t", len(a.Spec.Entries.Items), a.Spec.Entries.Faulty)
				}
			}
		})
	}
}

func aliasBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return b.String()
}

func manyKeys(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size-300; i++ {
		fmt.Fprintf(&b, "k%x:\n", i)
	}
	return b.String()
}

func staircase() string {
	var b strings.Builder
	for i := range 1400 {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}
