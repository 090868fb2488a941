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

// TestSeedThatDoesNotAnswerIsAskedAgain, later and later, and what it says then
// is told.
func TestSeedThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	bubble(t, func(r *rig) {
		silent := good("review: one")
		silent.Same, silent.Unanswered = "review: one, not answered", true
		r.move(m1)
		r.propose(1, h1, silent)
		r.start()
		first := r.judgements()
		r.pass(45 * time.Second)
		if n := r.judgements() - first; n != 1 {
			t.Errorf("judged %d times in the first 45 s", n)
		}
		r.pass(10 * time.Hour)
		if n := r.judgements(); n < 20 || n > 30 {
			t.Errorf("judged %d times in ten hours", n)
		}
		if len(r.offers) != 1 || len(r.said) != 1 {
			t.Errorf("the same was said again: %d, %q", len(r.offers), r.said)
		}
		r.set(func() { r.words[h1] = bad("review: refused-by-kkp") })
		r.pass(31 * time.Minute)
		r.wantCheck(h1, forge.Failure, "review: refused-by-kkp")
		r.wantComment(1, "refused-by-kkp")
		done := r.judgements()
		r.pass(10 * time.Hour)
		if r.judgements() != done {
			t.Error("it is asked for ever")
		}
	})
}

// TestRefusalOfKKPGoesAway: nobody tells when KKP takes what it refused. It is
// asked each half an hour, and sooner where clusters change.
func TestRefusalOfKKPGoesAway(t *testing.T) {
	for name, mend := range map[string]func(*rig){
		"nobody tells":    func(r *rig) { r.pass(31 * minute) },
		"clusters change": func(r *rig) { r.desk.Reconsider(); r.pass(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				refused := bad("review: refused-by-kkp")
				refused.Refused, refused.OfSeed = true, true
				r.move(m1)
				r.propose(1, h1, refused)
				r.start()
				r.wantCheck(h1, forge.Failure, "review: refused-by-kkp")
				first := r.judgements()
				r.pass(10 * 60 * minute)
				if n := r.judgements() - first; n < 19 || n > 20 {
					t.Errorf("judged %d times more in ten hours", n)
				}
				if len(r.offers) != 1 || len(r.said) != 1 {
					t.Errorf("the same was said again: %d, %q", len(r.offers), r.said)
				}
				r.pass(minute)
				r.set(func() { r.words[h1] = good("routine: one") })
				mend(r)
				r.wantCheck(h1, forge.Success, "routine: one")
				r.wantComment(1, "routine: one")
				done := r.judgements()
				r.pass(10 * 60 * minute)
				if r.judgements() != done {
					t.Error("what is fine is judged again")
				}
			})
		})
	}
}

// TestFaultOfTheSeedGoesAway: a pull request that names a cluster which is not
// there yet turns green once it is, and nothing is judged for any other's change,
// or more often than every half minute.
func TestFaultOfTheSeedGoesAway(t *testing.T) {
	bubble(t, func(r *rig) {
		unknown := bad("review: unknown-cluster")
		unknown.OfSeed = true
		r.move(m1)
		r.propose(1, h1, unknown)
		r.propose(2, h2, bad("review: host-bits"))
		r.start()
		r.wantCheck(h1, forge.Failure, "review: unknown-cluster")
		r.pass(minute)
		first := r.judgements()
		for range 100 { // news of clusters all the time
			r.desk.Reconsider()
			r.pass(time.Second)
		}
		if n := r.judgements() - first; n < 3 || n > 5 {
			t.Errorf("judged %d times in 100 s", n)
		}
		r.pass(minute)
		r.set(func() { r.words[h1], r.words[h2] = good("routine: one"), good("routine: two") })
		r.desk.Reconsider()
		r.pass(time.Second)
		r.wantCheck(h1, forge.Success, "routine: one")
		r.wantComment(1, "routine: one")
		r.wantCheck(h2, forge.Failure, "review: host-bits")
		done := r.judgements()
		r.desk.Reconsider()
		r.pass(10 * minute)
		if r.judgements() != done {
			t.Error("what is fine is judged again")
		}
	})
}
