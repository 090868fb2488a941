package console

import (
	"html/template"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/report"
)

// choices are what a field of the filter can be set to. Of a large seed there are
// thousands, so that their markup is made once for all pages.
type choices struct {
	names  []string
	markup []string // an option each
}

// choicesOf are what rows have of something, sorted; those before where they are
// the same.
func choicesOf(rows []*row, before choices, of func(*row) string) choices {
	last, seen := "", map[string]bool{"": true}
	var names []string
	for _, r := range rows {
		s := of(r)
		if s != last && !seen[s] {
			seen[s] = true
			names = append(names, s)
		}
		last = s
	}
	slices.Sort(names)
	if slices.Equal(names, before.names) {
		return before
	}
	c := choices{names: names}
	for _, name := range names {
		c.markup = append(c.markup, option(name))
	}
	return c
}

// option names its value only where that is not what is shown.
func option(name string) string {
	value, shown := "", report.Escape(name)
	if shown != name {
		value = ` value="` + template.HTMLEscapeString(name) + `"`
	}
	return "<option" + value + ">" + template.HTMLEscapeString(shown) + "</option>"
}

// options are the choices' markup, one of them chosen.
func (c choices) options(chosen string) template.HTML {
	i, found := slices.BinarySearch(c.names, chosen)
	if !found {
		return template.HTML(strings.Join(c.markup, ""))
	}
	return template.HTML(strings.Join(c.markup[:i], "") + "<option selected" + strings.TrimPrefix(c.markup[i], "<option") + strings.Join(c.markup[i+1:], ""))
}
