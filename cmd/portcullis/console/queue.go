package console

import (
	"context"
	"sync"
	"time"
)

// queue is where those wait who have lists judged, which takes as much time as
// there is in the lists, and cannot be broken off. A limited viewer has one place
// of it at a time, and few to wait in: what he sends keeps others waiting for one
// judgement, and takes the reconciler one core, however often he sends it.
type queue struct {
	places chan struct{}

	mu   sync.Mutex
	line map[string]*line // by scope; those who wait or are judged
}

type line struct {
	turn chan struct{}
	n    int
}

const (
	// mostHeavy bounds the judgements at once, mostInLine those of one limited
	// scope that wait, with the one that is made.
	mostHeavy, mostInLine = 2, 8
	// mostWait bounds the wait for one, with the time in which Git is read for it.
	mostWait = 20 * time.Second
)

func newQueue() *queue {
	return &queue{places: make(chan struct{}, mostHeavy), line: map[string]*line{}}
}

// enter waits for a place, which leave gives back. The context that it answers
// ends with the place.
func (q *queue) enter(ctx context.Context, s scope) (_ context.Context, leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, mostWait)
	next, err := q.inLine(ctx, s)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	select {
	case q.places <- struct{}{}:
		return ctx, func() { <-q.places; next(); cancel() }, nil
	case <-ctx.Done():
		next()
		cancel()
		return nil, nil, errLate
	}
}

// inLine waits until the others of a limited scope have had their turn.
func (q *queue) inLine(ctx context.Context, s scope) (next func(), err error) {
	if s.all {
		return func() {}, nil
	}
	l := q.join(s.key())
	if l == nil {
		return nil, errBusy
	}
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn; q.part(s.key()) }, nil
	case <-ctx.Done():
		q.part(s.key())
		return nil, errLate
	}
}

// join answers nil where the line is full.
func (q *queue) join(key string) *line {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.line[key]
	if l == nil {
		l = &line{turn: make(chan struct{}, 1)}
		q.line[key] = l
	}
	if l.n == mostInLine {
		return nil
	}
	l.n++
	return l
}

func (q *queue) part(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.line[key].n--; q.line[key].n == 0 {
		delete(q.line, key)
	}
}
