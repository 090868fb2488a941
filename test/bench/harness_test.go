package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// TestMain is a peer where it is asked to be one, as the program is. Tests run
// where the program does: the examples are found from the root.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && peers[os.Args[1]] != nil {
		end(runPeer(context.Background(), os.Args[1], os.Args[2:]))
	}
	ctrl.SetLogger(logr.Discard())
	if err := os.Chdir(filepath.Join("..", "..")); err != nil {
		end(err)
	}
	os.Exit(m.Run())
}

// TestHarness measures a few clusters, so that the harness cannot rot: the
// promises are numbers of requests, and it fails where one is broken. What it
// says of speed is worth nothing.
func TestHarness(t *testing.T) {
	servers.Need(t, "etcd", "kube-apiserver", "gitea")
	dir := t.TempDir()
	o := options{n: 50, rounds: 1, pulls: true, pace: pace{repeats: 1, changes: 2, rests: time.Second, seedsPoll: 2 * time.Second}, out: filepath.Join(dir, "bench.json"),
		binary: build(t, dir, ".", "./cmd/portcullis"), kubectl: build(t, dir, "test/bench", "./kubectl")}
	var out strings.Builder
	err := runAll(t.Context(), o, &out)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, works := range works {
		if !strings.Contains(out.String(), "\n"+works) {
			t.Errorf("nothing is said of: %s", works)
		}
	}
	if strings.Contains(out.String(), "NaN") || strings.Contains(out.String(), "Inf") {
		t.Error("what is no number is told")
	}
	for name, want := range map[string]float64{
		"one file changed: writes to Clusters":                                    1,
		"unchanged, 10 polls: requests to Git":                                    pollsAtRest,
		"unchanged, 10 polls: requests to the API server":                         0,
		"restart: writes to the API server":                                       0,
		"a pull request edits a group of 50 clusters: requests to the API server": 50,
	} {
		if got, told := rowOf(t, o.out, name); !told || got != want {
			t.Errorf("%s: %g, want %g", name, got, want)
		}
	}
	if got, told := rowOf(t, o.out, "many seeds: 3 reconcilers, 4 intervals: requests to the Git host"); !told || got < seeds*(seedsRounds-2) {
		t.Errorf("many seeds: %g requests to the Git host", got) // that they are not too many, the promise says
	}
	if svg, err := os.ReadFile(filepath.Join(dir, "bench.svg")); err != nil || !strings.Contains(string(svg), "<polyline") {
		t.Errorf("there is no chart: %v", err)
	}
}

// TestReadersHarness: so with the readers of the pages.
func TestReadersHarness(t *testing.T) {
	servers.Need(t, "etcd", "kube-apiserver")
	dir := t.TempDir()
	o := options{n: 50, rounds: 2, pages: true, out: filepath.Join(dir, "readers.json"), binary: build(t, dir, ".", "./cmd/portcullis")}
	var out strings.Builder
	err := runAll(t.Context(), o, &out)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"all lists changed beside readers of the pages", "fleet page while all lists change: 95 % within", "fleet as JSON while all lists change: 95 % within",
		"all lists changed beside readers of the pages, without a pause", "fleet page, without a pause while all lists change: 95 % within"} {
		if got, told := rowOf(t, o.out, name); !told || got <= 0 {
			t.Errorf("%s: %g", name, got)
		}
	}
}

// TestMemoryHarness: so with what is held at rest.
func TestMemoryHarness(t *testing.T) {
	servers.Need(t, "etcd", "kube-apiserver")
	dir := t.TempDir()
	o := options{n: 50, rounds: 1, memory: true, pace: pace{repeats: 1, rests: time.Second}, out: filepath.Join(dir, "memory.json"), binary: build(t, dir, ".", "./cmd/portcullis")}
	var out strings.Builder
	err := runAll(t.Context(), o, &out)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"memory, steady: anonymous", "memory, steady: resident"} {
		if got, told := rowOf(t, o.out, name); told && got <= 0 { // not told where there is no /proc
			t.Errorf("%s: %g", name, got)
		}
	}
}

// build builds a command of a module into a folder.
func build(t *testing.T, dir, module, name string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.Base(name))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-C", module, "-o", path, name)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v: %s", name, err, out)
	}
	return path
}

