package render

import (
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// findings are those of a file. Of a rule and severity document.MostOfARule are
// told: few lines can be at fault with many clusters each.
type findings struct {
	told   []lint.Finding
	of     map[kindOfFinding]int // how many there are, those not told included
	beyond []lint.Finding        // the first of each kind that is not told
}

type kindOfFinding struct {
	rule     string
	severity lint.Severity
}

func (f *findings) add(one lint.Finding) {
	if f.of == nil {
		f.of = map[kindOfFinding]int{}
	}
	kind := kindOfFinding{one.Rule, one.Severity}
	switch f.of[kind]++; {
	case f.of[kind] <= document.MostOfARule:
		f.told = append(f.told, one)
	case f.of[kind] == document.MostOfARule+1:
		f.beyond = append(f.beyond, one)
	}
}

// all are those that are told, and of each kind with more how many more.
func (f *findings) all() []lint.Finding {
	out := f.told
	for _, first := range f.beyond {
		more := f.of[kindOfFinding{first.Rule, first.Severity}] - document.MostOfARule
		first.Message = document.Problem{Message: first.Message}.AndMore(more).Message
		out = append(out, first)
	}
	return out
}
