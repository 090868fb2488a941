package main

import (
	"runtime"
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
		{1, false}, {15, false},
		{40, false}, // a commit
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
