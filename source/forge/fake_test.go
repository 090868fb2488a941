package forge_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

var errAway = errors.New("host is away")

// host is a scripted forge: what it answers is decided by a function, and what
// it took is kept in the order in which it came.
type host struct {
	mu      sync.Mutex
	answer  func(forge.Check) error
	calls   int
	tried   []forge.Check
	taken   []forge.Check
	times   []time.Time // of calls
	latency time.Duration
	before  func() // each call
}

func (h *host) Post(ctx context.Context, checks []forge.Check) []error {
	if h.latency > 0 {
		select {
		case <-time.After(h.latency):
		case <-ctx.Done():
			errs := make([]error, len(checks))
			for i := range errs {
				errs[i] = ctx.Err()
			}
			return errs
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.before != nil {
		h.before()
	}
	h.calls++
	h.times = append(h.times, time.Now())
	errs := make([]error, len(checks))
	for i, c := range checks {
		h.tried = append(h.tried, c)
		if h.answer != nil {
			errs[i] = h.answer(c)
		}
		if errs[i] == nil {
			h.taken = append(h.taken, c)
		}
	}
	return errs
}

func (h *host) answers(f func(forge.Check) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = f
}

func (h *host) titles() (titles []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.taken {
		titles = append(titles, c.Commit+" "+c.Title)
	}
	return titles
}

func (h *host) attempts() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.tried)
}

// delays are the times between calls.
func (h *host) delays() (delays []time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := 1; i < len(h.times); i++ {
		delays = append(delays, h.times[i].Sub(h.times[i-1]))
	}
	return delays
}

// books is a store that can be told to fail.
type books struct {
	mu   sync.Mutex
	fail int // how many more calls fail
	told []string
}

func (b *books) Delivered(_ context.Context, commit, hash string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail > 0 {
		b.fail--
		return errors.New("state is away")
	}
	b.told = append(b.told, commit+" "+hash)
	return nil
}

func check(commit string, state forge.State, title string) forge.Check {
	return forge.Check{Commit: commit, Context: "portcullis/eu-west", State: state, Title: title}
}

// bench runs an outbox in a bubble where time passes only as it is waited for.
func bench(t *testing.T, h *host, store forge.Store, opts forge.Options, f func(t *testing.T, box *forge.Outbox)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := forge.NewOutbox(h, store, opts)
		stop := start(t, box)
		f(t, box)
		stop()
	})
}

func start(t *testing.T, box *forge.Outbox) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- box.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

// flushed lets time pass until all is delivered, a day at most.
func flushed(t *testing.T, box *forge.Outbox) {
	t.Helper()
	for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); time.Sleep(time.Second) {
		synctest.Wait()
		if box.Flushed() {
			return
		}
	}
	t.Fatalf("not flushed within a day: %+v", box.Stats())
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}
