package source_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
)

func TestParseSchedule(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"@every 1m", "*/5 * * * *", "@daily", "CRON_TZ=Europe/Vienna 0 3 * * *", "0 0 29 2 *"} {
		if _, err := policy.ParseSchedule(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", " ", "TZ=", "CRON_TZ=UTC", "TZ=Nowhere/Town 0 3 * * *", "@every", "@every soon", "61 * * * *", "* * * *", "0 0 30 2 *", "@often"} {
		if s, err := policy.ParseSchedule(bad); err == nil || s != nil {
			t.Errorf("%q: %v, %v", bad, s, err)
		}
	}
}

func TestPacerSteps(t *testing.T) {
	t.Parallel()
	schedule, err := policy.ParseSchedule("@every 1m")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := source.NewPacer(schedule, func() float64 { return 0 })
	for failures, want := range map[int]time.Duration{0: time.Minute, 1: time.Minute, 2: 2 * time.Minute, 3: 4 * time.Minute, 4: 5 * time.Minute, 5: 5 * time.Minute, 1 << 40: 5 * time.Minute} {
		if got := p.Next(now, failures).Sub(now); got != want {
			t.Errorf("%d failures: %v, want %v", failures, got, want)
		}
	}
	half := source.NewPacer(schedule, func() float64 { return 0.5 })
	if got, want := half.Next(now, 0).Sub(now), 63*time.Second; got != want {
		t.Errorf("with jitter: %v, want %v", got, want)
	}
}

// Whatever the schedule: never before its time, never later than a tenth of an
// interval without failures, never beyond the limit with them.
func TestPacerBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		expr := rapid.SampledFrom([]string{"@every 1s", "@every 1m", "@every 7m13s", "@every 90h", "*/5 * * * *", "0,1 0 * * *", "@daily", "CRON_TZ=Europe/Vienna 30 2 * * *", "0 0 29 2 *", "@yearly"}).Draw(t, "schedule")
		schedule, err := policy.ParseSchedule(expr)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(rapid.Int64Range(1_600_000_000, 2_000_000_000).Draw(t, "now"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
		failures := rapid.IntRange(0, 200).Draw(t, "failures")
		rnd := rapid.Float64Range(0, 0.999999).Draw(t, "rnd")
		got := source.NewPacer(schedule, func() float64 { return rnd }).Next(now, failures)

		next := schedule.Next(now)
		interval := schedule.Next(next).Sub(next)
		if got.Before(next) {
			t.Fatalf("%v is before the schedule's %v", got, next)
		}
		latest := next.Add(interval / 10)
		if failures > 1 {
			if limit := now.Add(max(5*interval, 5*time.Minute)); limit.After(latest) {
				latest = limit
			}
		}
		if got.After(latest) {
			t.Fatalf("%v is after %v", got, latest)
		}
	})
}
