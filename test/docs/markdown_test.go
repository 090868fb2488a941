package docs

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

const sample = "# One `two`, three\n" +
	"See [the guide](docs/a.md#one-two) and [`x`](y.md),\n" +
	"run `portcullis\nstatus` or ![a picture](way.svg).\n" +
	"\n" +
	"1. An item:\n" +
	"\n" +
	"   ```console terminal=seed exit=1\n" +
	"   $ make \\\n" +
	"       all\n" +
	"   done\n" +
	"   ```\n" +
	"# One `two`, three\n"

func TestParse(t *testing.T) {
	t.Parallel()
	page, err := Parse("sample.md", sample)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Blocks) != 1 || page.Blocks[0].Options["terminal"] != "seed" || page.Blocks[0].Line != 9 {
		t.Fatalf("blocks %+v", page.Blocks)
	}
	commands, err := page.Blocks[0].Commands()
	if err != nil || len(commands) != 1 {
		t.Fatalf("commands %+v, %v", commands, err)
	}
	if c := commands[0]; c.Text != "make \\\n    all" || !slices.Equal(c.Want, []string{"done"}) || c.Exit != 1 || c.Line != 9 {
		t.Errorf("command %+v", c)
	}
	var targets []string
	for _, l := range page.Links() {
		targets = append(targets, l.Target)
	}
	if !slices.Equal(targets, []string{"docs/a.md#one-two", "y.md", "way.svg"}) {
		t.Errorf("links %q", targets)
	}
	var spans []string
	for _, s := range page.Spans() {
		spans = append(spans, s.Text)
	}
	if !slices.Equal(spans, []string{"two", "x", "portcullis status", "two"}) {
		t.Errorf("spans %q", spans)
	}
	anchors := slices.Sorted(maps.Keys(page.Anchors()))
	if !slices.Equal(anchors, []string{"one-two-three", "one-two-three-1"}) {
		t.Errorf("anchors %q", anchors)
	}
	if _, err := Parse("open.md", "```yaml\na: 1\n"); err == nil {
		t.Error("a block that is not closed was read")
	}
}

func TestPrints(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want, got string
		same      bool
	}{
		"the same":                 {"a\nb", "a\nb", true},
		"another":                  {"a\nb", "a\nc", false},
		"more":                     {"a", "a\nb", false},
		"less":                     {"a\nb", "a", false},
		"lines left out":           {"a\n...\nd", "a\nb\nc\nd", true},
		"no lines left out":        {"a\n...\nd", "a\nd", true},
		"lines left out, another":  {"a\n...\nd", "a\nb", false},
		"text left out":            {"a ... z", "a b c z", true},
		"text left out, another":   {"a ... z", "a b c", false},
		"text left out twice":      {"a...m...z", "abmyz", true},
		"text left out, no middle": {"a...m...z", "abyz", false},
		"white space at the end":   {"a", "a  ", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Prints(strings.Split(c.want, "\n"), strings.Split(c.got, "\n")); got != c.same {
				t.Errorf("Prints(%q, %q) = %v", c.want, c.got, got)
			}
		})
	}
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	terminal, err := Open(t.TempDir(), []string{"PATH=/usr/bin:/bin"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := terminal.Close(); err != nil {
			t.Error(err)
		}
	}()
	for text, c := range map[string]struct {
		command Command
		fails   bool
	}{
		"what is shown":   {Command{Text: "echo one; echo two >&2", Want: []string{"one", "two"}}, false},
		"anything":        {Command{Text: "echo one"}, false},
		"something else":  {Command{Text: "echo one", Want: []string{"two"}}, true},
		"an exit code":    {Command{Text: "(exit 3)", Exit: 3}, false},
		"another code":    {Command{Text: "(exit 3)"}, true},
		"in the end":      {Command{Text: "echo x >> file; cat file | wc -l | tr -d ' '", Want: []string{"3"}, Again: true}, false},
		"several lines":   {Command{Text: "printf '%s\\n' \\\n  a b", Want: []string{"a", "b"}}, false},
		"without its end": {Command{Text: "printf a", Want: []string{"a"}}, false},
	} {
		if err := terminal.Type(t.Context(), c.command); (err != nil) != c.fails {
			t.Errorf("%s: %v", text, err)
		}
	}
	stays := Command{Text: "echo begun; exec sleep 3600", Want: []string{"begun"}, Stays: true}
	if err := terminal.Type(t.Context(), stays); err != nil {
		t.Error(err)
	}
	if err := terminal.Type(t.Context(), Command{Text: "true"}); err == nil {
		t.Error("a command was typed where another goes on")
	}
}
