package pulls_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/pulls"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

const minute = time.Minute

var (
	m1, m2, m3 = sha("m1"), sha("m2"), sha("m3")
	h1, h2     = sha("h1"), sha("h2")
)

func inForce(commit string) pulls.Verdict {
	return pulls.Verdict{Commit: commit, Final: true, Good: true, Title: "1 list in force", Over: true}
}

// begun is a desk that has judged one pull request.
func begun(r *rig) {
	r.move(m1)
	r.propose(1, h1, good("review: one"))
	r.start()
	r.wantCheck(h1, forge.Success, "review: one")
	r.wantComment(1, "review: one")
}

func TestOpenedAndUpdated(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.propose(2, h2, bad("review: two"))
		r.poll()
		r.wantCheck(h2, forge.Failure, "review: two")
		r.wantComment(2, "review: two")
		h3 := sha("h3")
		r.propose(2, h3, good("routine: mended"))
		r.poll()
		r.wantCheck(h3, forge.Success, "routine: mended")
		r.wantComment(2, "routine: mended")
		r.wantRecords(2)
	})
}

// TestHeadThatTheHostListsLate: Git knows of an update, and of a new pull
// request, before the listing does.
func TestHeadThatTheHostListsLate(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		h3 := sha("h3")
		r.set(func() { r.heads[1], r.words[h3] = h3, good("review: newer") })
		r.poll()
		r.wantCheck(h3, forge.Success, "review: newer")
		r.desk.Hint() // and is told the old one still
		r.pass(time.Second)
		r.wantComment(1, "review: newer")
		r.set(func() { r.heads[2] = h2 })
		r.poll()
		r.propose(2, h2, good("review: two"))
		r.pass(minute)
		r.wantComment(2, "review: two")
	})
}

// TestHeadThatGoesBack to one that it had before, which was told then, and over a
// restart: each head has its own check, and the comment is of the present one.
func TestHeadThatGoesBack(t *testing.T) {
	for name, listsLate := range map[string]bool{"told at once": false, "told late": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				begun(r)
				h3 := sha("h3")
				r.propose(1, h3, bad("review: worse"))
				r.poll()
				r.wantCheck(h3, forge.Failure, "review: worse")
				r.wantComment(1, "review: worse")
				if listsLate {
					r.set(func() { r.heads[1] = h1 })
					r.poll()
					r.wantComment(1, "review: one")
				}
				r.propose(1, h1, good("review: one"))
				r.poll()
				r.pass(minute)
				r.wantComment(1, "review: one")
				r.wantCheck(h1, forge.Success, "review: one")
				r.wantCheck(h3, forge.Failure, "review: worse")
				if len(r.offers) != 2 || len(r.said) != 3 {
					t.Errorf("told %d checks, said %q", len(r.offers), r.said)
				}
				r.stop()
				r.start()
				r.pass(minute)
				r.wantComment(1, "review: one")
				r.wantCheck(h1, forge.Success, "review: one")
				if len(r.said) != 3 {
					t.Errorf("said again: %q", r.said)
				}
			})
		})
	}
}

// TestHeadThatTheHostListsEarly: a webhook comes before the poll.
func TestHeadThatTheHostListsEarly(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		h3 := sha("h3")
		r.propose(1, h3, good("review: newer"))
		r.set(func() { r.heads[1] = h1 })
		r.desk.Hint()
		r.pass(time.Second)
		r.set(func() { r.heads[1] = h3 })
		r.poll()
		r.pass(minute)
		r.wantCheck(h3, forge.Success, "review: newer")
		r.wantComment(1, "review: newer")
	})
}

func TestClosedAndReopened(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.wantFollowed(1)
		r.ends(1, forge.PullRequestClosed, "main", "")
		r.desk.Hint()
		r.pass(time.Second)
		r.wantRecords(0)
		r.wantFollowed()
		r.move(m2) // nobody judges a closed one
		r.pass(10 * minute)
		r.count("")
		r.set(func() { r.words[h1+m2] = bad("review: worse") })
		r.propose(1, h1, good("review: one"))
		r.pass(11 * minute)
		r.wantCheck(h1, forge.Failure, "review: worse")
		r.wantComment(1, "review: worse")
		r.wantFollowed(1)
	})
}

