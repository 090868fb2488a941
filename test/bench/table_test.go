package main

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0}, {[]float64{7}, 7}, {[]float64{9, 1}, 5}, {[]float64{3, 1, 200}, 3},
	} {
		if got := median(tc.values); got != tc.want {
			t.Errorf("median of %v: got %g, want %g", tc.values, got, tc.want)
		}
	}
}

func TestTableSaysWhatWasMeasured(t *testing.T) {
	t.Parallel()
	tab := newTable(1000)
	tab.against("bare loop").atLeast(0.9).compare("first sync", "clusters/s", []float64{100, 400, 200}, []float64{400, 320, 500})
	tab.promise("writes", 5, 5, "5 patch clusters")
	tab.value("memory", "MiB", []float64{43.75}, "")
	path := filepath.Join(t.TempDir(), "build", "bench.json")
	var out strings.Builder
	if err := finish(&out, path, []*table{tab}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0.4 ", "aim MISSED: at least 0.9; ours 100 to 400; reference 320 to 500", "at most 5; 5 patch clusters", "43.8"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not say %q:\n%s", want, out.String())
		}
	}
	page, err := os.ReadFile(strings.TrimSuffix(path, ".json") + ".md")
	if want := "| first sync | 200 | 400 | bare loop | 0.4 | clusters/s | aim MISSED"; err != nil || !strings.Contains(string(page), want) {
		t.Errorf("the page does not say %q: %v\n%s", want, err, page)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3", len(lines))
	}
	var first struct {
		Work, Unit                    string
		N                             int
		Ours, Reference, Value, Ratio float64
	}
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	want := first
	want.Work, want.Unit, want.N, want.Ours, want.Reference, want.Value, want.Ratio = "first sync", "clusters/s", 1000, 200, 400, 200, 0.4
	if first != want {
		t.Errorf("got %+v, want %+v", first, want)
	}
	for _, line := range lines {
		var keys map[string]any
		if err := json.Unmarshal([]byte(line), &keys); err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, []string{"n", "ours", "ratio", "reference", "unit", "value", "work"}) {
			t.Errorf("%s has the keys %v", line, got)
		}
		if none := keys["reference"] == nil; none != (line != lines[0]) || none != (keys["ratio"] == nil) || none != (keys["ours"] == nil) {
			t.Errorf("what is compared is not what was: %s", line)
		}
	}
	if runs, err := os.ReadFile(strings.TrimSuffix(path, ".json") + "-runs.json"); err != nil || !strings.Contains(string(runs), `"runs":[100,400,200],"references":[400,320,500]`) {
		t.Errorf("the runs are not kept: %v: %s", err, runs)
	}
}

func TestTableFailsWhereAPromiseIsBroken(t *testing.T) {
	t.Parallel()
	tab := newTable(50)
	tab.promise("restart: writes", 2, 0, "2 update configmaps")
	path := filepath.Join(t.TempDir(), "bench.json")
	var out strings.Builder
	err := finish(&out, path, []*table{tab})
	if !errors.Is(err, errPromise) || !strings.Contains(err.Error(), "restart: writes: 2, not 0") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(out.String(), "BROKEN, at most 0; 2 update configmaps") {
		t.Errorf("the table hides it:\n%s", out.String())
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("what was measured is not kept")
	}
}

func TestUsageIsReadFromProc(t *testing.T) {
	t.Parallel()
	const status = "Name:\tportcullis\nVmPeak:\t 1300000 kB\nVmHWM:\t  102400 kB\nVmRSS:\t   51200 kB\nRssAnon:\t   20480 kB\n"
	const stat = "42 (port (cullis) x) S 1 42 42 0 -1 4194560 9 0 0 0 150 50 300 25 20 0 9 0 1 2 3\n"
	u, err := parseUsage(status, stat)
	if err != nil {
		t.Fatal(err)
	}
	if u.resident != 50 || u.anonymous != 20 || u.highest != 100 || u.processor.Seconds() != 2 || !u.known {
		t.Errorf("got %+v", u)
	}
	if all, err := processorOfAll(stat); err != nil || all.Seconds() != 5.25 {
		t.Errorf("with its children: %s, error %v", all, err)
	}
	if _, err := parseUsage("Name: x\n", stat); err == nil {
		t.Error("there is no VmRSS, and nobody says so")
	}
	if _, err := parseUsage(status, "42 (x) S 1"); err == nil {
		t.Error("the times are missing, and nobody says so")
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args      string
		n, rounds int
	}{
		{"", 10_000, 3}, {"-n 1000", 1000, 3}, {"-n 1000 -rounds 2", 1000, 2},
	} {
		o, err := parse(strings.Fields(tc.args), io.Discard)
		if err != nil || o.n != tc.n || o.rounds != tc.rounds {
			t.Errorf("%q: got n %d, rounds %d, error %v", tc.args, o.n, o.rounds, err)
		}
	}
	for _, args := range []string{"-n 49", "-n 101", "-rounds 0", "-also 7", "-x"} {
		if _, err := parse(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

// rowOf is what a file of JSON lines says of a work.
func rowOf(t *testing.T, path, work string) (value float64, told bool) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		var r row
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Work == work {
			return r.Value, true
		}
	}
	return 0, false
}
