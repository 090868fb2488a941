package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// registry is the API server as the lease sees it.
type registry struct {
	mu      sync.Mutex
	version int
	written time.Time
	record  *resourcelock.LeaderElectionRecord
}

// line is a replica's way to the API server: what is asked while it is cut
// waits for the end of its context, and what is answered while it is mute takes
// effect without the answer coming back.
type line struct {
	registry  *registry
	id        string
	seen      int // version
	timeout   time.Duration
	mu        sync.Mutex
	cut, mute bool
}

func (l *line) set(cut, mute bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut, l.mute = cut, mute
}

func (l *line) ask(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	l.mu.Lock()
	cut, mute := l.cut, l.mute
	l.mu.Unlock()
	if cut {
		<-ctx.Done()
		return ctx.Err()
	}
	l.registry.mu.Lock()
	err := do()
	l.registry.mu.Unlock()
	if mute {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (l *line) Get(ctx context.Context) (record *resourcelock.LeaderElectionRecord, raw []byte, err error) {
	version := 0
	err = l.ask(ctx, func() error {
		if l.registry.record == nil {
			return apierrors.NewNotFound(schema.GroupResource{}, leaseName)
		}
		copied := *l.registry.record
		record, version = &copied, l.registry.version
		raw, err = json.Marshal(copied)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	l.seen = version
	return record, raw, nil
}

func (l *line) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	return l.Update(ctx, r)
}

func (l *line) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	version := 0
	err := l.ask(ctx, func() error {
		if l.registry.version != l.seen {
			return apierrors.NewConflict(schema.GroupResource{}, leaseName, nil)
		}
		l.registry.version++
		l.registry.written = time.Now()
		l.registry.record, version = &r, l.registry.version
		return nil
	})
	if err == nil { // else it is not known
		l.seen = version
	}
	return err
}

func (l *line) RecordEvent(string) {}
func (l *line) Identity() string   { return l.id }
func (l *line) Describe() string   { return leaseName }

// replica takes part in the election once; a process would start anew.
type replica struct {
	tenure  *tenure
	line    *line
	ended   chan struct{} // when the process would have ended
	began   chan struct{}
	release context.CancelFunc // a clean end
}

func enter(t *testing.T, registry *registry, id string) *replica {
	t.Helper()
	times := leaseOf(usualLease)
	ctx, cancel := context.WithCancel(logr.NewContext(t.Context(), logr.Discard()))
	r := &replica{tenure: newTenure(times.term()), ended: make(chan struct{}), began: make(chan struct{}), release: cancel,
		line: &line{registry: registry, id: id, timeout: times.renew / 2}}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:          &leaseLock{Interface: r.line, term: r.tenure, log: logr.Discard()},
		LeaseDuration: times.lease, RenewDeadline: times.renew, RetryPeriod: times.retry, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(r.began) },
			OnStoppedLeading: func() { close(r.ended) },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	go elector.Run(ctx)
	return r
}

// TestOldLeaderStopsBeforeANewOneBegins cuts the leader off: what it has under
// way is cancelled, and the process ends, before a standby takes the lease.
func TestOldLeaderStopsBeforeANewOneBegins(t *testing.T) {
	t.Parallel()
	for name, mute := range map[string]bool{"requests are lost": false, "answers are lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				registry := &registry{}
				old := enter(t, registry, "old")
				<-old.began
				next := enter(t, registry, "next")
				time.Sleep(time.Minute)
				if errors.Is(next.tenure.leads(), nil) || old.tenure.leads() != nil {
					t.Fatal("the first is not the leader, or not the only one")
				}
				write, cancel := old.tenure.bound(t.Context())
				defer cancel()
				old.line.set(!mute, mute)
				<-old.ended
				registry.mu.Lock()
				renewed := registry.written
				registry.mu.Unlock()
				if took := time.Since(renewed); took >= usualLease { // in the bubble's time
					t.Errorf("the old leader's process ended %s after the last renewal", took)
				}
				<-next.began
				if old.tenure.leads() == nil || !errors.Is(context.Cause(write), errTermOver) {
					t.Errorf("the old leader goes on: %v, its write: %v", old.tenure.leads(), context.Cause(write))
				}
				next.release()
				<-next.ended
			})
		})
	}
}

// TestCleanEndHandsOverAtOnce has a leader end as it was asked to: its term is
// over before the next one's begins, which is long before the lease ends.
func TestCleanEndHandsOverAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := &registry{}
		old := enter(t, registry, "old")
		<-old.began
		next := enter(t, registry, "next")
		time.Sleep(time.Minute)
		before := time.Now()
		old.release()
		<-next.began
		if !errors.Is(old.tenure.leads(), errTermOver) {
			t.Errorf("the old leader's term: %v", old.tenure.leads())
		}
		if took := time.Since(before); took > usualLease/3 { // in the bubble's time
			t.Errorf("it took %s", took)
		}
		next.release()
		<-next.ended
	})
}