// TestRetargetedAwayAndBack: what was said is taken back, but no check turns
// green that might let it in the moment it comes back.
func TestRetargetedAwayAndBack(t *testing.T) {
	bubble(t, func(r *rig) {
		r.move(m1)
		r.propose(1, h1, bad("review: wrong"))
		r.start()
		r.ends(1, forge.PullRequestOpen, "other", "")
		r.desk.Hint()
		r.pass(time.Second)
		r.wantComment(1, "nothing here")
		r.wantCheck(h1, forge.Failure, "review: wrong")
		r.wantRecords(0)
		r.propose(1, h1, bad("review: wrong"))
		r.desk.Hint()
		r.pass(time.Second)
		r.wantComment(1, "review: wrong")
	})
}

// TestMergedElsewhere: it was retargeted, and merged there before anybody told.
func TestMergedElsewhere(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.ends(1, forge.PullRequestMerged, "other", m2)
		r.pass(11 * minute)
		r.wantComment(1, "nothing here")
		r.wantCheck(h1, forge.Success, "review: one")
		r.wantRecords(0)
	})
}

func TestMerged(t *testing.T) {
	for name, merge := range map[string]struct{ commit, verdictOf string }{
		"by a merge commit":       {m2, m2},
		"squashed":                {m2, m2},
		"fast-forward":            {h1, h1},
		"told no commit by forge": {"", h1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				begun(r)
				target := m2
				if merge.verdictOf == h1 {
					target = h1
				}
				r.move(target, h1) // Git has it first, and the listing does not say so yet
				r.pass(5 * time.Second)
				r.wantComment(1, "review: one")
				r.ends(1, forge.PullRequestMerged, "main", merge.commit)
				r.pass(minute)
				r.wantComment(1, "review: one") // its commit is not told yet
				r.set(func() { r.verdicts[merge.verdictOf] = pulls.Verdict{Commit: merge.verdictOf, Title: "waiting"} })
				r.poll()
				r.wantComment(1, "review: one")
				r.set(func() {
					r.verdicts[merge.verdictOf] = pulls.Verdict{Commit: merge.verdictOf, Final: true, Title: "a cluster is Rejected", Lines: "words\n"}
				})
				r.poll()
				r.wantComment(1, "**not in force on `eu-west`**: `a cluster is Rejected`")
				r.wantRecords(1)
				r.set(func() { r.verdicts[merge.verdictOf] = inForce(merge.verdictOf) })
				r.poll()
				r.wantComment(1, "**in force on `eu-west`**: `1 list in force`")
				r.wantRecords(0)
				for _, said := range r.said {
					if strings.Contains(said, "nothing here") {
						t.Errorf("on the way: %q", r.said)
					}
				}
			})
		})
	}
}

// TestMergeAloneIsNotWrittenDown: the state has a write for what is told of it,
// and a process that begins before finds out again that it was merged.
func TestMergeAloneIsNotWrittenDown(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.propose(2, h2, good("review: two"))
		r.poll()
		r.pass(time.Second)
		saves := r.saves
		r.ends(1, forge.PullRequestMerged, "main", m2)
		r.move(m2, h1)
		r.pass(20 * minute)
		if n := r.saves - saves; n != 0 {
			t.Errorf("%d writes for a merge", n)
		}
		r.stop()
		r.start()
		r.pass(minute)
		late := pulls.Verdict{Commit: m2, Final: true, Good: true, Title: "1 list in force"} // and news may come
		r.set(func() { r.verdicts[m2] = late })
		r.poll()
		r.wantComment(1, "in force on")
		if n := r.saves - saves; n != 1 {
			t.Errorf("%d writes until it was told", n)
		}
		if rec := r.records["1"]; rec.Merged != m2 || rec.Told != m2 {
			t.Errorf("written down: %+v", rec)
		}
	})
}

