package wire_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/source/forge/wire"
)

func TestCutText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Repeat(rapid.StringMatching(`[a-zü\n]{0,20}`).Draw(t, "text"), rapid.IntRange(0, 30).Draw(t, "times"))
		limit := rapid.IntRange(100, 300).Draw(t, "limit")
		got := wire.CutText(text, limit)
		if len(got) > limit || !utf8.ValidString(got) {
			t.Fatalf("%d bytes: %q", len(got), got)
		}
		if len(text) <= limit && got != text {
			t.Fatalf("a text that fits was changed: %q", got)
		}
		kept, _, cut := strings.Cut(got, "\n\n… (cut")
		if len(text) > limit && (!cut || !strings.HasPrefix(text, kept)) {
			t.Fatalf("not a beginning with a note: %q", got)
		}
	})
}

func TestWordsKeepSecrets(t *testing.T) {
	t.Parallel()
	err := errors.New("you sent\nBearer canary and key-canary-2\n" + strings.Repeat("x", 1000))
	got := wire.Words(err, "canary", "", "key-canary-2")
	if strings.Contains(got, "canary") || strings.Contains(got, "\n") || utf8.RuneCountInString(got) > 210 {
		t.Errorf("words: %s", got)
	}
	if got := wire.Words(nil, "canary"); got != "" {
		t.Errorf("words of nothing: %s", got)
	}
}

func TestUntilGoesByTheHostsClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	with := func(date string) *http.Response { return &http.Response{Header: http.Header{"Date": {date}}} }
	for _, tt := range []struct {
		date string
		want time.Duration
	}{
		{"Sun, 22 Nov 2026 19:58:00 GMT", 2 * time.Minute},
		{"Sun, 22 Nov 2026 20:01:00 GMT", time.Second},
		{"", wire.Slowly},
	} {
		if got := wire.Until(with(tt.date), at); got != tt.want {
			t.Errorf("at %q: %s, want %s", tt.date, got, tt.want)
		}
	}
}
