package forge_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// step is one thing that happens to an outbox: an offer, or time.
type step struct {
	commit string
	state  forge.State
	title  string
	pass   time.Duration
}

var steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
	return step{
		commit: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "commit"),
		state:  rapid.SampledFrom([]forge.State{forge.Pending, forge.Success, forge.Failure}).Draw(t, "state"),
		title:  rapid.SampledFrom([]string{"x", "y"}).Draw(t, "title"),
		pass:   rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, time.Second, time.Hour}).Draw(t, "pass"),
	}
}), 1, 30)

// fault is what happens to one check at the host; "lost" is taken, and the
// answer lost on its way back.
var faults = rapid.SliceOfN(rapid.SampledFrom([]string{"", "", "fail", "lost", "limit"}), 0, 40)

// Whatever is offered and whatever goes wrong, the host says in the end what
// was offered last, no commit's check is ever followed by an older one, and
// the store has heard of every final one that stands.
func TestNewestArrives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		todo, faults := steps.Draw(rt, "steps"), faults.Draw(rt, "faults")
		storeFaults := rapid.IntRange(0, 5).Draw(rt, "store")
		latency := rapid.SampledFrom([]time.Duration{0, 10 * time.Millisecond, 3 * time.Second}).Draw(rt, "latency")
		batch := rapid.IntRange(1, 3).Draw(rt, "batch")
		var problem error
		synctest.Test(t, func(t *testing.T) {
			problem = live(t, todo, faults, storeFaults, latency, batch)
		})
		if problem != nil {
			rt.Fatal(problem)
		}
	})
}

func live(t *testing.T, todo []step, faults []string, storeFaults int, latency time.Duration, batch int) error {
	says := map[string]forge.Check{}
	h := &host{latency: latency, answer: func(c forge.Check) error {
		fault := ""
		if len(faults) > 0 {
			fault, faults = faults[0], faults[1:]
		}
		if fault == "" || fault == "lost" {
			says[c.Commit] = c
		}
		switch fault {
		case "":
			return nil
		case "limit":
			return forge.RetryAfterError{After: time.Minute, Err: errAway}
		}
		return errAway
	}}
	b := &books{fail: storeFaults}
	box := forge.NewOutbox(h, b, forge.Options{Batch: batch})
	stop := start(t, box)
	defer stop()
	last := map[string]forge.Check{}
	for _, s := range todo {
		last[s.commit] = check(s.commit, s.state, s.title)
		box.Offer(last[s.commit])
		time.Sleep(s.pass)
	}
	flushed(t, box)
	return compare(last, says, b)
}

func compare(last, says map[string]forge.Check, b *books) (err error) {
	told := map[string]string{}
	for _, line := range b.told {
		told[line[:1]] = line
	}
	for commit, c := range last {
		if says[commit].Hash() != c.Hash() {
			err = errors.Join(err, fmt.Errorf("%s: host says %+v, offered last %+v", commit, says[commit], c))
		}
		if c.Final() && told[commit] != commit+" "+c.Hash() {
			err = errors.Join(err, fmt.Errorf("%s: store was told %q", commit, told[commit]))
		}
	}
	return err
}

// Many offer at once while the host fails now and then; the race detector and
// the end state judge.
func TestManyOfferAtOnce(t *testing.T) {
	h := &host{answer: func(forge.Check) error {
		if rand.IntN(3) == 0 {
			return errAway
		}
		return nil
	}}
	bench(t, h, &books{}, forge.Options{}, func(t *testing.T, box *forge.Outbox) {
		var all sync.WaitGroup
		for w := range 8 {
			all.Go(func() {
				for i := range 50 {
					box.Offer(check(fmt.Sprint(w, i%10), forge.Pending, fmt.Sprint(i)))
					box.Known(fmt.Sprint(w, i), "portcullis/us-east", "x")
					_ = box.Stats()
				}
				for i := range 10 {
					box.Offer(check(fmt.Sprint(w, i), forge.Success, "done"))
				}
			})
		}
		all.Wait()
		flushed(t, box)
		newest := map[string]forge.Check{}
		for _, c := range h.taken {
			newest[c.Commit] = c
		}
		for commit, c := range newest {
			if c.Title != "done" {
				t.Errorf("%s: host says %q", commit, c.Title)
			}
		}
		equal(t, "commits", len(newest), 80)
	})
}

var _ forge.Forge = (*host)(nil)
