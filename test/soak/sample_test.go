package main

import (
	"strings"
	"testing"
)

func TestParseReadsPlainMetrics(t *testing.T) {
	t.Parallel()
	got := parse(strings.NewReader("# HELP go_goroutines Number\ngo_goroutines 42\nwith{label=\"x\"} 7\nprocess_resident_memory_bytes 1.5e+07\n"))
	if got["go_goroutines"] != 42 || got["process_resident_memory_bytes"] != 15_000_000 {
		t.Errorf("read %v", got)
	}
}

func TestGrownKnowsItsBounds(t *testing.T) {
	t.Parallel()
	from := sample{memory: 60, goroutines: 100}
	for name, c := range map[string]struct {
		to   sample
		fine bool
	}{
		"as before":           {from, true},
		"a little more":       {sample{memory: 100, goroutines: 130}, true},
		"memory leaks":        {sample{memory: 200, goroutines: 100}, false},
		"goroutines leak":     {sample{memory: 60, goroutines: 500}, false},
		"a little, and leaks": {sample{memory: 61, goroutines: 141}, false},
	} {
		if err := c.to.grown(from); (err == nil) != c.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}
