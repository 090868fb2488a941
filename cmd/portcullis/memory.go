package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The reconciler works in bursts: it lists a seed, judges a commit, writes
// thousands of lists, and then does next to nothing for hours. Go keeps what a
// burst took for the next one, as much again as what is alive; here it is given
// back once there is quiet.

const (
	// looksEvery is how often the process looks at what it has allocated.
	looksEvery = 10 * time.Second
	// quiet is what it may allocate in that time and still be at rest: polls do
	// not take as much.
	quiet = 16 << 20
)

// rester decides when memory is given back: once after each burst.
type rester struct {
	before uint64 // bytes allocated since the start
	given  bool
}

// due tells whether to give memory back, by the bytes allocated since the
// process began.
func (r *rester) due(allocated uint64) bool {
	burst := allocated-r.before > quiet
	r.before = allocated
	if burst || r.given {
		r.given = r.given && !burst
		return false
	}
	r.given = true
	return true
}

// giveBack gives memory back to the system, whenever there is quiet after a
// burst, until ctx ends. It costs one collection, of what is alive.
func giveBack(ctx context.Context) error {
	again := time.NewTicker(looksEvery)
	defer again.Stop()
	var r rester
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
			if r.due(allocated()) {
				debug.FreeOSMemory()
			}
		}
	}
}

// allocated is how many bytes were allocated since the process began.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
