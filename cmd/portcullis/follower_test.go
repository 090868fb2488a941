package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

func newTestFollower(records ...apply.CommitRecord) (*follower, *int) {
	writes := 0
	return &follower{
		state: apply.SourceState{Name: "s", Commits: records},
		owed:  map[string][]string{}, arrived: map[string]string{},
		said: map[string]outcome.State{}, offered: map[string][]string{}, early: map[string]bool{}, verdicts: map[string]outcome.Verdict{},
		save: func(context.Context, apply.SourceState) error { writes++; return nil },
	}, &writes
}

// A check that arrives after its verdict was taken back, because the commit was
// approved meanwhile, must not count as the new verdict's.
func TestLateDeliveryOfATakenBackVerdict(t *testing.T) {
	t.Parallel()
	f, writes := newTestFollower(apply.CommitRecord{SHA: "k", Held: "rewinds"})
	held := forge.Check{Commit: "k", State: forge.Failure, Title: "held"}
	f.say(held, outcome.Failure, false)
	f.mu.Lock()
	f.forget("k")
	f.mu.Unlock()
	if err := f.Delivered(context.Background(), "k", held.Hash()); err != nil {
		t.Fatal(err)
	}
	if got := f.known().Commits[0]; got.Delivered != "" || *writes != 0 {
		t.Errorf("the record was settled: %+v, %d writes", got, *writes)
	}
	good := forge.Check{Commit: "k", State: forge.Success, Title: "in force"}
	f.say(good, outcome.Success, false)
	if err := f.Delivered(context.Background(), "k", good.Hash()); err != nil {
		t.Fatal(err)
	}
	if got := f.known().Commits[0]; got.Delivered != good.Hash() || got.State != "success" {
		t.Errorf("the record was not settled: %+v", got)
	}
}

// What is about to take the place of a check that was delivered is written down
// first. A process that begins before it is known to have arrived tells the commit
// again how it stands, be that what the state says was delivered: the host may
// have the other one.
func TestReopenedCheckIsStoredFirst(t *testing.T) {
	t.Parallel()
	good := forge.Check{Commit: "k", Context: "c", State: forge.Success, Title: "in force"}
	bad := forge.Check{Commit: "k", Context: "c", State: forge.Failure, Title: "rejected"}
	f, writes := newTestFollower(apply.CommitRecord{SHA: "k", Delivered: good.Hash(), State: string(outcome.Success)})
	tell := func(r *reconciler, c forge.Check) int {
		return len(r.storedFirst(t.Context(), f, []telling{{f.records()[0], outcome.Verdict{State: outcome.State(c.State)}, c}}))
	}
	again := func() (told, quiet bool) { // after a restart, that it is in force
		g, _ := newTestFollower(f.records()...)
		g.context, g.outbox = "c", forge.NewOutbox(nowhere{}, nil, forge.Options{})
		g.remind()
		g.outbox.Offer(good)
		return g.outbox.Stats().Undelivered == 1, g.quiet(g.records()[0], nil, time.Now())
	}
	if told, quiet := again(); tell(&reconciler{}, good) != 1 || *writes != 0 || told || !quiet {
		t.Errorf("what was delivered: %d writes, told again %v, quiet %v", *writes, told, quiet)
	}
	save := f.save
	f.save = func(context.Context, apply.SourceState) error { return apply.ErrConflict }
	if r := (&reconciler{}); tell(r, bad) != 0 || !r.unsaved || r.lost == nil {
		t.Error("it is told what cannot be written down")
	}
	f.save = save
	for range 2 { // it is under way when it is told again
		if tell(&reconciler{}, bad) != 1 {
			t.Error("what is another is not told")
		}
	}
	if tell(&reconciler{}, good) != 1 || *writes != 1 {
		t.Errorf("what is another: %d writes", *writes)
	}
	if told, quiet := again(); !told || quiet {
		t.Errorf("while it is on its way: told again %v, quiet %v", told, quiet)
	}
	for early, want := range map[outcome.State]int{outcome.Success: 0, outcome.Failure: 1} {
		g, writes := newTestFollower(apply.CommitRecord{SHA: "k", Delivered: good.Hash(), State: string(outcome.Success)})
		(&reconciler{}).storedFirst(t.Context(), g, []telling{{g.records()[0], outcome.Verdict{State: early, Early: true}, bad}})
		if *writes != want {
			t.Errorf("what will say more, and is a %s now: %d writes", early, *writes)
		}
	}
	for _, c := range []forge.Check{bad, good} {
		f.say(c, outcome.State(c.State), false)
		if err := f.Delivered(t.Context(), "k", c.Hash()); err != nil {
			t.Fatal(err)
		}
		if got := f.records()[0]; got.Delivered != c.Hash() || got.Sending != "" || got.State != string(c.State) {
			t.Errorf("%s arrived: %+v", c.Title, got)
		}
	}
}

