package source_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
)

// crowd polls as many seeds do that were all started in the same moment, each by
// a Pacer with randomness of its own, and answers for each minute how many polls
// were made in its busiest second. The first poll of all, at once, is left out.
func crowd(t *testing.T, schedule string, seeds, minutes int) (busiest []int) {
	t.Helper()
	parsed, err := policy.ParseSchedule(schedule)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	polls := make([]int, 60*minutes) // by the second
	for seed := range seeds {
		p := source.NewPacer(parsed, rand.New(rand.NewPCG(1, uint64(seed))).Float64)
		for now := p.Next(began, 0); ; now = p.Next(now, 0) {
			second := int(now.Sub(began) / time.Second)
			if second >= len(polls) {
				break
			}
			polls[second]++
		}
	}
	for minute := range slices.Chunk(polls, 60) {
		busiest = append(busiest, slices.Max(minute))
	}
	return busiest
}

// A thousand seeds, started at once, never ask a Git host at once again: by the
// minute of the clock their polls are spread over a tenth of it, each time; by
// an interval from poll to poll they drift apart, until they are spread over all
// of it.
func TestPollsOfManySeedsAreSpread(t *testing.T) {
	t.Parallel()
	const seeds = 1000
	clock := crowd(t, "* * * * *", seeds, 60)
	t.Logf("by the clock: %d to %d in the busiest second of a minute", slices.Min(clock[1:]), slices.Max(clock[1:]))
	for minute, n := range clock {
		if even := seeds / 6; n > even*3/2 {
			t.Errorf("minute %d by the clock: %d polls in a second, %d were even", minute, n, even)
		}
	}
	every := crowd(t, "@every 1m", seeds, 24*60)
	for _, at := range []struct{ minute, most int }{{1, seeds / 4}, {10, seeds / 8}, {60, seeds / 16}, {23 * 60, seeds / 20}} {
		n := every[at.minute]
		t.Logf("by the interval, minute %d: %d in the busiest second", at.minute, n)
		if n > at.most {
			t.Errorf("minute %d by the interval: %d polls in a second, at most %d were expected", at.minute, n, at.most)
		}
	}
}