// TestHostSilentWhileMerged: the host is away when Git has the merge, for
// longer than listings lag.
func TestHostSilentWhileMerged(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.set(func() { r.fail["list"] = errors.New("502") })
		r.move(m2, h1)
		r.pass(20 * minute)
		r.wantComment(1, "review: one")
		r.ends(1, forge.PullRequestMerged, "main", m2)
		r.set(func() { r.verdicts[m2] = inForce(m2); delete(r.fail, "list") })
		r.pass(6 * minute)
		r.wantComment(1, "in force")
	})
}

func TestNothingHere(t *testing.T) {
	bubble(t, func(r *rig) {
		r.move(m1)
		r.propose(1, h1, naught)
		r.start()
		r.wantCheck(h1, forge.Success, "nothing here")
		r.wantComment(1, "")
		r.ends(1, forge.PullRequestMerged, "main", m2)
		r.set(func() { r.verdicts[m2] = inForce(m2) })
		r.move(m2, h1)
		r.pass(20 * minute)
		r.wantComment(1, "")
		r.wantRecords(0)
	})
}

// TestBecomesNothingWithoutAMerge: others brought the same in; it is said once
// the host had its time to tell of a merge.
func TestBecomesNothingWithoutAMerge(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.set(func() { r.words[h1+m2] = naught })
		r.move(m2)
		r.pass(30 * time.Second)
		r.wantComment(1, "review: one")
		r.pass(2 * minute)
		r.wantComment(1, "nothing here")
		r.wantCheck(h1, forge.Success, "nothing here")
	})
}

func TestFailingListing(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.count("")
		r.set(func() { r.fail["list"] = errors.New("502") })
		r.move(m2)
		r.pass(30 * minute)
		if n := r.count("list"); n < 5 || n > 20 {
			t.Errorf("%d listings in half an hour of failure", n)
		}
		r.set(func() { r.words[h1+m3] = bad("review: worse") })
		r.move(m3) // those that are known are judged all the same
		r.wantCheck(h1, forge.Failure, "review: worse")
		r.set(func() { delete(r.fail, "list") })
		r.propose(2, h2, good("review: two"))
		r.pass(6 * minute)
		r.wantComment(2, "review: two")
	})
}

func TestFailingCommentsHoldUpNoCheck(t *testing.T) {
	bubble(t, func(r *rig) {
		r.move(m1)
		r.set(func() { r.fail["comment"] = errors.New("500") })
		for i := range 20 {
			r.propose(i+1, sha(fmt.Sprint("p", i)), good(fmt.Sprint("review: ", i)))
		}
		r.start()
		for i := range 20 {
			r.wantCheck(sha(fmt.Sprint("p", i)), forge.Success, fmt.Sprint("review: ", i))
		}
		if n := r.count("comment"); n > 3 {
			t.Errorf("%d comments tried at once on a host that fails", n)
		}
		r.set(func() { delete(r.fail, "comment") })
		r.pass(10 * minute)
		for i := range 20 {
			r.wantComment(i+1, fmt.Sprint("review: ", i))
		}
	})
}

// TestOneCommentThatFails is no reason for the others to wait, and one that is
// refused for good is not tried again.
func TestOneCommentThatFails(t *testing.T) {
	for name, err := range map[string]error{"for now": errors.New("500"), "for good": forge.ErrRefused} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.move(m1)
				r.set(func() { r.fail["comment 1"] = err })
				r.propose(1, h1, good("review: one"))
				r.propose(2, h2, good("review: two"))
				r.start()
				r.wantComment(2, "review: two")
				r.count("")
				r.pass(30 * minute)
				if n := r.count("comment"); errors.Is(err, forge.ErrRefused) != (n == 0) || n > 20 {
					t.Errorf("%d more tries", n)
				}
			})
		})
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	for _, what := range []string{"comment", "list"} {
		t.Run(what, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.move(m1)
				for i := range 5 {
					r.propose(i+1, sha(fmt.Sprint("p", i)), good("review"))
				}
				r.set(func() { r.fail[what] = forge.RetryAfterError{After: 20 * minute, Err: errors.New("429")} })
				r.start()
				r.count("")
				r.desk.Hint()
				r.move(m2)
				r.pass(19 * minute)
				if n := r.count(""); n > 0 {
					t.Errorf("%d requests while the host is to be left alone", n)
				}
				r.set(func() { delete(r.fail, what) })
				r.pass(3 * minute)
				r.wantComment(5, "review")
			})
		})
	}
}

