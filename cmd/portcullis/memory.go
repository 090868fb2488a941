package main

import (
	"context"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The reconciler works in bursts: it lists a seed, judges a commit, writes
// thousands of lists, and then does next to nothing for hours. Go keeps what a
// burst took for the next one, as much again as what is alive; here it is given
// back once there is quiet, and garbage is collected sooner until there is work
// again: then it costs the time in which lists wait.

const (
	// looksEvery is how often the process looks at what it has allocated.
	looksEvery = 10 * time.Second
	// quiet is what it may allocate in that time and still be at rest: ten polls,
	// one a second, of a seed with 10,000 clusters take 1 MiB; a commit there
	// takes hundreds.
	quiet = 64 << 20
	// atRest is how much garbage may gather, in percent of what is alive, while
	// there is nothing to do but poll.
	atRest = 20
)

// rester decides when memory is given back: once after each burst.
type rester struct {
	before uint64 // bytes allocated since the start
	given  bool
	busy   bool // there was a burst when it was last looked
}

// due tells whether to give memory back, by the bytes allocated since the
// process began.
func (r *rester) due(allocated uint64) bool {
	r.busy = allocated-r.before > quiet
	r.before = allocated
	if r.busy || r.given {
		r.given = r.given && !r.busy
		return false
	}
	r.given = true
	return true
}

// collector says how much garbage may gather; of a nil one nobody says anything.
// Where GOGC is set to less than at rest, or off, it stays so.
type collector struct {
	usual int // percent of what is alive, as Go takes GOGC
}

func newCollector() *collector {
	usual := read("/gc/gogc:percent")
	if usual <= atRest || usual > math.MaxInt32 { // off
		return nil
	}
	return &collector{int(usual)}
}

// work is said before there is something to do.
func (c *collector) work() {
	if c != nil {
		debug.SetGCPercent(c.usual)
	}
}

func (c *collector) rest() {
	if c != nil {
		debug.SetGCPercent(atRest)
	}
}

// giveBack gives memory back to the system, whenever there is quiet after a
// burst, until ctx ends. It costs one collection, of what is alive.
func (c *collector) giveBack(ctx context.Context) error {
	again := time.NewTicker(looksEvery)
	defer again.Stop()
	var r rester
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
			due := r.due(allocated())
			if r.busy {
				c.work()
				continue
			}
			c.rest()
			if due {
				debug.FreeOSMemory()
			}
		}
	}
}

// allocated is how many bytes were allocated since the process began.
func allocated() uint64 { return read("/gc/heap/allocs:bytes") }

// read is one of Go's own measures (runtime/metrics).
func read(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