// The commits that one superseded are told first: a restart in between would
// forget them.
func TestACommitIsSettledAfterThoseItSuperseded(t *testing.T) {
	t.Parallel()
	f, _ := newTestFollower(apply.CommitRecord{SHA: "new", Base: "old"})
	f.owe("new", []string{"between"})
	check := forge.Check{Commit: "new", State: forge.Success}
	f.say(check, outcome.Success, false)
	for _, step := range []struct {
		commit, hash string
		settled      bool
	}{{"new", check.Hash(), false}, {"between", "other", true}} {
		if err := f.Delivered(context.Background(), step.commit, step.hash); err != nil {
			t.Fatal(err)
		}
		if got := f.known().Commits[0].Delivered != ""; got != step.settled {
			t.Errorf("after %s: settled %v", step.commit, got)
		}
	}
}

func TestWaitIsBounded(t *testing.T) {
	t.Parallel()
	f, _ := newTestFollower()
	start, since := time.Unix(1000, 0), time.Time{}
	for _, step := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {time.Second, true}, {patience + time.Second, false}, {patience + 2*time.Second, true}} {
		if got := f.wait(&since, true, start.Add(step.after)); got != step.want {
			t.Errorf("after %s: got %v, want %v", step.after, got, step.want)
		}
	}
	if f.wait(&since, false, start) || !since.IsZero() {
		t.Error("waits for nothing")
	}
}

func TestTidy(t *testing.T) {
	t.Parallel()
	records := []apply.CommitRecord{{SHA: "told"}, {SHA: "sets", Clusters: []string{"x"}}, {SHA: "open"}, {SHA: "newest"}}
	for i := range records {
		if records[i].SHA != "open" {
			records[i].Delivered = "hash"
		}
	}
	for told, want := range map[bool]int{true: 3, false: 1} {
		if got := tidy(records, told); len(got) != want || got[len(got)-1].SHA != "newest" {
			t.Errorf("told %v: got %v", told, got)
		}
	}
}

// However many commits follow one that failed, its recovery is told as long as
// its list is the newest.
func TestFailureIsKeptUntilItRecovers(t *testing.T) {
	t.Parallel()
	records := []apply.CommitRecord{{SHA: "fails", Clusters: []string{"x"}, Delivered: "hash", State: string(outcome.Failure)},
		{SHA: "went well", Clusters: []string{"y"}, Delivered: "hash", State: string(outcome.Success)}}
	for i := range 3 * mostRecords {
		records = append(records, apply.CommitRecord{SHA: fmt.Sprint(i), Clusters: []string{fmt.Sprint(i)}, Delivered: "hash", State: string(outcome.Success)})
	}
	got := tidy(records, true)
	if len(got) != mostRecords+1 || got[0].SHA != "fails" {
		t.Errorf("%d are left, the first is %q", len(got), got[0].SHA)
	}
}

