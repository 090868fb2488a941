package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render"
)

// What follows from the objects is not written down; what stands besides is,
// and comes back as it was.
func TestWhatStandsIsWrittenDown(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	stands := &apply.Standing{UID: "uid-1", Foreign: &apply.Foreign{Writer: "kubermatic-api", Wrote: "had removed the list", At: since, Count: 1}}
	claim := render.Claim{Source: "s", Tenant: "acme"}
	plan := &render.Plan{Clusters: map[string]*render.Wanted{
		"quiet": {Claim: claim, Access: render.Restricted}, "foreign": {Claim: claim, Access: render.Restricted},
		"fought": {Claim: claim, Access: render.Restricted}, "open": {Claim: claim, Access: render.Open},
		"other": {Claim: render.Claim{Source: "another"}, Access: render.Restricted},
	}}
	synced := apply.ClusterState{State: apply.Synced, Message: "handed to azure", Since: since}
	withForeign := synced
	withForeign.Standing = stands
	f, _ := newTestFollower()
	f.conf.Name = "s"
	got := f.deviations(plan, map[string]apply.ClusterState{"quiet": synced, "foreign": withForeign, "open": synced, "other": withForeign,
		"fought": {State: apply.Contested, Message: "again and again", Since: since, Standing: stands}})
	want := map[string]apply.Deviation{
		"foreign": {Tenant: "acme", Standing: stands},
		"fought":  {State: apply.Contested, Message: "again and again", Since: since, Tenant: "acme", Standing: stands},
		"open":    {State: apply.Synced, Message: "handed to azure", Since: since, Tenant: "acme"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]apply.Deviation
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, got) {
		t.Errorf("it comes back as %+v: %v", back, err)
	}
	byHand := apply.Standing{UID: "uid-2", ByHand: &apply.ByHand{Start: since}}
	left := standing(map[string]apply.SourceState{"s": {Deviations: back}, "r": {Resting: map[string]apply.Standing{"fought": byHand, "rests": byHand}}})
	if len(left) != 3 || !reflect.DeepEqual(left["fought"], *stands) || !reflect.DeepEqual(left["rests"], byHand) {
		t.Errorf("a restart is left %+v", left)
	}
}

// A whole seed that is found fault with is not a write for each cluster; what
// came of it is written down all the same.
func TestWhatStandsIsWrittenNowAndThen(t *testing.T) {
	t.Parallel()
	f, _ := newTestFollower()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	stands := func(writer string) map[string]apply.Deviation {
		return map[string]apply.Deviation{"x": {Standing: &apply.Standing{Foreign: &apply.Foreign{Writer: writer}}}}
	}
	f.savedAt, f.state.Deviations = now, stands("a")
	for _, c := range []struct {
		after  time.Duration
		latest map[string]apply.Deviation
		want   bool
	}{
		{time.Second, stands("a"), false}, // nothing to write
		{time.Second, stands("b"), true},
		{apart - time.Second, nil, true},
		{apart, stands("b"), false},
		{-time.Hour, stands("b"), false}, // the clock was set back
		{time.Second, map[string]apply.Deviation{"x": {State: apply.Contested}}, false}, // states are not kept waiting
	} {
		f.latest = &observation{deviations: c.latest}
		if got := f.tooSoon(now.Add(c.after)); got != c.want || got == f.saveAt.IsZero() {
			t.Errorf("after %s with %v: %v, at %s", c.after, c.latest, got, f.saveAt)
		}
	}
}

func TestTableShowsTheWorstFirstAndNotesLast(t *testing.T) {
	t.Parallel()
	s := &status{console.Status{Clusters: []apply.Observed{{ID: "a", State: apply.Synced}, {ID: "b", State: apply.Held}, {ID: "c", State: apply.Contested}}}}
	for _, name := range []string{"one", "two"} { // of one seed: the same notices
		s.Add(apply.SourceState{Name: name, Notices: []string{"a way \x1b around"}}, time.Now())
	}
	var out bytes.Buffer
	if err := s.table(&out, tableOptions{name: ownName}, time.Now()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var first []string
	for _, line := range lines {
		first = append(first, strings.Fields(line)[0])
	}
	if got := strings.Join(first, " "); got != "seed source source CLUSTER c b a note:" {
		t.Errorf("got %s:\n%s", got, out.String())
	}
	if !strings.HasSuffix(out.String(), "note: a way \\x1b around\n") {
		t.Errorf("the note: %q", lines[len(lines)-1])
	}
}
