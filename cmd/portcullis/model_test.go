package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// modelSteps is how many things happen, over all worlds; PORTCULLIS_STEPS asks
// for another number.
const modelSteps = 2000

// modelWorlds run beside each other on one API server: each waits for others
// most of the time. What happens in them is in kinds.
const modelWorlds = 5

// TestModel has random things happen to an installation, and compares what it
// does with what the promises say: pushes, rewinds, approvals, hands in the
// dashboard for a time and fights over it, Clusters made anew, migrations,
// labels, groups, expiry, restarts, lost and damaged state, a clock that is set;
// in worlds of their own unsigned commits, freezes, and changes that go too far.
// The check of the branch's head is compared, too. PORTCULLIS_SEED repeats the
// order of things that a failure names.
func TestModel(t *testing.T) {
	servers.Need(t, "etcd", "kube-apiserver")
	ctrl.SetLogger(logr.Discard())
	plane := servers.ControlPlaneFor(t, servers.ControlPlaneOptions{})
	if err := kkp.Install(t.Context(), plane.Config); err != nil {
		t.Fatal(err)
	}
	seed := numberFrom("PORTCULLIS_SEED", uint64(time.Now().UnixNano()))
	steps := int(numberFrom("PORTCULLIS_STEPS", modelSteps)) / modelWorlds
	t.Run("worlds", func(t *testing.T) {
		for i := range modelWorlds {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				h := newHistory(newWorld(t, plane.Config, fmt.Sprintf("w%02d", i), kinds()[i%len(kinds())]), rand.New(rand.NewPCG(seed, uint64(i))))
				defer h.tellOnFailure(seed)
				h.until(steps / 2)
				h.fight()
				h.agree("a fight")
				h.whileFrozen()
				h.until(steps)
				h.must(h.failed())
			})
		}
	})
}

func numberFrom(variable string, otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(variable), 10, 64); err == nil {
		return n
	}
	return otherwise
}

func (h *history) until(steps int) {
	for h.steps < steps && !h.t.Failed() {
		h.round()
	}
}

// history is what happens in a world, and the model of it.
type history struct {
	*world
	*model
	random *rand.Rand
	ctx    context.Context
	steps  int
	log    []string

	trees     map[string]tree   // by commit
	parents   map[string]string // by commit
	head      string            // of the branch
	following string            // the newest commit that is followed
	approved  string            // the last that was approved
	approvals int               // so far
	unsigned  map[string]bool   // commits
	signs     bool              // whoever commits signs
	judged    map[string]*mJudgement
	// writes is how often each cluster may be written in this round.
	writes, before map[string]int
}

// clustersEach is how many clusters a tenant has.
const clustersEach = 6

func newHistory(w *world, random *rand.Rand) *history {
	h := &history{world: w, random: random, ctx: w.t.Context(), trees: map[string]tree{}, parents: map[string]string{},
		unsigned: map[string]bool{}, judged: map[string]*mJudgement{},
		model: &model{guard: mGuard{clusters: w.kind.clusters, percent: w.kind.percent}, clusters: map[string]*mCluster{}, accepted: tree{}}, writes: map[string]int{}, before: map[string]int{}}
	h.tick()
	for _, tenant := range modelTenants() {
		for i := range clustersEach {
			c := &mCluster{tenant: tenant, env: h.anyEnv(), exposed: true}
			h.clusters[h.id(tenant, i)] = c
			h.must(h.world.create(h.ctx, h.id(tenant, i), c))
		}
	}
	files := tree{}
	for _, tenant := range modelTenants() {
		for n := range h.files() {
			files[h.path(tenant, n)] = h.anyFile(tenant, n)
		}
		if !h.kind.steady {
			files[groupPath(tenant)] = h.anyGroup(tenant)
		}
	}
	h.note("the first commit: %v", files)
	h.push(h.commitOf("", files))
	h.must(h.world.start())
	h.agree("the beginning")
	return h
}

func (h *history) id(tenant string, i int) string {
	return fmt.Sprintf("%s%d%s", tenant[:4], i, h.suffix)
}

// note writes down what happens, for who has to understand a failure.
func (h *history) note(format string, args ...any) {
	h.steps++
	h.log = append(h.log, fmt.Sprintf("%4d  %s  ", h.steps, h.world.now().Format("01-02T15:04:05"))+fmt.Sprintf(format, args...))
}

// mostTold bounds what a failure tells of what happened before.
const mostTold = 60

func (h *history) tellOnFailure(seed uint64) {
	if h.t.Failed() {
		last := h.log[max(0, len(h.log)-mostTold):]
		h.t.Logf("PORTCULLIS_SEED=%d repeats this; the last things that happened:\n%s", seed, strings.Join(last, "\n"))
	}
}

// tick tells the model what time it is.
func (h *history) tick() {
	h.model.now = h.world.now()
	if h.model.now.After(h.latest) {
		h.latest = h.model.now
	}
}

