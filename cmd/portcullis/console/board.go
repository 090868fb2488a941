package console

import (
	"sync"
	"sync/atomic"
	"time"
)

// board has the newest index that it pays to make. Whoever asks while one is
// made gets the one before; only the first ever is waited for.
type board struct {
	// stamp is another value whenever the world may be another one; nil where
	// there is none to show here. world makes one.
	stamp func() any
	world func() World
	now   func() time.Time

	mu   sync.Mutex // held by who makes an index
	last atomic.Pointer[edition]
}

// edition is an index with what it was made for.
type edition struct {
	*index
	stamp any
	pause time.Duration // in which it counts, whatever happens

	mu     sync.Mutex
	narrow map[string]*index // by scope
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
	e := b.last.Load()
	if e.fresh(stamp, b.now()) {
		return e
	}
	switch {
	case e == nil:
		b.mu.Lock()
	case !b.mu.TryLock():
		return e
	}
	defer b.mu.Unlock()
	if again := b.last.Load(); again != e && again.fresh(stamp, b.now()) {
		return again
	}
	return b.make(stamp)
}

func (b *board) make(stamp any) *edition {
	began := b.now()
	world := b.world()
	x := newIndex(world.ready(), began)
	e := &edition{index: x, stamp: stamp, pause: max(leastPause, timesPause*b.now().Sub(began)), narrow: map[string]*index{}}
	b.last.Store(e)
	return e
}

// fresh tells whether it is good enough to be shown.
func (e *edition) fresh(stamp any, now time.Time) bool {
	if e == nil {
		return false
	}
	age := now.Sub(e.made)
	return age < e.pause || e.stamp == stamp && age < longest
}

// of is the index of a limited viewer, made from a world of his own.
func (e *edition) of(s scope) *index {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := s.key()
	if x := e.narrow[key]; x != nil {
		return x
	}
	if len(e.narrow) >= mostNarrow {
		clear(e.narrow)
	}
	x := newIndex(e.World.narrow(s), e.made)
	e.narrow[key] = x
	return x
}