// TestNeverTwoLeaders has replicas cut off, muted, ended and started at random;
// at no moment two of them lead, and once all is well one does.
func TestNeverTwoLeaders(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { fight(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func fight(t *testing.T, random *rand.Rand) {
	registry := &registry{}
	var all []*replica
	led := map[*replica]bool{}
	look := func(step int) {
		synctest.Wait() // nothing goes on while they are looked at
		var leaders []string
		for _, r := range all {
			if r.tenure.leads() == nil {
				leaders = append(leaders, r.line.id)
				led[r] = true
			}
		}
		if len(leaders) > 1 {
			t.Errorf("step %d: %v lead", step, leaders)
		}
	}
	for step := range 1000 {
		alive := slices.DeleteFunc(slices.Clone(all), func(r *replica) bool {
			select {
			case <-r.ended:
				return true
			default:
				return false
			}
		})
		if len(alive) < 3 {
			all = append(alive, enter(t, registry, fmt.Sprint(step)))
			continue
		}
		switch r := alive[random.IntN(len(alive))]; random.IntN(12) {
		case 0:
			r.line.set(true, false)
		case 1:
			r.line.set(false, true)
		case 2, 3, 4, 5:
			r.line.set(false, false)
		case 6:
			if random.IntN(10) == 0 {
				r.release()
			}
		}
		for range 1 + random.IntN(30) {
			time.Sleep(100 * time.Millisecond)
			look(step)
		}
	}
	for _, r := range all {
		r.line.set(false, false)
	}
	time.Sleep(time.Minute)
	look(-1)
	if len(led) < 3 {
		t.Errorf("only %d have led", len(led))
	}
	for _, r := range all {
		r.release()
		<-r.ended
	}
}

// TestLeaseOfAnotherIsNotGivenBack: the elector believes that it leads.
func TestLeaseOfAnotherIsNotGivenBack(t *testing.T) {
	t.Parallel()
	registry := &registry{record: &resourcelock.LeaderElectionRecord{HolderIdentity: "next"}}
	lock := &leaseLock{Interface: &line{registry: registry, id: "old", timeout: time.Minute}, term: newTenure(time.Minute), log: logr.Discard()}
	if _, _, err := lock.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{}); err == nil || registry.record.HolderIdentity != "next" {
		t.Errorf("it was given back: %v, %+v", err, registry.record)
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestOnlyTheLeaderWrites holds the seed's connection, and what is posted, to
// the term: before it, in it, at its end in the middle of a request, and after.
func TestOnlyTheLeaderWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		term := newTenure(time.Minute)
		hold := false
		guarded := term.transport(tripper(func(r *http.Request) (*http.Response, error) {
			if hold {
				<-r.Context().Done()
				return nil, context.Cause(r.Context())
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("done"))}, nil
		}))
		ask := func(method string) error {
			request, err := http.NewRequestWithContext(t.Context(), method, "https://seed.example/", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			response, err := guarded.RoundTrip(request)
			if err != nil {
				return err
			}
			text, err := io.ReadAll(response.Body)
			if string(text) != "done" {
				t.Errorf("%s: the answer is %q", method, text)
			}
			return errors.Join(err, response.Body.Close())
		}
		posts := term.posts(posting(func(ctx context.Context) error {
			if hold {
				<-ctx.Done()
			}
			return context.Cause(ctx)
		}))
		post := func() error { return errors.Join(posts.Post(t.Context(), make([]forge.Check, 2))...) }
		expect := func(when string, want error) {
			t.Helper()
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				if err := ask(method); !errors.Is(err, want) {
					t.Errorf("%s, %s: %v", when, method, err)
				}
			}
			if err := post(); !errors.Is(err, want) {
				t.Errorf("%s, posts: %v", when, err)
			}
			if err := ask(http.MethodGet); err != nil && !hold {
				t.Errorf("%s, reads: %v", when, err)
			}
		}
		expect("before", errNotLeading)
		if err := term.renewed(time.Now()); err != nil {
			t.Fatal(err)
		}
		expect("in the term", nil)
		time.Sleep(50 * time.Second)
		if err := term.renewed(time.Now().Add(-10 * time.Second)); err != nil { // as it was sent
			t.Fatal(err)
		}
		time.Sleep(45 * time.Second)
		expect("in the term, prolonged", nil)
		hold = true
		results := make(chan error, 2)
		go func() { results <- ask(http.MethodPatch) }()
		go func() { results <- post() }()
		time.Sleep(10 * time.Second)
		for range 2 {
			if err := <-results; !errors.Is(err, errTermOver) {
				t.Errorf("what was under way: %v", err)
			}
		}
		hold = false
		expect("after", errTermOver)
		if err := term.renewed(time.Now()); !errors.Is(err, errTermOver) {
			t.Errorf("it was renewed after its end: %v", err)
		}
		term = newTenure(0)
		guarded, posts = term.transport(guarded.(*inTerm).next), term.posts(posts.(*postsInTerm).Forge)
		expect("without an election", nil)
	})
}

type posting func(context.Context) error

func (f posting) Post(ctx context.Context, checks []forge.Check) []error {
	return slices.Repeat([]error{f(ctx)}, len(checks))
}

func TestLeaseDurations(t *testing.T) {
	t.Parallel()
	for d, good := range map[time.Duration]bool{0: false, -15 * time.Second: false, 4 * time.Second: false, 5 * time.Second: true,
		15 * time.Second: true, 5500 * time.Millisecond: false, time.Hour: true} {
		if err := leaseOf(d).usable(); (err == nil) != good {
			t.Errorf("%s: %v", d, err)
		}
	}
	if got := leaseOf(time.Hour); got != (timing{time.Hour, 40 * time.Minute, 2 * time.Second}) {
		t.Errorf("%+v", got)
	}
	if got := leaseOf(usualLease); got != (timing{15 * time.Second, 10 * time.Second, 2 * time.Second}) || got.term() != 13*time.Second {
		t.Errorf("%+v, %s", got, got.term())
	}
}
