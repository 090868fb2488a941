package document_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
)

func TestParseDate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2026-12-31":                "2027-01-01T00:00:00Z",
		"2024-02-29":                "2024-03-01T00:00:00Z",
		"2026-12-31T18:00:00Z":      "2026-12-31T18:00:00Z",
		"2026-12-31T18:00:00+01:00": "2026-12-31T17:00:00Z",
		"2026-12-31T18:00:00-00:00": "2026-12-31T18:00:00Z",
		"2026-12-31T18:00:00.5Z":    "2026-12-31T18:00:00.5Z",
		// What ends when Go's calendar does still ends, and can be written down.
		"9999-12-31":                "9999-12-31T23:59:59Z",
		"9999-12-31T23:59:59-23:00": "9999-12-31T23:59:59Z",
		"0000-12-31":                "0001-01-01T00:00:01Z",
		"0001-01-01T00:00:00Z":      "0001-01-01T00:00:01Z",
		"0000-01-01T00:00:00+23:00": "0001-01-01T00:00:01Z",
	} {
		got, p := document.ParseDate(in)
		if p != nil || got.End.Format(time.RFC3339Nano) != want || got.End.IsZero() {
			t.Errorf("%s: got %v, %v, want %s", in, got.End, p, want)
		}
		if _, err := json.Marshal(got.End); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
	for _, in := range []string{"", "2026-12-31T8:00:00Z", "2026-12-31T18:00:00,5Z", "2026-12-31 18:00:00Z", "2026-12-31T18:00Z", "2026-12-31T18:00:00",
		"2026-12-31T18:00:00+0100", "2026-12-31T18:00:00+24:00", "2026-12-31T24:00:00Z", "2026-12-31Z", " 2026-12-31", "2026-1-2", "20261231", "10000-01-01", "-001-01-01"} {
		if got, p := document.ParseDate(in); p == nil || p.Rule != "invalid-date" {
			t.Errorf("%q: got %v, want invalid-date", in, got.End)
		}
	}
}
