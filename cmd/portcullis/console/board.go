package console

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
)

// board has the newest index that it pays to make. One is made beside the
// requests, and whoever asks meanwhile gets the one before; only one that is old,
// or the first ever, is waited for.
type board struct {
	// stamp is another value whenever the world may be another one; nil where
	// there is none to show here. world makes one.
	stamp func() any
	world func() World
	now   func() time.Time
	log   logr.Logger

	last atomic.Pointer[edition]

	mu     sync.Mutex
	flight chan struct{} // closed once the index that is made is there; nil: none is made
}

// edition is an index with what it was made for.
type edition struct {
	*index
	stamp any
	pause time.Duration // in which it counts, whatever happens

	narrow few[narrowed] // by scope
	turn   sync.Mutex    // held by who makes one of them
}

// narrowed is the index of limited viewers.
type narrowed struct {
	once sync.Once
	*index
}

// An index is made anew at most so often, and takes at most a twentieth of the
// time however large the seed is: the reconciler goes before. By itself, for
// the times in it, it is made anew only once in a while.
const (
	leastPause = time.Second
	timesPause = 20
	longest    = 15 * time.Second
)

// mostNarrow bounds the indexes of limited viewers that are kept.
const mostNarrow = 64

// get is the index for a viewer; nil where this replica has nothing to show.
func (b *board) get(s scope) *index {
	e := b.edition()
	if e == nil || s.all {
		if e == nil {
			return nil
		}
		return e.index
	}
	return e.of(s)
}

func (b *board) edition() *edition {
	stamp := b.stamp()
	if stamp == nil {
		return nil
	}
	e, now := b.last.Load(), b.now()
	if e.fresh(stamp, now, 0) {
		return e
	}
	made := b.start(e, stamp)
	if !e.fresh(stamp, now, e.grace()) {
		<-made
	}
	return b.last.Load()
}

// start has an index made, unless one is, or has been since the caller looked.
// The channel is closed once it is there.
func (b *board) start(seen *edition, stamp any) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.flight != nil {
		return b.flight
	}
	done := make(chan struct{})
	if b.last.Load() != seen {
		close(done)
		return done
	}
	b.flight = done
	go b.fly(stamp, done)
	return done
}

// fly makes an index. What goes wrong with it is not the reconciler's: it goes on,
// and so does the index before.
func (b *board) fly(stamp any, done chan<- struct{}) {
	defer func() {
		if problem := recover(); problem != nil {
			b.log.Error(fmt.Errorf("panic: %v", problem), "Cannot make what the pages show", "stack", string(debug.Stack()))
		}
		b.mu.Lock()
		b.flight = nil
		b.mu.Unlock()
		close(done)
	}()
	b.make(stamp)
}

func (b *board) make(stamp any) {
	began := b.now()
	world := b.world()
	var before *index
	if last := b.last.Load(); last != nil {
		before = last.index
	}
	x := newIndex(world.ready(), began, before)
	if before != nil && before.status.asked.Load() {
		_, _, _ = x.document() // who asks is told what is wrong with it
	}
	b.last.Store(&edition{index: x, stamp: stamp, pause: max(leastPause, timesPause*b.now().Sub(began))})
}

// fresh tells whether it is good enough to be shown, or was a moment ago.
func (e *edition) fresh(stamp any, now time.Time, grace time.Duration) bool {
	if e == nil {
		return false
	}
	age := now.Sub(e.made) - grace
	return age < e.pause || e.stamp == stamp && age < longest
}

// grace is for how long it is shown while the next one is made.
func (e *edition) grace() time.Duration {
	if e == nil {
		return 0
	}
	return e.pause
}

// of is the index of a limited viewer, made from a world of his own. Others wait
// for it only where theirs are not made either.
func (e *edition) of(s scope) *index {
	n := e.narrow.place(s.key(), mostNarrow)
	n.once.Do(func() {
		e.turn.Lock()
		defer e.turn.Unlock()
		n.index = newIndex(e.World.narrow(s), e.made, nil)
	})
	return n.index
}
