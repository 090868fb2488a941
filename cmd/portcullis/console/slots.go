package console

import (
	"context"
	"runtime"
	"time"
)

// slots bound what is made for requests at once: all processors but one, so that
// the reconciler has that one, whoever reads. What waits for other things, and
// what only sends bytes that are there, takes none.
type slots chan struct{}

// mostPatience is how long a request waits for a slot before it is refused.
const mostPatience = 2 * time.Second

func newSlots() slots { return make(slots, max(1, runtime.GOMAXPROCS(0)-1)) }

// enter waits for a slot, which leave gives back.
func (s slots) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-s }
	select {
	case s <- struct{}{}:
		return leave, nil
	default:
	}
	late := time.NewTimer(mostPatience)
	defer late.Stop()
	select {
	case s <- struct{}{}:
		return leave, nil
	case <-late.C:
		return nil, errBusy
	case <-ctx.Done():
		return nil, errLate
	}
}

// brief has a page made in a slot, all of it.
func (h *Handler) brief(page func(*request) (answer, error)) func(*request) (answer, error) {
	return func(q *request) (answer, error) {
		leave, err := h.slots.enter(q.Context())
		if err != nil {
			return answer{}, err
		}
		defer leave()
		a, err := page(q)
		if err == nil {
			err = h.render(&a, q)
		}
		return a, err
	}
}
