package console

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A limited viewer who sends more than can be judged keeps a place free for
// others, and is refused once his line is full.
func TestQueueIsFair(t *testing.T) {
	t.Parallel()
	q, acme, globex := newQueue(), onlyProjects([]string{"acme"}), onlyProjects([]string{"globex"})
	_, leave, err := q.enter(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	late := make(chan error)
	for range mostInLine - 1 {
		go func() {
			_, _, err := q.enter(ctx, acme)
			late <- err
		}()
	}
	length := func() int {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.line[acme.key()].n
	}
	for deadline := time.Now().Add(10 * time.Second); length() < mostInLine && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if _, _, err := q.enter(ctx, acme); !errors.Is(err, errBusy) {
		t.Errorf("a full line: %v", err)
	}
	_, other, err := q.enter(t.Context(), globex)
	if err != nil {
		t.Fatalf("others have no place: %v", err)
	}
	cancel()
	for range mostInLine - 1 {
		if err := <-late; !errors.Is(err, errLate) {
			t.Errorf("who waits in vain: %v", err)
		}
	}
	if _, _, err := q.enter(ctx, everything()); !errors.Is(err, errLate) {
		t.Errorf("no place is free: %v", err)
	}
	other()
	leave()
	if len(q.line) > 0 || len(q.places) > 0 {
		t.Errorf("%d lines and %d places are left", len(q.line), len(q.places))
	}
	if _, leave, err = q.enter(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	leave()
}
