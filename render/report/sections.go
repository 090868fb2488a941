package report

import "github.com/portcullis-gitops/portcullis/render/meaning"

// Section is what a change means for some clusters for which it means the same,
// in plain text: nothing in it is escaped for a page.
type Section struct {
	Title string `json:"title"`
	Lines []Line `json:"lines"`
}

// Line is one sentence of it. Grave are openings and losses.
type Line struct {
	Text  string `json:"text"`
	Grave bool   `json:"grave,omitempty"`
}

// Sections are what a change means, the worst first, and what is said once below
// the clusters.
func Sections(d *meaning.Diff) (sections []Section, below []string) {
	for _, b := range blocks(d) {
		s := Section{Title: b.title.plain()}
		for _, l := range b.lines {
			s.Lines = append(s.Lines, Line{l.text.plain(), l.keep})
		}
		sections = append(sections, s)
	}
	for _, l := range rest(d) {
		below = append(below, l.plain())
	}
	return sections, below
}
