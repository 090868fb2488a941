package forge_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

func TestPendingThenFinal(t *testing.T) {
	h, b := &host{}, &books{}
	bench(t, h, b, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		final := check("a", forge.Success, "applied")
		box.Offer(check("a", forge.Pending, "1 of 2"))
		flushed(t, box)
		box.Offer(final)
		flushed(t, box)
		equal(t, "taken", h.titles(), []string{"a 1 of 2", "a applied"})
		equal(t, "store", b.told, []string{"a " + final.Hash()})
	})
}

func TestFinalOvertakesPendingThatNeverWent(t *testing.T) {
	h := &host{answer: func(forge.Check) error { return errAway }}
	bench(t, h, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		box.Offer(check("a", forge.Pending, "1 of 2"))
		synctest.Wait()
		box.Offer(check("a", forge.Success, "applied"))
		h.answers(nil)
		flushed(t, box)
		equal(t, "taken", h.titles(), []string{"a applied"})
	})
}

func TestOfferedDuringAPostGoesAfterIt(t *testing.T) {
	h := &host{latency: time.Second}
	bench(t, h, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		box.Offer(check("a", forge.Pending, "1 of 2"))
		synctest.Wait()
		box.Offer(check("a", forge.Failure, "rejected"))
		box.Offer(check("a", forge.Success, "applied"))
		flushed(t, box)
		equal(t, "taken", h.titles(), []string{"a 1 of 2", "a applied"})
	})
}

func TestSameIsNothing(t *testing.T) {
	h := &host{}
	bench(t, h, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		for range 3 {
			box.Offer(check("a", forge.Success, "applied"), check("a", forge.Success, "applied"))
			flushed(t, box)
		}
		equal(t, "attempts", h.attempts(), 1)
	})
}

// A verdict that comes back before its successor was tried leaves nothing to
// say; one that comes back after an attempt of unknown end has to be said.
func TestBackToWhatTheHostSays(t *testing.T) {
	for name, tried := range map[string]bool{"untried": false, "tried": true} {
		t.Run(name, func(t *testing.T) {
			h := &host{}
			bench(t, h, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
				box.Offer(check("a", forge.Success, "one"))
				flushed(t, box)
				h.answers(func(forge.Check) error { return errAway })
				box.Offer(check("a", forge.Success, "two"))
				if tried {
					synctest.Wait()
				}
				box.Offer(check("a", forge.Success, "one"))
				h.answers(nil)
				flushed(t, box)
				want := []string{"a one"}
				if tried {
					want = append(want, "a one")
				}
				equal(t, "taken", h.titles(), want)
			})
		})
	}
}

func TestOldestFirstInBatches(t *testing.T) {
	h := &host{}
	bench(t, h, nil, forge.Options{Batch: 2}, func(t *testing.T, box *forge.Outbox) {
		for i := range 5 {
			box.Offer(check(fmt.Sprint(i), forge.Success, "x"))
		}
		flushed(t, box)
		equal(t, "taken", h.titles(), []string{"0 x", "1 x", "2 x", "3 x", "4 x"})
		if h.calls < 3 {
			t.Errorf("5 checks went in %d calls of 2 at most", h.calls)
		}
	})
}

func TestOneCommitHoldsUpNoOther(t *testing.T) {
	h := &host{answer: func(c forge.Check) error {
		if c.Commit == "bad" {
			return errAway
		}
		return nil
	}}
	bench(t, h, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		box.Offer(check("bad", forge.Success, "x"))
		time.Sleep(time.Hour)
		began := time.Now()
		box.Offer(check("good", forge.Success, "x"))
		synctest.Wait()
		equal(t, "taken", h.titles(), []string{"good x"})
		equal(t, "waited", time.Since(began), time.Duration(0))
		h.answers(nil)
		flushed(t, box)
		equal(t, "taken", h.titles(), []string{"good x", "bad x"})
	})
}

// A forge that gives up a batch at its first failure must not starve what
// stands behind a commit that always fails.
func TestFirstInABatchHoldsUpNoOther(t *testing.T) {
	stopped := false
	h := &host{answer: func(c forge.Check) error {
		stopped = stopped || c.Commit == "bad"
		if stopped {
			return errAway
		}
		return nil
	}, before: func() { stopped = false }}
	bench(t, h, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		box.Offer(check("bad", forge.Success, "x"), check("b", forge.Success, "x"), check("c", forge.Success, "x"))
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "taken", h.titles(), []string{"b x", "c x"})
		h.answers(nil)
		flushed(t, box)
	})
}

