package forges_test

import (
	stdcontext "context"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// told is what a state remembers over a crash: the contents of final checks.
type told struct {
	mu     sync.Mutex
	hashes map[string]string
}

func (s *told) Delivered(_ stdcontext.Context, commit, hash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hashes == nil {
		s.hashes = map[string]string{}
	}
	s.hashes[commit] = hash
	return nil
}

// process is one after another crashed: it knows what the state knows, is
// offered some checks, and ends without a word once they are delivered.
func process(t *testing.T, c contender, state *told, checks ...forge.Check) {
	t.Helper()
	ctx, cancel := stdcontext.WithCancel(t.Context())
	defer cancel()
	box := forge.NewOutbox(c.open(t, nil), state, forge.Options{})
	state.mu.Lock()
	known := maps.Clone(state.hashes)
	state.mu.Unlock()
	for commit, hash := range known {
		box.Known(commit, "portcullis/eu-west", hash)
	}
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx) }()
	for _, check := range checks {
		box.Offer(check)
		for end := time.Now().Add(time.Minute); !box.Flushed(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("not delivered in a minute: %+v", check)
			}
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestCrashesLeaveTheNewestRight has one process after another take a commit
// from pending to its verdict and to another one: each crash repeats one status
// at most, final ones none, and what is newest is right, whatever the host makes
// of the same news told again.
func TestCrashesLeaveTheNewestRight(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		commit, state := c.Commit(), &told{}
		pending, good, bad := check(commit, forge.Pending, "applied"), check(commit, forge.Success, "in force"), check(commit, forge.Failure, "rejected")
		for _, step := range []struct {
			checks []forge.Check
			newest string
			most   int // statuses, with those that crashes repeated
		}{
			{[]forge.Check{pending}, "pending", 1},
			{[]forge.Check{pending}, "pending", 2},
			{[]forge.Check{pending, good}, "success", 4},
			{[]forge.Check{good}, "success", 4},
			{[]forge.Check{good, bad}, "failure", 5},
			{[]forge.Check{bad}, "failure", 5},
			{[]forge.Check{good}, "success", 6},
		} {
			process(t, c, state, step.checks...)
			equal(t, "newest", newest(t, c, commit).State, step.newest)
			if n := len(c.Statuses(commit)); n > step.most {
				t.Errorf("%d statuses, want %d at most: %+v", n, step.most, c.Statuses(commit))
			}
		}
	})
}

// TestFinalRefusalsAreNotTriedAgain: not by this process, and not by the next.
func TestFinalRefusalsAreNotTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, c contender) {
		state := &told{}
		process(t, c, state, check(gone, forge.Success, "x"), check(c.Commit(), forge.Success, "x"))
		c.Answer(says(500, "{}"))
		defer c.Answer(nil)
		process(t, c, state, check(gone, forge.Success, "x")) // would never be flushed if it were tried
	})
}