func TestPeerAnswersEachLine(t *testing.T) {
	t.Parallel()
	p, err := startPeer(t.Context(), "nodes")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"a.yaml", "b.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("a: [1, 2]\n---\nb: {}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		a, err := p.ask(dir)
		if err != nil || a.Count != 2 || a.Seconds <= 0 {
			t.Errorf("got %+v, error %v", a, err)
		}
	}
	if _, err := p.ask(filepath.Join(dir, "missing")); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a job that failed: %v", err)
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
}

func TestRelayCountsBothWays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := servers.GitHTTPFor(t, dir)
	if err := server.Init(t.Context(), "a.git"); err != nil {
		t.Fatal(err)
	}
	r, err := startRelay(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	through := strings.Replace(server.CloneURL("a.git"), strings.TrimPrefix(server.URL, "http://"), strings.TrimPrefix(r.url(), "http://"), 1)
	if err := git(t.Context(), dir, "ls-remote", "--quiet", through); err != nil {
		t.Fatal(err)
	}
	if r.bytes.Load() < 200 {
		t.Errorf("%d bytes of two requests and their answers", r.bytes.Load())
	}
	if err := errors.Join(r.close(), r.close()); err != nil {
		t.Error(err)
	}
}

func TestChartHasALineForEach(t *testing.T) {
	t.Parallel()
	var tables []*table
	for _, n := range []int{100, 1000, 10_000} {
		tab := newTable(n)
		for _, p := range panels {
			unit := "s"
			if strings.Contains(p.work, "requests") {
				unit = "requests"
			}
			tab.against(p.against).compare(p.work, unit, []float64{0}, []float64{float64(2 * n)})
			tab.against("somebody else").compare(p.work, unit, []float64{7}, []float64{7})
		}
		tables = append(tables, tab)
	}
	l := linesOf(panels[0], tables)
	if len(l.ours) != 3 || l.ours[2] != (point{10_000, 1}) || l.reference[2] != (point{10_000, 20_001}) {
		t.Errorf("got %v", l)
	}
	svg := draw(tables)
	if got := strings.Count(svg, "<polyline"); got != 2*len(panels) {
		t.Errorf("%d lines, want %d:\n%s", got, 2*len(panels), svg)
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("what is no number is drawn:\n%s", svg)
	}
	if empty := draw([]*table{newTable(100)}); strings.Contains(empty, "<polyline") {
		t.Error("lines of nothing")
	}
}

func TestAxisIsLogarithmic(t *testing.T) {
	t.Parallel()
	a := axisOf([]float64{0, 100, 20_000})
	if a != (axis{2, 5}) || a.at(100) != 0 || a.at(0) != 0 || a.at(100_000) != 1 {
		t.Errorf("%+v: 100 at %g, 100,000 at %g", a, a.at(100), a.at(100_000))
	}
	if one := axisOf([]float64{10}); one != (axis{1, 2}) {
		t.Errorf("one value: %+v", one)
	}
}

func TestMemoryOfAProgramIsItsOwn(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("there is no /proc here")
	}
	large := make([]byte, 64<<20) // in this process
	for i := range large {
		large[i] = 1
	}
	u, err := runProgram(exec.CommandContext(t.Context(), "/bin/sh", "-c", "sleep 0.2"))
	if err != nil || u.highest <= 0 || u.highest > 32 {
		t.Errorf("a shell has %g MiB, error %v", u.highest, err)
	}
	runtime.KeepAlive(large)
	if _, err := runProgram(exec.CommandContext(t.Context(), "/bin/sh", "-c", "echo broken >&2; exit 3")); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a program that fails: %v", err)
	}
}

func TestRoundsOfPolls(t *testing.T) {
	t.Parallel()
	var asked []servers.Request
	for _, second := range []float64{0, 0.5, 10, 10.5, 11, 20.25, 20.5, 21, 30, 30.5, 30.75, 31} {
		asked = append(asked, servers.Request{Time: time.Unix(0, int64(second*1e9))})
	}
	got := roundsOf(asked, 5*time.Second) // neither the one cut off nor the one with a fourth
	if want := []time.Duration{time.Second, 750 * time.Millisecond}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