func TestDelaysGrowToFiveMinutes(t *testing.T) {
	h := &host{answer: func(forge.Check) error { return errAway }}
	bench(t, h, nil, forge.Options{Random: func() float64 { return 0 }}, func(t *testing.T, box *forge.Outbox) {
		box.Offer(check("a", forge.Success, "x"))
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		equal(t, "delays", h.delays()[:10], "[1s 2s 4s 8s 16s 32s 1m4s 2m8s 4m16s 5m0s]")
		if s := box.Stats(); s.LastError == nil || s.Oldest != 30*time.Minute || s.Undelivered != 1 {
			t.Errorf("stats: %+v", s)
		}
		h.answers(nil)
		flushed(t, box)
	})
}

func TestJitterShortensByAFifthAtMost(t *testing.T) {
	h := &host{answer: func(forge.Check) error { return errAway }}
	bench(t, h, nil, forge.Options{Random: func() float64 { return 0.5 }}, func(t *testing.T, box *forge.Outbox) {
		box.Offer(check("a", forge.Success, "x"))
		time.Sleep(time.Minute)
		equal(t, "first delay", h.delays()[0], 900*time.Millisecond)
		h.answers(nil)
		flushed(t, box)
	})
}

func TestOutageEndsForAllWithTheFirstSuccess(t *testing.T) {
	h := &host{answer: func(forge.Check) error { return errAway }}
	bench(t, h, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		box.Offer(check("a", forge.Success, "x"), check("b", forge.Success, "x"))
		time.Sleep(time.Hour)
		h.answers(nil)
		began := time.Now()
		box.Offer(check("c", forge.Success, "x"))
		synctest.Wait()
		taken := h.titles()
		slices.Sort(taken[1:])
		equal(t, "taken", taken, []string{"c x", "a x", "b x"})
		equal(t, "waited", time.Since(began), time.Duration(0))
	})
}

func TestRetryAfterStopsAllPosting(t *testing.T) {
	for name, tt := range map[string]struct{ after, want time.Duration }{
		"as asked": {10 * time.Minute, 10 * time.Minute},
		"bounded":  {48 * time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			h := &host{answer: func(forge.Check) error {
				return fmt.Errorf("post: %w", forge.RetryAfterError{After: tt.after, Err: errAway})
			}}
			bench(t, h, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
				began := time.Now()
				box.Offer(check("a", forge.Success, "x"))
				synctest.Wait()
				h.answers(nil)
				box.Offer(check("b", forge.Success, "x"))
				flushed(t, box)
				equal(t, "waited", time.Since(began), tt.want)
				equal(t, "attempts", h.attempts(), 3)
			})
		})
	}
}

func TestRefusedIsFinal(t *testing.T) {
	h := &host{answer: func(forge.Check) error { return fmt.Errorf("commit is gone: %w", forge.ErrRefused) }}
	b := &books{}
	bench(t, h, b, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		c := check("a", forge.Success, "x")
		box.Offer(c, check("p", forge.Pending, "x"))
		flushed(t, box)
		box.Offer(c)
		flushed(t, box)
		equal(t, "attempts", h.attempts(), 2)
		equal(t, "store", b.told, []string{"a " + c.Hash()})
		equal(t, "refusals", box.Stats().Refusals, 2)
	})
}

func TestStoreFailingPostsNothingAgain(t *testing.T) {
	h, b := &host{}, &books{fail: 4}
	bench(t, h, b, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		c := check("a", forge.Success, "x")
		box.Offer(c)
		synctest.Wait()
		equal(t, "unstored", box.Stats().Unstored, 1)
		flushed(t, box)
		equal(t, "attempts", h.attempts(), 1)
		equal(t, "store", b.told, []string{"a " + c.Hash()})
	})
}

