package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// measured runs a commit's way through a series of states, and answers what
// was noted after each.
type measured struct {
	f    *follower
	took []time.Duration
	now  time.Time
}

func newMeasured() *measured {
	m := &measured{f: &follower{conf: policy.Source{Name: "customers"}, head: "k"}, now: time.Date(2031, 1, 1, 12, 0, 0, 0, time.UTC)}
	m.f.found = m.now
	return m
}

func (m *measured) after(d time.Duration, states ...apply.State) []time.Duration {
	m.now = m.now.Add(d)
	all := map[string]apply.ClusterState{}
	for i, s := range states {
		all[string(rune('a'+i))] = apply.ClusterState{State: s}
	}
	m.f.arrivedAt(m.now, all, func(_ string, took time.Duration) { m.took = append(m.took, took) })
	return m.took
}

func TestPushToApplied(t *testing.T) {
	t.Parallel()
	second := []time.Duration{2 * time.Second}
	for name, c := range map[string]struct {
		set         []string
		held        bool
		head        string
		first, last []apply.State // after one second, and two
		want        []time.Duration
	}{
		"to the last cluster":     {set: []string{"a", "b"}, head: "k", first: []apply.State{apply.Synced, apply.Pending}, last: []apply.State{apply.Synced, apply.Applied}, want: second},
		"as far as it can":        {set: []string{"a", "b"}, head: "k", first: []apply.State{apply.Pending, apply.Rejected}, last: []apply.State{apply.Applied, apply.Rejected}, want: second},
		"a cluster that vanished": {set: []string{"a", "b"}, head: "k", first: []apply.State{apply.Pending}, last: []apply.State{apply.Applied}, want: second},
		"nothing could be done":   {set: []string{"a"}, head: "k", first: []apply.State{apply.Pending}, last: []apply.State{apply.Held}},
		"held before":             {set: []string{"a"}, held: true, head: "k", first: []apply.State{apply.Pending}, last: []apply.State{apply.Synced}},
		"not the head by now":     {set: []string{"a"}, head: "other", first: []apply.State{apply.Pending}, last: []apply.State{apply.Synced}},
		"sets nothing":            {head: "k", first: []apply.State{apply.Synced}, last: []apply.State{apply.Synced}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMeasured()
			m.f.setOut(c.head, c.set, c.held)
			if got := m.after(time.Second, c.first...); len(got) > 0 {
				t.Errorf("measured too early: %s", got)
			}
			if got := m.after(time.Second, c.last...); !reflect.DeepEqual(got, c.want) {
				t.Errorf("took %s, not %s", got, c.want)
			}
			if m.after(time.Second, c.last...); len(m.took) != len(c.want) {
				t.Errorf("measured again: %s", m.took)
			}
		})
	}
}

// A list that a newer commit sets is measured with that one alone.
func TestPushToAppliedOfSeveralCommits(t *testing.T) {
	t.Parallel()
	m := newMeasured()
	m.f.setOut("k", []string{"a", "b"}, false)
	m.after(time.Second, apply.Pending, apply.Pending)
	m.f.head, m.f.found = "l", m.now
	m.f.setOut("l", []string{"b"}, false)
	if got := m.after(time.Second, apply.Synced, apply.Pending); !reflect.DeepEqual(got, []time.Duration{2 * time.Second}) {
		t.Errorf("the first commit took %s", got)
	}
	if got := m.after(time.Second, apply.Synced, apply.Synced); !reflect.DeepEqual(got[1:], []time.Duration{2 * time.Second}) {
		t.Errorf("the second commit took %s", got)
	}
	m.f.setOut("l", []string{"a"}, false)
	m.f.setOut("m", []string{"a"}, true) // held: nobody measures it
	if got := m.after(time.Second, apply.Synced); len(got) != 2 {
		t.Errorf("measured what another commit set: %s", got)
	}
}

func TestPolicyIsStale(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	good := "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {eu-west: {}}\n"
	writeFile(t, path, good)
	f, err := openPolicy(path, &policy.Config{Seed: "eu-west"})
	if err != nil {
		t.Fatal(err)
	}
	remove := func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name  string
		do    func()
		stale bool
	}{
		{"as it was", func() {}, false},
		{"not valid", func() { writeFile(t, path, good+"nonsense: true\n") }, true},
		{"still not valid", func() {}, true},
		{"away", remove, true},
		{"back, and not valid", func() { writeFile(t, path, good+"nonsense: true\n") }, true},
		{"valid", func() { writeFile(t, path, good) }, false},
		{"away again", remove, true},
		{"back as it was", func() { writeFile(t, path, good) }, false},
	} {
		step.do()
		f.reread(logr.Discard())
		if f.stale() != step.stale {
			t.Errorf("%s: stale is %t", step.name, f.stale())
		}
	}
}

// That a policy cannot be taken up is news by itself: the metric is to say so,
// however long nothing else happens.
func TestAStalePolicyIsNews(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	good := "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {eu-west: {}}\n"
	writeFile(t, path, good)
	f, err := openPolicy(path, &policy.Config{Seed: "eu-west"})
	if err != nil {
		t.Fatal(err)
	}
	r := &reconciler{policy: f, log: logr.Discard()}
	for _, step := range []struct {
		name string
		do   func() error
		news bool
	}{
		{"as it was", func() error { return nil }, false},
		{"away", func() error { return os.Remove(path) }, true},
		{"still away", func() error { return nil }, false},
		{"back", func() error { return os.WriteFile(path, []byte(good), 0o600) }, true},
		{"not valid", func() error { return os.WriteFile(path, []byte(good+"nonsense: true\n"), 0o600) }, true},
		{"still not valid", func() error { return nil }, false},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := r.lookAtPolicy(t.Context()); got != step.news {
			t.Errorf("%s: news is %v", step.name, got)
		}
	}
}