// TestRetryAfterIsBounded: whoever answers in the host's place may ask for days.
func TestRetryAfterIsBounded(t *testing.T) {
	for _, what := range []string{"comment", "list"} {
		t.Run(what, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.move(m1)
				r.propose(1, h1, good("review: one"))
				r.set(func() { r.fail[what] = forge.RetryAfterError{After: 24 * 60 * minute, Err: errors.New("429")} })
				r.start()
				r.count("")
				r.pass(59 * minute)
				if n := r.count(""); n > 0 {
					t.Errorf("%d requests while the host is to be left alone", n)
				}
				r.set(func() { delete(r.fail, what) })
				r.pass(2 * minute)
				r.wantCheck(h1, forge.Success, "review: one")
				r.wantComment(1, "review: one")
			})
		})
	}
}

func TestSameHead(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.propose(2, h1, good("review: one"))
		r.set(func() { r.words[h1] = bad("review: bad") })
		r.move(m2)
		r.wantCheck(h1, forge.Failure, "review: bad")
		if c := r.checks[h1]; c.PullRequest != 1 {
			t.Errorf("told for %d, want the lowest of equals", c.PullRequest)
		}
		n := len(r.offers)
		for range 5 {
			r.poll()
			r.pass(minute)
		}
		if len(r.offers) != n {
			t.Errorf("%d more checks of the same", len(r.offers)-n)
		}
	})
}

// TestSameHeadWorstWins has two with one head, of which a fork's is denied.
func TestSameHeadWorstWins(t *testing.T) {
	bubble(t, func(r *rig) {
		r.forks = true
		r.move(m1)
		r.propose(1, h1, good("review: one"))
		r.propose(2, h1, good("review: one"))
		r.set(func() { pr := r.open[2]; pr.Fork = true; r.open[2] = pr })
		r.start()
		r.wantCheck(h1, forge.Failure, "not judged: a maintainer must push this branch")
		r.ends(2, forge.PullRequestClosed, "main", "")
		r.desk.Hint()
		r.pass(time.Second)
		r.wantCheck(h1, forge.Success, "review: one")
		if len(r.offers) != 2 {
			t.Errorf("%d checks", len(r.offers))
		}
	})
}

// TestSameHeadAfterARestart: the worse one cannot be fetched at first, and the
// better one's check does not take its place meanwhile.
func TestSameHeadAfterARestart(t *testing.T) {
	bubble(t, func(r *rig) {
		r.move(m1)
		r.forks = true
		r.propose(1, h1, bad("review: bad"))
		r.propose(2, h1, bad("review: bad"))
		r.set(func() { pr := r.open[2]; pr.Fork = true; r.open[2] = pr })
		r.start()
		r.pass(time.Second)
		r.wantCheck(h1, forge.Failure, "review: bad")
		offers := len(r.offers)
		r.stop()
		r.set(func() { r.fail["pull 1"] = errors.New("connection reset") })
		r.start()
		r.pass(minute)
		if len(r.offers) != offers {
			t.Errorf("told in between: %v", r.offers[offers:])
		}
		r.set(func() { delete(r.fail, "pull 1"); r.words[h1] = good("review: good") })
		r.pass(6 * minute)
		r.wantCheck(h1, forge.Failure, "not judged: a maintainer must push this branch")
	})
}

func TestBranchCommitsVerdictWins(t *testing.T) {
	bubble(t, func(r *rig) {
		r.move(m1)
		r.set(func() { r.branch = append(r.branch, h1) })
		r.propose(1, h1, naught)
		r.start()
		if len(r.offers) > 0 {
			t.Errorf("told %v", r.offers)
		}
	})
}

