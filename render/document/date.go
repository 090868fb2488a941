package document

import (
	"fmt"
	"regexp"
	"time"
)

// Date is a moment as files give it: a day, which lasts until its end in UTC,
// or an RFC 3339 time.
type Date struct {
	// End is the first moment that no longer counts. It is within the years 1 to
	// 9999, as JSON wants it, and never Go's zero time, which stands for no end.
	End time.Time
}

// The first and the last moment that an End can be. Who writes 9999-12-31 means
// never; who writes the year 0 does not.
var (
	firstEnd = time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)
	lastEnd  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// rfc3339 is the form of such a time (RFC 3339, 5.6): time.Parse takes T8:00:00,
// 0,5 seconds and offsets of a day, too.
var rfc3339 = regexp.MustCompile(`^[0-9-]{10}T[0-9:]{8}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// ParseDate reads 2026-12-31 or 2026-12-31T18:00:00Z.
func ParseDate(s string) (Date, *Problem) {
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return ending(day.AddDate(0, 0, 1)), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil && rfc3339.MatchString(s) {
		return ending(t.UTC()), nil
	}
	return Date{}, &Problem{Rule: "invalid-date", Message: fmt.Sprintf(
		"%s is neither a day nor a time", quote(s)),
		Fix: "2026-12-31 (to the end of that day, UTC) or 2026-12-31T18:00:00Z"}
}

func ending(t time.Time) Date {
	switch {
	case t.Before(firstEnd):
		t = firstEnd
	case t.After(lastEnd):
		t = lastEnd
	}
	return Date{End: t}
}
