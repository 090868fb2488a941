package pulls_test

import (
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/pulls"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// TestWhatFailsAfterItWasInForce is told on the pull request, and so is its
// recovery, until no news of the commit can come; over a restart, too.
func TestWhatFailsAfterItWasInForce(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.ends(1, forge.PullRequestMerged, "main", m2)
		stands := inForce(m2)
		stands.Over = false
		say := func(v pulls.Verdict) {
			r.set(func() { r.verdicts[m2] = v })
			r.poll()
		}
		say(stands)
		r.move(m2, h1)
		r.pass(minute)
		r.wantComment(1, "**in force on `eu-west`**")
		r.wantRecords(1)

		say(pulls.Verdict{Commit: m2, Final: true, Title: "shop: Rejected", Identity: "x Rejected"})
		r.wantComment(1, "**not in force on `eu-west`**: `shop: Rejected`")
		r.stop()
		r.start()
		r.pass(time.Second)
		said := len(r.said)
		again := stands
		again.Title = "2 lists in force" // which is how it is counted by now
		say(again)
		r.wantComment(1, "**in force on `eu-west`**: `2 lists in force`")
		say(stands)
		r.stop()
		r.start()
		r.poll()
		if len(r.said) != said+1 {
			t.Errorf("said again: %q", r.said[said:])
		}

		say(pulls.Verdict{Commit: "", Over: true}) // a later commit set the list
		r.wantComment(1, "**in force on `eu-west`**: `2 lists in force`")
		say(pulls.Verdict{Commit: m2, Final: true, Title: "shop: Rejected"})
		r.wantComment(1, "**in force on `eu-west`**: `2 lists in force`")
		if len(r.records) != 1 {
			t.Error("that it is over was written down by itself")
		}
		r.propose(2, h2, good("review: two"))
		r.poll()
		if _, still := r.records["1"]; still {
			t.Error("it was not forgotten with the next write")
		}
	})
}

// TestHoldOfAMergeIsNotTheLastWord: another commit may be judged in its place.
func TestHoldOfAMergeIsNotTheLastWord(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.ends(1, forge.PullRequestMerged, "main", m2)
		r.set(func() { r.verdicts[m2] = pulls.Verdict{Commit: h2, Final: true, Held: true, Title: "held: rewinds"} })
		r.move(m2, h1)
		r.pass(minute)
		r.wantComment(1, "**not in force on `eu-west`**: `held: rewinds`")
		if r.records["1"].Told != "" {
			t.Errorf("%+v", r.records["1"])
		}
		r.set(func() { r.verdicts[m2] = inForce(h2) })
		r.poll()
		r.wantComment(1, "**in force on `eu-west`**")
	})
}
