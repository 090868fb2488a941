package pulls_test

import (
	"testing"
	"time"
)

// TestJudgedAreToBeHad by their head, as long as they are open.
func TestJudgedAreToBeHad(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.propose(2, h2, bad("review: two"))
		r.poll()
		r.propose(3, h2, good("review: three")) // the same head: the worst counts
		r.poll()
		r.pass(time.Minute)
		want := func(head string, number int, title string) {
			t.Helper()
			if j, ok := r.desk.Judged(head); !ok || j.Number != number || j.Title != title {
				t.Errorf("%s: %v %d %q, want %d %q", head, ok, j.Number, j.Title, number, title)
			}
		}
		want(h1, 1, "review: one")
		want(h2, 2, "review: two")
		h3 := sha("h3")
		r.propose(1, h3, good("routine: newer"))
		r.poll()
		want(h3, 1, "routine: newer")
		if j, ok := r.desk.Judged(h1); ok {
			t.Errorf("a head that is not there any more: %+v", j)
		}
	})
}
