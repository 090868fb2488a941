package main

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
)

// TestVerdictOnIsTheCommitsOwn: a pull request is not told how a later commit
// went, neither after its own was told nor where that one failed and has been
// forgotten before the Git host said which it was.
func TestVerdictOnIsTheCommitsOwn(t *testing.T) {
	t.Parallel()
	f, _ := newTestFollower(apply.CommitRecord{SHA: "merge"}, apply.CommitRecord{SHA: "later", Clusters: []string{"y"}})
	f.judged = map[string]outcome.Judgement{"merge": {}, "later": {}}
	f.noteVerdict("merge", outcome.Verdict{State: outcome.Failure, Title: "a.yaml:1:1: invalid-address"})
	f.noteVerdict("later", outcome.Verdict{State: outcome.Success, Title: "1 list in force"})
	if v, known := f.verdictOn(t.Context(), "merge", ""); !known || v.Commit != "merge" || v.Good || v.Over {
		t.Errorf("while it is known: %+v", v)
	}
	f.mu.Lock()
	f.state.Commits = f.state.Commits[1:]
	f.mu.Unlock()
	for range 2 { // before and after it is forgotten
		for _, told := range []string{"", "merge"} {
			if v, known := f.verdictOn(t.Context(), "merge", told); !known || v.Commit != "merge" || v.Good || !v.Over {
				t.Errorf("told %q: %+v", told, v)
			}
		}
		f.remind()
	}
	if v, known := f.verdictOn(t.Context(), "merge", "long ago"); !known || !v.Over || v.Commit != "" {
		t.Errorf("of one that nothing is known of any more: %+v", v)
	}
	if v, _ := f.verdictOn(t.Context(), "later", "later"); v.Over || !v.Good {
		t.Errorf("that has the newest list of a cluster: %+v", v)
	}
}

func TestLastWordsAreBounded(t *testing.T) {
	t.Parallel()
	var l lastWords
	for i := range 3 * mostLastWords {
		l.keep(string(rune('a'+i)), outcome.Verdict{Title: "x", Body: "long"})
	}
	if len(l.of) != mostLastWords || len(l.order) != mostLastWords {
		t.Errorf("%d, %d", len(l.of), len(l.order))
	}
}