// A commit that is told something else time and again is no burden, and its
// newest word is the one that counts.
func TestWhatIsKnownOfAnOfferIsBounded(t *testing.T) {
	t.Parallel()
	f, _ := newTestFollower(apply.CommitRecord{SHA: "k"})
	checks := make([]forge.Check, 200)
	for i := range checks {
		checks[i] = forge.Check{Commit: "k", State: forge.Failure, Title: fmt.Sprint("word ", i)}
		f.say(checks[i], outcome.Failure, i%2 == 0)
		f.say(checks[0], outcome.Failure, false) // which is said in between
	}
	if len(f.said) != mostOffered || len(f.offered["k"]) != mostOffered || len(f.early) > mostOffered {
		t.Errorf("of 200 checks %d, %d, %d are known", len(f.said), len(f.offered["k"]), len(f.early))
	}
	if err := f.Delivered(t.Context(), "k", checks[0].Hash()); err != nil {
		t.Fatal(err)
	}
	if got := f.known().Commits[0].Delivered; got != checks[0].Hash() {
		t.Errorf("delivered is %q", got)
	}
}

// A failure that is told before the commit's other clusters are done takes no
// write of its own, and is not lost where nothing follows it after all.
func TestEarlyFailureIsWrittenDownWithWhatFollows(t *testing.T) {
	t.Parallel()
	first := forge.Check{Commit: "k", State: forge.Failure, Title: "broken"}
	for name, last := range map[string]forge.Check{
		"more follows":    {Commit: "k", State: forge.Failure, Title: "broken", Body: "x: Synced\n"},
		"nothing follows": first,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, writes := newTestFollower(apply.CommitRecord{SHA: "k"})
			f.say(first, outcome.Failure, true)
			if err := f.Delivered(context.Background(), "k", first.Hash()); err != nil {
				t.Fatal(err)
			}
			if *writes != 0 {
				t.Fatalf("%d writes before the commit's work is done", *writes)
			}
			there := f.say(last, outcome.Failure, false)
			if there != (last.Hash() == first.Hash()) {
				t.Errorf("said to be there already: %v", there)
			}
			if err := f.Delivered(context.Background(), "k", last.Hash()); err != nil {
				t.Fatal(err)
			}
			if got := f.known().Commits[0].Delivered; got != last.Hash() || *writes != 1 {
				t.Errorf("delivered is %q after %d writes", got, *writes)
			}
		})
	}
}

// A commit that was told success is asked about again once one of its clusters
// waits for another reason than it was told.
func TestQuiet(t *testing.T) {
	t.Parallel()
	record := apply.CommitRecord{SHA: "k", Clusters: []string{"x"}, Delivered: "hash", State: string(outcome.Success)}
	now := time.Unix(10_000, 0)
	for name, c := range map[string]struct {
		state apply.ClusterState
		want  bool
	}{
		"waits for KKP, as it was told": {apply.ClusterState{State: apply.Waiting}, true},
		"is exposed otherwise by now":   {apply.ClusterState{State: apply.Waiting, Unsupported: true}, false},
		"waits no longer":               {apply.ClusterState{State: apply.Synced}, false},
		"is fought over":                {apply.ClusterState{State: apply.Contested}, false},
		"is late on its way again":      {apply.ClusterState{State: apply.Applied, Since: now.Add(-time.Minute)}, false},
		"was put back a moment ago":     {apply.ClusterState{State: apply.Applied, Since: now}, true},
		"is late, another one waits":    {apply.ClusterState{State: apply.Held, Beneath: apply.Applied, Since: now.Add(-time.Minute)}, false},
		"is kept by hand":               {apply.ClusterState{State: apply.Held, ByHand: true}, false},
	} {
		f, _ := newTestFollower(record)
		f.waiting = map[string]int{"k": 1}
		f.conf.Checks.Deadline = time.Minute
		if c.state.State == apply.Applied || c.state.State == apply.Held {
			f.waiting = nil
		}
		if got := f.quiet(record, map[string]apply.ClusterState{"x": c.state}, now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Holds that a rewind finds are of the head that it leads to.
func TestHoldsOfARewind(t *testing.T) {
	t.Parallel()
	before := []apply.TenantHold{{Tenant: "acme", Commit: "gone", Clusters: 3}, {Commit: "gone"}}
	after := heldOf(before, "head")
	if after[0].Commit != "head" || after[1].Commit != "head" || after[0].Tenant != "acme" || before[0].Commit != "gone" {
		t.Errorf("%+v, were %+v", after, before)
	}
}