// change is something that happens to the model, before it happens to the world.
// What each cluster may carry after it may be written from now on; one that it
// changes, once more. Where the clock was set back and the list of now was not
// written yet, that may come in between.
func (h *history) change(do func()) {
	h.tick()
	before, times := map[string]string{}, map[string]int{}
	for id, c := range h.clusters {
		before[id], times[id] = h.gist(c), min(len(h.expect(c).lists), 2)
	}
	do()
	h.tick()
	h.settle()
	for id, c := range h.clusters {
		if h.gist(c) != before[id] {
			h.writes[id] += max(times[id], 1)
		}
		h.permit(id, h.expect(c))
	}
}

func (h *history) gist(c *mCluster) string {
	return fmt.Sprint(c.good != nil && c.good.access == unmanaged, h.expect(c))
}

// permit tells the observer what may be written to a cluster. That a field is
// removed has no owner, so it is announced.
func (h *history) permit(id string, e expectation) {
	for _, list := range e.lists {
		if list == nil {
			h.observer.Announce(id, list)
		} else {
			h.observer.Allow(id, list)
		}
	}
}

// agree waits until the world is as the model says, and sees to it that nothing
// but that has happened, and not more often than needed.
func (h *history) agree(what string) {
	h.t.Helper()
	if err := errors.Join(h.world.followed(), h.observer.CatchUp(h.ctx), h.await(h.same), h.await(h.told)); err != nil {
		h.t.Fatalf("after %s: %v", what, err)
	}
	only := map[string][][]string{}
	for id, c := range h.clusters {
		live, set := h.observer.Live(id)
		c.live, c.set = live, set
		e := h.expect(c)
		only[id] = slices.DeleteFunc(e.lists, func(list []string) bool { return list == nil })
		if len(e.lists) > 1 {
			h.writes[id]++ // an entry whose end was, before the clock was set back
		}
		if n := h.observer.Writes(id) - h.before[id]; n > h.writes[id] {
			h.t.Errorf("after %s: %s was written %d times, %d were needed:\n%s", what, id, n, h.writes[id], h.observer.Written(id, n+3))
		}
		h.before[id] = h.observer.Writes(id)
	}
	h.observer.Reset(only)
	clear(h.writes)
	if err := h.observer.Faults(); err != nil {
		h.t.Errorf("after %s: %v", what, err)
	}
}

// same compares each cluster with what it may carry.
func (h *history) same() error {
	h.tick()
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(h.clusters)) {
		live, set := h.observer.Live(id)
		if err := h.carries(h.clusters[id], live, set); err != nil {
			errs = append(errs, fmt.Errorf("%s of %s, with %v: %w", id, h.clusters[id].tenant, h.clusters[id].good, err))
		}
	}
	return errors.Join(errs...)
}

// round is one thing, or several at once.
func (h *history) round() {
	h.t.Helper()
	switch n := h.random.IntN(100); {
	case n < 47:
		h.pushAndHands()
	case n < 61:
		for range 1 + h.random.IntN(3) {
			h.hand(h.anyID())
		}
	case n < 63:
		h.byHand()
	case n < 79 && h.kind.freezes: // a Config is read at the start alone
		h.restart()
	case n < 79 && h.kind.steady:
		h.approveHeld()
	case n < 71:
		h.anew()
	case n < 76:
		h.relabel()
	case n < 79:
		h.migrate()
	case n < 84:
		h.setClock()
	case n < 92:
		h.rewind()
	case n < 95:
		h.restart()
	case n < 98 && !h.kind.steady:
		h.loseState()
	default:
		h.damageState()
	}
	h.agree(h.log[len(h.log)-1])
}

func (h *history) pushAndHands() {
	before := h.enforced()
	h.pushSomething()
	after := h.enforced()
	for range h.random.IntN(3) { // while it is on its way
		// Whether a list that is about to be let go is put right once more, and
		// what is live when it is judged, is a matter of moments.
		if id := h.anyID(); before[id] && after[id] && h.kind.clusters == boundless {
			h.hand(id)
		}
	}
}

func (h *history) ids() []string { return slices.Sorted(maps.Keys(h.clusters)) }

func (h *history) anyID() string {
	ids := h.ids()
	return ids[h.random.IntN(len(ids))]
}

func (h *history) anyEnv() string { return []string{"prod", "test"}[h.random.IntN(2)] }

// mostByHand is how often a list may be overwritten before that is a fight,
// which has rules of its own.
const mostByHand = 4