func TestWhatCannotBeJudged(t *testing.T) {
	for name, tt := range map[string]struct {
		err   error
		title string
	}{
		"too large": {&source.TooLargeError{What: "bytes sent", Limit: 50}, "not judged: too large: more than 50 bytes sent"},
		"unrelated": {fmt.Errorf("lay: %w", source.ErrUnrelated), "not judged: no common ancestor with the target branch"},
		"malformed": {fmt.Errorf("read: %w", source.ErrMalformed), "not judged: malformed Git objects"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.move(m1)
				r.propose(1, h1, good("review"))
				r.propose(2, h2, good("review: two"))
				r.set(func() { r.fail["pull 1"] = tt.err })
				r.start()
				r.wantCheck(h1, forge.Failure, tt.title)
				r.wantComment(1, strings.TrimPrefix(tt.title, "not judged: "))
				r.wantCheck(h2, forge.Success, "review: two")
				fetched := r.fetched
				r.pass(5 * minute)
				if r.fetched != fetched {
					t.Error("tried again, though it will be no smaller")
				}
			})
		})
	}
}

// TestFetchingFails: it is tried again with growing pauses, and the others are
// judged meanwhile.
func TestFetchingFails(t *testing.T) {
	bubble(t, func(r *rig) {
		r.move(m1)
		r.propose(1, h1, good("review: one"))
		r.propose(2, h2, good("review: two"))
		r.set(func() { r.fail["pull 1"] = errors.New("connection reset") })
		r.start()
		r.wantCheck(h2, forge.Success, "review: two")
		r.pass(30 * minute)
		if r.fetched > 20 {
			t.Errorf("fetched %d times", r.fetched)
		}
		r.set(func() { delete(r.fail, "pull 1") })
		r.pass(6 * minute)
		r.wantCheck(h1, forge.Success, "review: one")
	})
}

// TestQuiet counts what 200 pull requests cost while nothing happens.
func TestQuiet(t *testing.T) {
	bubble(t, func(r *rig) {
		r.move(m1)
		for i := range 200 {
			r.propose(i+1, sha(fmt.Sprint("q", i)), good(fmt.Sprint("review: ", i)))
		}
		r.start()
		r.pass(minute)
		if n := len(r.offers); n != 200 {
			t.Errorf("%d checks", n)
		}
		r.count("")
		offers, fetched := len(r.offers), r.fetched
		for range 100 {
			r.poll()
			r.pass(minute)
		}
		if lists := r.count("list"); lists != 10 {
			t.Errorf("%d listings in 100 minutes, want 10", lists)
		}
		if len(r.offers) != offers || r.fetched != fetched {
			t.Errorf("%d more checks, %d more fetches", len(r.offers)-offers, r.fetched-fetched)
		}
	})
}

// TestNothingButListings is TestQuiet's sum: no request that is no listing.
func TestNothingButListings(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.count("")
		for range 100 {
			r.poll()
			r.pass(minute)
		}
		all := len(r.asked)
		if lists := r.count("list"); lists != all {
			t.Errorf("%d requests, of which %d listings", all, lists)
		}
	})
}

func TestRestart(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.propose(2, h2, bad("review: two"))
		r.poll()
		r.pass(time.Second)
		r.stop()
		said, offers := len(r.said), len(r.offers)
		r.count("")
		r.set(func() { r.fail["list"] = errors.New("502") })
		r.start()
		r.pass(time.Second)
		if rec := r.records["1"]; rec.Head != h1 || rec.Check == "" || rec.Comment == "" {
			t.Errorf("forgotten while the host is away: %+v", rec)
		}
		r.set(func() { delete(r.fail, "list") })
		r.pass(minute)
		if len(r.said) != said || len(r.offers) != offers || r.count("comment") > 0 {
			t.Errorf("said again: %q %v", r.said[said:], r.offers[offers:])
		}
		r.stop()

		r.ends(1, forge.PullRequestMerged, "main", m2)
		r.move(m2, h1)
		r.set(func() { r.verdicts[m2] = inForce(m2) })
		r.start()
		r.pass(minute)
		r.wantComment(1, "in force on")
		r.wantComment(2, "review: two")
	})
}

// TestRestartWhileACheckIsOnItsWay: the host may have it, and what is true then is
// what was told before.
func TestRestartWhileACheckIsOnItsWay(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.pass(time.Second)
		r.set(func() { r.words[h1+m2] = bad("review: bad"); r.deaf = true })
		r.move(m2)
		r.wantCheck(h1, forge.Failure, "review: bad")
		r.stop()
		r.set(func() { r.deaf = false })
		r.move(m3)
		r.start()
		r.pass(time.Second)
		r.wantCheck(h1, forge.Success, "review: one")
		if rec := r.records["1"]; rec.Check != r.checks[h1].Hash() {
			t.Errorf("written down: %+v", rec)
		}
	})
}

