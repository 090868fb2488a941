package document

import (
	"fmt"
	"time"
)

// Date is a moment as files give it: a day, which lasts until its end in UTC,
// or an RFC 3339 time.
type Date struct {
	// End is the first moment that no longer counts.
	End time.Time
}

// ParseDate reads 2026-12-31 or 2026-12-31T18:00:00Z.
func ParseDate(s string) (Date, *Problem) {
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return Date{End: day.AddDate(0, 0, 1)}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return Date{End: t.UTC()}, nil
	}
	return Date{}, &Problem{Rule: "invalid-date", Message: fmt.Sprintf(
		"%s is neither a day nor a time", quote(s)),
		Fix: "2026-12-31 (to the end of that day, UTC) or 2026-12-31T18:00:00Z"}
}
