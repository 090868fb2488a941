package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestMemoryIsGivenBackOnceAfterEachBurst(t *testing.T) {
	t.Parallel()
	const mebibyte = 1 << 20
	var r rester
	var total uint64
	for i, step := range []struct {
		mebibytes uint64
		want      bool
	}{
		{300, false}, // the first list of the seed
		{200, false},
		{1, true}, // at rest
		{1, false}, {60, false},
		{90, false}, // a commit
		{2, true},
		{2, false},
	} {
		total += step.mebibytes * mebibyte
		if got := r.due(total); got != step.want {
			t.Errorf("step %d, after %d MiB: %v", i, step.mebibytes, got)
		}
	}
}

func TestAllocatedCountsWhatIsFreedToo(t *testing.T) {
	t.Parallel()
	before := allocated()
	large := make([]byte, 32<<20)
	runtime.KeepAlive(large)
	if got := allocated() - before; got < 32<<20 {
		t.Errorf("%d bytes were allocated, and no more than %d counted", 32<<20, got)
	}
}

func TestGarbageIsCollectedSoonerAtRest(t *testing.T) {
	usual := debug.SetGCPercent(100)
	defer debug.SetGCPercent(usual)
	c := newCollector()
	for _, step := range []struct {
		do   func()
		want uint64
	}{{c.rest, atRest}, {c.rest, atRest}, {c.work, 100}, {c.work, 100}, {c.rest, atRest}} {
		if step.do(); read("/gc/gogc:percent") != step.want {
			t.Errorf("%d %% of garbage, and not %d", read("/gc/gogc:percent"), step.want)
		}
	}
}

func TestGarbageIsCollectedAsGOGCSays(t *testing.T) {
	usual := debug.SetGCPercent(100)
	defer debug.SetGCPercent(usual)
	for _, percent := range []int{-1, 10} {
		debug.SetGCPercent(percent)
		before, c := read("/gc/gogc:percent"), newCollector()
		c.rest()
		c.work()
		if after := read("/gc/gogc:percent"); after != before {
			t.Errorf("GOGC is %d, and then %d", before, after)
		}
	}
}