// TestStateAwayWhileAVerdictChanges: what cannot be written down is told later.
func TestStateAwayWhileAVerdictChanges(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.pass(time.Second)
		r.set(func() { r.words[h1+m2] = bad("review: bad"); r.fail["save"] = errors.New("no") })
		r.propose(2, h2, good("review: two"))
		r.move(m2)
		r.pass(time.Second)
		r.wantCheck(h1, forge.Success, "review: one")
		r.wantCheck(h2, forge.Success, "review: two") // of which nothing was written down
		r.set(func() { delete(r.fail, "save") })
		r.pass(10 * time.Second)
		r.wantCheck(h1, forge.Failure, "review: bad")
	})
}

// TestRestartWhileTheListingLags: a merge of just before is not told yet.
func TestRestartWhileTheListingLags(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.stop()
		r.move(m2, h1)
		r.set(func() { r.verdicts[m2] = inForce(m2) })
		r.start()
		r.pass(5 * time.Second)
		r.wantComment(1, "review: one")
		r.ends(1, forge.PullRequestMerged, "main", m2)
		r.pass(minute)
		r.wantComment(1, "in force on")
	})
}

func TestStateThatCannotBeWritten(t *testing.T) {
	bubble(t, func(r *rig) {
		r.set(func() { r.fail["save"] = errors.New("no") })
		begun(r)
		r.wantRecords(0)
		r.set(func() { delete(r.fail, "save") })
		r.pass(10 * time.Second)
		r.wantRecords(1)
	})
}

// TestRecordsAreBounded merges very many, none of which ever gets a verdict.
func TestRecordsAreBounded(t *testing.T) {
	bubble(t, func(r *rig) {
		r.move(m1)
		for i := range 300 {
			r.propose(i+1, sha(fmt.Sprint("b", i)), good("review"))
		}
		r.start()
		r.pass(minute)
		for i := range 300 {
			r.ends(i+1, forge.PullRequestMerged, "main", sha(fmt.Sprint("c", i)))
		}
		r.desk.Hint()
		r.pass(minute)
		r.wantRecords(200)
		if _, newest := r.records["300"]; !newest {
			t.Error("the newest is not among them")
		}
		r.stop() // and no round goes on without a pause
	})
}

// TestPausesEnd: after a comment on a merged one failed and its verdict was
// taken back, the desk rests.
func TestPausesEnd(t *testing.T) {
	bubble(t, func(r *rig) {
		begun(r)
		r.ends(1, forge.PullRequestMerged, "main", m2)
		r.set(func() { r.verdicts[m2] = inForce(m2); r.fail["comment"] = errors.New("500") })
		r.move(m2, h1)
		r.pass(2 * time.Second)
		r.set(func() { r.verdicts[m2] = pulls.Verdict{Commit: m2} })
		r.pass(20 * minute)
		r.set(func() { r.verdicts[m2] = inForce(m2); delete(r.fail, "comment") })
		r.poll()
		r.wantComment(1, "in force on")
	})
}

// TestListingIsABitBehind: after the first push, Gitea's API takes a moment.
func TestListingIsABitBehind(t *testing.T) {
	bubble(t, func(r *rig) {
		r.move(m1)
		r.propose(1, h1, good("review: one"))
		r.set(func() { r.fail["list"] = fmt.Errorf("list: %w", forge.ErrNotYet) })
		r.start()
		r.pass(1500 * time.Millisecond)
		r.set(func() { delete(r.fail, "list") })
		r.pass(time.Second)
		r.wantCheck(h1, forge.Success, "review: one")
		r.count("")
		r.set(func() { r.fail["list"] = forge.ErrNotYet })
		r.desk.Hint()
		r.pass(10 * minute)
		if n := r.count("list"); n > 20 {
			t.Errorf("the host was asked %d times in ten minutes", n)
		}
	})
}
