package main

import (
	"testing"
	"time"
)

// Telling commits of their clusters looks at all of them: where that takes
// long, it is done less often, and never later than a second after the news.
func TestNewsIsGatheredForLongerWhereTellingTakesLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ took, want time.Duration }{
		{0, gather},
		{time.Millisecond, gather},
		{10 * time.Millisecond, 500 * time.Millisecond},
		{time.Minute, time.Second},
		{-time.Hour, gather}, // the clock was set back meanwhile
	} {
		if got := (&reconciler{telling: c.took}).gathering(); got != c.want {
			t.Errorf("after %s: %s, want %s", c.took, got, c.want)
		}
	}
}