func TestRestartPostsNothingTwice(t *testing.T) {
	h := &host{}
	bench(t, h, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		c := check("a", forge.Success, "x")
		box.Known("a", c.Context, c.Hash())
		box.Offer(c)
		flushed(t, box)
		equal(t, "attempts", h.attempts(), 0)
		box.Offer(check("a", forge.Failure, "y"))
		flushed(t, box)
		box.Known("a", c.Context, c.Hash()) // old news: the host says y by now
		box.Offer(c)
		flushed(t, box)
		equal(t, "taken", h.titles(), []string{"a y", "a x"})
	})
}

func TestKnownAfterOffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		box := forge.NewOutbox(h, nil, forge.Options{})
		c := check("a", forge.Success, "x")
		box.Offer(c)
		box.Known("a", c.Context, c.Hash())
		stop := start(t, box)
		synctest.Wait()
		stop()
		equal(t, "attempts", h.attempts(), 0)
	})
}

func TestForgetsTheOldestOfMany(t *testing.T) {
	h := &host{}
	bench(t, h, nil, forge.Options{Remember: 2}, func(t *testing.T, box *forge.Outbox) {
		for _, c := range []string{"a", "b", "c", "c", "b", "a"} {
			box.Offer(check(c, forge.Success, "x"))
			flushed(t, box)
		}
		equal(t, "taken", h.titles(), []string{"a x", "b x", "c x", "a x"})
	})
}

func TestEndIsGracefulAndBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		latency time.Duration
		taken   []string
		took    time.Duration
	}{
		"post under way ends":    {time.Second, []string{"a x", "b x"}, 2 * time.Second},
		"post that hangs is cut": {time.Hour, nil, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := &host{latency: tt.latency}
				box := forge.NewOutbox(h, nil, forge.Options{Grace: 2*time.Second + time.Millisecond})
				stop := start(t, box)
				box.Offer(check("a", forge.Success, "x"))
				synctest.Wait()
				box.Offer(check("b", forge.Success, "x"))
				began := time.Now()
				stop()
				equal(t, "taken", h.titles(), tt.taken)
				equal(t, "took", time.Since(began).Truncate(time.Second), tt.took)
			})
		})
	}
}

func TestRunsOnce(t *testing.T) {
	bench(t, &host{}, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		synctest.Wait()
		if err := box.Run(t.Context()); err == nil {
			t.Error("a second run began")
		}
	})
}

type short struct{ calls int }

func (s *short) Post(context.Context, []forge.Check) []error { s.calls++; return nil }

func TestAnswersThatDoNotFitAreFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &short{}
		box := forge.NewOutbox(f, nil, forge.Options{})
		stop := start(t, box)
		box.Offer(check("a", forge.Success, "x"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if f.calls < 2 || box.Flushed() {
			t.Errorf("calls %d, flushed %v: an answer too few passed for a delivery", f.calls, box.Flushed())
		}
		stop()
	})
}

// After an attempt that failed nobody knows what the host says, whatever the
// store remembers of the time before.
func TestKnownAfterAFailedPost(t *testing.T) {
	h := &host{answer: func(forge.Check) error { return errAway }}
	bench(t, h, nil, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		c := check("a", forge.Success, "x")
		box.Offer(c)
		synctest.Wait()
		box.Known("a", c.Context, c.Hash())
		h.answers(nil)
		flushed(t, box)
		equal(t, "taken", h.titles(), []string{"a x"})
	})
}

// A commit that the host's API does not know is tried again for some seconds:
// Git may have told of it before. After that it is gone for good.
func TestCommitThatIsNotThereYet(t *testing.T) {
	for name, there := range map[string]int{"soon": 2, "never": 1000} {
		t.Run(name, func(t *testing.T) {
			h, b := &host{}, &books{}
			h.answer = func(forge.Check) error {
				if h.calls <= there {
					return fmt.Errorf("post: %w", forge.ErrNoCommit)
				}
				return nil
			}
			bench(t, h, b, forge.Options{Random: func() float64 { return 0 }}, func(t *testing.T, box *forge.Outbox) {
				box.Offer(check("a", forge.Success, "applied"))
				flushed(t, box)
				delays := []time.Duration{time.Second, 2 * time.Second}
				if there > 2 {
					delays = append(delays, 4*time.Second)
				}
				equal(t, "delays", h.delays(), delays)
				equal(t, "taken", len(h.titles()) == 1, there == 2)
				equal(t, "told to the store", len(b.told), 1)
			})
		})
	}
}