// hand is a save in the dashboard, with a list of somebody's own.
func (h *history) hand(id string) {
	c := h.clusters[id]
	lists := [][]string{stage.Empty(), stage.Nothing()}
	if c.exposed {
		lists = append(lists, []string{"0.0.0.0/0"}, []string{"198.51.100.0/25"}, []string{"not a prefix"}, liveOf(c), append(liveOf(c), "203.0.113.7/32"))
	}
	list := lists[h.random.IntN(len(lists))]
	if c.foreign == mostByHand || c.byHand != nil {
		return
	}
	h.write(id, list, "")
}

// write is a list that somebody else writes, with how in a few words.
func (h *history) write(id string, list []string, how string) {
	c := h.clusters[id]
	c.foreign++
	h.note("somebody sets the list of %s to %v (set: %t)%s", id, list, list != nil, how)
	h.observer.Announce(id, list)
	h.writes[id]++
	h.change(func() { c.live, c.set = list, list != nil })
	option := kkp.WithoutList()
	if list != nil {
		option = kkp.WithList(list...)
	}
	h.must(kkp.Update(h.ctx, h.client, id, option))
}

// enforced are the clusters that are to carry a list, whatever others do.
func (h *history) enforced() map[string]bool {
	out := map[string]bool{}
	for id, c := range h.clusters {
		e := h.expect(c)
		out[id] = !e.loose && e.lists[0] != nil
	}
	return out
}

// anew makes a Cluster anew under its ID, perhaps of the other tenant.
func (h *history) anew() {
	id := h.anyID()
	tenant := modelTenants()[h.random.IntN(len(modelTenants()))]
	c := &mCluster{tenant: tenant, env: h.anyEnv(), exposed: h.random.IntN(5) > 0}
	if c.set = c.exposed && h.random.IntN(3) == 0; c.set {
		c.live = []string{"198.51.100.0/26"}
	}
	if h.keptFor(id) {
		return // whether the new one is still meant by a file that is wrong is not promised
	}
	h.remake(id, c)
}

func (h *history) remake(id string, c *mCluster) {
	h.note("%s is made anew, of %s, exposed: %t, its list: %v", id, c.tenant, c.exposed, c.live)
	h.observer.Announce(id, liveOf(c))
	h.writes[id]++
	h.change(func() { h.clusters[id] = c })
	h.must(h.world.delete(h.ctx, id))
	h.must(h.world.create(h.ctx, id, c))
}

// keptFor tells whether a file that is wrong names or selects a cluster.
func (h *history) keptFor(id string) bool {
	for _, f := range h.accepted {
		if h.accepted.wrong(f) && (f.selects || slices.Contains(f.clusters, id)) {
			return true
		}
	}
	return false
}

func (h *history) relabel() {
	id := h.anyID()
	env := h.anyEnv()
	h.note("%s is labelled %s", id, env)
	h.change(func() { h.clusters[id].env = env })
	h.must(kkp.Update(h.ctx, h.client, id, kkp.WithLabel("env", env)))
}

// migrate moves a cluster to another expose strategy, with KKP's label. Its
// list goes first, as KKP demands.
func (h *history) migrate() {
	id := h.anyID()
	c := h.clusters[id]
	if c.foreign == mostByHand {
		return
	}
	c.foreign++
	h.note("%s is migrated, exposed so far: %t", id, c.exposed)
	h.observer.Announce(id, stage.Empty())
	how := []kkp.Option{kkp.WithLabel(kkp.MigrationLabel, "true"), kkp.WithStrategy("LoadBalancer")}
	if c.exposed {
		how = []kkp.Option{kkp.WithLabel(kkp.MigrationLabel, "true"), kkp.WithStrategy("NodePort"), kkp.WithList()}
	}
	h.writes[id]++
	h.change(func() {
		if c.exposed {
			c.live, c.set = nil, true
		}
		c.exposed = !c.exposed
	})
	h.must(kkp.Update(h.ctx, h.client, id, how...))
}

// setClock sets the clock by some hours, seldom back. Not while the branch is not
// followed: what expires before it is first judged came too late.
func (h *history) setClock() {
	if h.held() {
		return
	}
	hours := 1 + h.random.IntN(40)
	if h.random.IntN(4) == 0 && !h.kind.steady {
		hours = -1 - h.random.IntN(20)
	}
	h.setClockBy(hours)
}

func (h *history) setClockBy(hours int) {
	h.note("the clock is set by %d hours", hours)
	step := time.Duration(hours) * time.Hour
	for id, c := range h.clusters {
		h.writes[id]++ // what has expired goes; or is in force again, where the clock goes back
		if c.good != nil && c.good.access == "restricted" {
			h.observer.Allow(id, inForceAt(c.good.entries, h.world.now().Add(step)))
		}
	}
	for id, good := range h.asks(h.accepted) { // what is frozen no longer
		if good.access == "restricted" && h.clusters[id].kept && !h.clusters[id].held {
			h.observer.Allow(id, inForceAt(good.entries, h.world.now().Add(step)))
		}
	}
	h.change(func() { h.offset.Add(int64(step)) })
}
