package console

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// empty is a world with nothing in it but its version.
func empty(version string) World {
	return World{Version: version, Plan: &render.Plan{}, Policy: &policy.Policy{}}
}

// While an index is made, nobody waits for it who can have the one before, and
// nobody else makes one; only what is old is waited for.
func TestReadersDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int64
		takes := make(chan string)
		stamp := 0
		b := &board{stamp: func() any { return stamp }, now: time.Now, log: logr.Discard(), world: func() World { made.Add(1); return empty(<-takes) }}
		ask := func() <-chan string {
			answer := make(chan string, 1)
			go func() { answer <- b.get(everything()).Version }()
			synctest.Wait()
			return answer
		}
		first, second := ask(), ask()
		if len(first) > 0 || len(second) > 0 || made.Load() != 1 {
			t.Fatalf("the first is not waited for, or made %d times", made.Load())
		}
		takes <- "a"
		if <-first != "a" || <-second != "a" {
			t.Fatal("another one is shown")
		}
		stamp++
		time.Sleep(leastPause)
		for range 3 {
			if answer := ask(); len(answer) == 0 || <-answer != "a" {
				t.Fatal("a reader waits, or is shown something else")
			}
		}
		time.Sleep(leastPause)
		late := ask()
		if len(late) > 0 || made.Load() != 2 {
			t.Fatalf("what is old is shown, or %d were made", made.Load())
		}
		takes <- "b"
		if v := <-late; v != "b" {
			t.Fatalf("%s is shown", v)
		}
	})
}

// Whatever goes wrong with an index, the process goes on, the one before is shown
// and the next is tried.
func TestIndexPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stamp, fails := 0, false
		b := &board{stamp: func() any { return stamp }, now: time.Now, log: logr.Discard(), world: func() World {
			if fails {
				panic("no world")
			}
			return empty(string(rune('a' + stamp)))
		}}
		for i, want := range []string{"a", "a", "c"} {
			stamp, fails = i, i == 1
			if x := b.get(everything()); x == nil || x.Version != want {
				t.Fatalf("step %d: %v", i, x)
			}
			time.Sleep(time.Minute)
		}
	})
}

// No more is made at once than there are slots; who waits too long is told to
// come again.
func TestSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := make(slots, 1)
		leave, err := s.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := s.enter(t.Context()); err != errBusy || time.Since(began) != mostPatience {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		entered := make(chan error)
		go func() {
			next, err := s.enter(t.Context())
			entered <- err
			next()
		}()
		synctest.Wait()
		leave()
		if err := <-entered; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if len(s) != 0 {
			t.Errorf("%d slots are not given back", len(s))
		}
	})
}
