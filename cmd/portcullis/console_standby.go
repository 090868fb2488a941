package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// standby is what a replica that does not lead shows on its pages: the state as
// the leader wrote it down last, with the accepted commits as they mean now, and
// the clusters as the cache has them. It reads when somebody asks, and only then;
// the Git host only for a commit that its own mirror does not have yet.
//
// It has nothing of the loop's, which may begin at any moment: a store of its
// own, above all, for what that remembers tells the leader of another writer.
type standby struct {
	r     *reconciler
	store *apply.Store

	mu   sync.Mutex // held by who reads
	at   time.Time  // when it was last tried
	last atomic.Pointer[console.World]
}

const (
	standbyEvery = 10 * time.Second // between two reads, at least
	standbyTime  = 20 * time.Second // that one may take
	standbyWait  = time.Minute      // from that age on, it pays to wait for the next
)

// current is what was read last, and no older than it may be where reading goes
// well; nil where it never did. Whoever asks while it is read gets the one
// before, unless that is of long ago.
func (s *standby) current() *console.World {
	last := s.last.Load()
	if last == nil || s.r.now().Sub(last.At) > standbyWait {
		s.mu.Lock()
	} else if !s.mu.TryLock() {
		return last
	}
	defer s.mu.Unlock()
	if s.r.now().Sub(s.at) < standbyEvery {
		return s.last.Load()
	}
	ctx, cancel := context.WithTimeout(context.Background(), standbyTime)
	defer cancel()
	w, err := s.read(ctx)
	if s.at = s.r.now(); err != nil {
		s.r.log.Error(err, "Cannot read for the pages how the seed stands")
		return s.last.Load()
	}
	s.last.Store(w)
	return w
}

func (s *standby) read(ctx context.Context) (*console.World, error) {
	r := s.r
	began := r.now()
	states, retained, err := s.store.Load(ctx)
	if err != nil {
		return nil, err
	}
	file, err := openPolicy(r.config.PolicyFile, r.config)
	if err != nil {
		return nil, err
	}
	w := &console.World{Standby: true, At: began, Version: version, Seed: r.config.Seed, Policy: file.current, Notices: r.controller.Notices(), States: map[string]apply.ClusterState{}}
	if w.Inventory, err = r.controller.Inventory(ctx); err != nil {
		return nil, err
	}
	if last := lastRanges(states); !w.Inventory.Seed.Known {
		w.Inventory.Seed = last
	}
	base, read := &render.Base{}, []string{}
	for _, f := range r.sources {
		state := states[f.conf.Name]
		state.Name, state.URL = f.conf.Name, f.repo.Remote().URL()
		files, err := s.accepted(ctx, f, state)
		if err != nil {
			return nil, err
		}
		if state.Accepted != "" {
			read = append(read, f.conf.Name)
			base = base.With(restored(f.conf.Name, files, state, retained))
			base = render.Find(state.Kept, home(f.conf.Name, state), w.Inventory, true).With(base)
		}
		w.Files = append(w.Files, files...)
		w.Sources = append(w.Sources, console.Source{Conf: f.conf, State: state})
	}
	for _, name := range r.goneIn(states) {
		base = render.Find(states[name].Kept, home(name, states[name]), w.Inventory, true).Gone().With(base)
		w.Sources = append(w.Sources, console.Source{Conf: policy.Source{Name: name}, State: states[name], Gone: true})
	}
	w.Plan = render.Render(render.Input{Files: w.Files, Sources: read, Base: base, Policy: w.Policy, Inventory: w.Inventory, Seed: w.Seed,
		Now: r.now(), Guard: &render.Guard{Freeze: r.config.Freeze}})
	return w, s.observe(ctx, w, states)
}

// accepted are the files of a source's accepted commit.
func (s *standby) accepted(ctx context.Context, f *follower, state apply.SourceState) ([]render.File, error) {
	if state.Accepted == "" {
		return nil, nil
	}
	if !f.repo.Has(state.Accepted) {
		if _, err := f.repo.Poll(ctx); err != nil {
			return nil, fmt.Errorf("fetch the accepted commit: %w", err)
		}
	}
	var known []render.File
	if last := s.last.Load(); last != nil {
		known = last.Files
	}
	_, files, err := f.read(ctx, render.CacheOf(known), state.Accepted)
	return files, err
}

// restored is what was accepted of a source, as a leader takes it up.
func restored(name string, files []render.File, state apply.SourceState, retained map[string]render.Retained) *render.Base {
	kept := map[string]render.Retained{}
	for id, k := range retained {
		if k.Claim.Source == name && !slices.Contains(state.Stale, id) {
			kept[id] = k
		}
	}
	return render.Restore(name, files, filesAt(name, state.Refused), filesAt(name, state.Overdue), state.Claims, kept).Trust(name, state.Force)
}

// observe takes the clusters' states as they can be told from outside.
func (s *standby) observe(ctx context.Context, w *console.World, states map[string]apply.SourceState) error {
	observed, err := s.r.controller.Observe(ctx, states)
	for _, c := range observed {
		st := apply.ClusterState{State: c.State, Message: c.Message, Since: c.Since}
		for _, state := range states {
			if d, ok := state.Deviations[c.ID]; ok && d.State != "" { // its message has what stands already, but for who changed it
				st.Message = d.Message
				st.Standing = d.Standing
			}
		}
		w.States[c.ID] = st
	}
	return err
}
