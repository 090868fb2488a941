package main

import (
	"strings"
	"testing"
)

func TestBoundedKeepsWholeLines(t *testing.T) {
	t.Parallel()
	const line = "tenants/acme/a.yaml:1:1: error[host-bits]: é\n"
	for name, c := range map[string]struct{ text, end string }{
		"nothing":        {"", ""},
		"short":          {line, line},
		"as much as may": {strings.Repeat("x", maxBody-1) + "\n", "x\n"},
		"too many lines": {strings.Repeat(line, 2*maxBody/len(line)), line + "and 1304 more lines\n"},
		"one long line":  {strings.Repeat("x", 2*maxBody) + "\n", "and 1 more lines\n"},
	} {
		got := bounded(c.text)
		if !strings.HasSuffix(got, c.end) || len(got) > maxBody+100 {
			t.Errorf("%s: %d bytes, ending in %q", name, len(got), got[max(0, len(got)-100):])
		}
		if len(c.text) <= maxBody && got != c.text {
			t.Errorf("%s: it was changed", name)
		}
	}
}
