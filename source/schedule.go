package source

import (
	"time"

	"github.com/robfig/cron/v3"
)

const (
	// jitterPart is the part of an interval over which polls are spread.
	jitterPart = 10
	// A back-off is at most this many intervals, or this long if that is more.
	maxIntervals = 5
	minBackoff   = 5 * time.Minute
	// forever is the interval of a schedule that has come to its end.
	forever = 24 * time.Hour
)

// Pacer says when to poll next.
type Pacer struct {
	schedule cron.Schedule
	rnd      func() float64
}

// NewPacer paces by a schedule. rnd gives numbers from 0 up to, not including,
// 1, and spreads the polls of many seeds.
func NewPacer(schedule cron.Schedule, rnd func() float64) *Pacer {
	return &Pacer{schedule, rnd}
}

// Next is the time of the next poll after now, later by up to a tenth of the
// interval. After failures in a row, their number given, intervals are left
// out, one, three, seven and so on, but the wait is at most five intervals or
// five minutes, whichever is more, or the time to the next in the schedule.
func (p *Pacer) Next(now time.Time, failures int) time.Time {
	next, interval := p.slot(now)
	jitter := time.Duration(p.rnd() * float64(interval/jitterPart))
	if failures <= 1 {
		return next.Add(jitter)
	}
	limit := now.Add(max(maxIntervals*interval, minBackoff))
	late := limit
	if wait, short := backoff(interval, failures); short && now.Add(wait).Before(limit) {
		late, _ = p.slot(now.Add(wait))
	}
	return latest(next.Add(jitter), earliest(late.Add(jitter), limit))
}

// slot is the next time in the schedule and how long it is from there to the
// one after it.
func (p *Pacer) slot(now time.Time) (time.Time, time.Duration) {
	next := p.schedule.Next(now)
	if next.IsZero() {
		return now.Add(forever), forever
	}
	after := p.schedule.Next(next)
	if after.IsZero() {
		return next, forever
	}
	return next, after.Sub(next)
}

// backoff is how long not to look at the schedule; short is false where that
// is beyond every limit.
func backoff(interval time.Duration, failures int) (wait time.Duration, short bool) {
	const enough = 20 // doublings, from the shortest interval of a second
	if failures > enough {
		return 0, false
	}
	times := int64(1)<<(failures-1) - 1
	if times > int64(365*24*time.Hour/max(interval, time.Second)) {
		return 0, false
	}
	return time.Duration(times) * interval, true
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
