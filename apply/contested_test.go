package apply

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/portcullis-gitops/portcullis/render"
)

func TestForeignWriteStandsForADay(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.wantEvents() // a first list needs no words
	o.step(time.Minute)
	o.api.dashboard("192.0.2.0/24")
	before := o.api.writes
	again := o.settle()
	if n := o.api.writes - before; n != 1 {
		t.Errorf("%d writes to put one list right", n)
	}
	o.wantLive("203.0.113.0/24")
	o.wantEvents("Warning ListRestored|kubermatic-api had set the list to 192.0.2.0/24|removed again: 192.0.2.0/24; put back: 203.0.113.0/24")
	o.wantState(Synced, "handed to azure", "kubermatic-api had set the list to 192.0.2.0/24; put right at 2026-11-22T12:01:00Z")
	if got := o.ctl.PutRight(); len(got) != 1 || got["kubermatic-api"] != 1 {
		t.Errorf("counted: %v", got)
	}

	o.restart() // what stands, stands over a restart
	if o.settle(); o.api.writes != before+1 {
		t.Error("the restart wrote something")
	}
	o.wantState(Synced, "kubermatic-api had set the list to 192.0.2.0/24")
	if again != 24*time.Hour {
		t.Errorf("looked at again after %s", again)
	}
	o.step(again)
	o.settle()
	if s := o.state().Standing; s != nil {
		t.Errorf("after a day there stands %v", s.Problems())
	}
}

// Each has a reason of its own, and the words for it.
func TestForeignWritesAreToldApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		list *AllowedIPRanges
		want string
	}{
		"another list":   {&AllowedIPRanges{CIDRBlocks: []string{"192.0.2.0/24"}}, "kubermatic-api had set the list to 192.0.2.0/24"},
		"none":           {nil, "another client had removed the list"},
		"an empty one":   {&AllowedIPRanges{CIDRBlocks: []string{}}, "kubermatic-api had emptied the list ([]), as a save in the dashboard does"},
		"the same again": {&AllowedIPRanges{CIDRBlocks: []string{"203.0.113.0/25", "203.0.113.128/25"}}, "had set the same addresses in other words, 203.0.113.0/25"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOneCluster(t, "203.0.113.0/24")
			o.settle()
			o.api.byOther("kubermatic-api", c.list)
			o.settle()
			o.wantLive("203.0.113.0/24")
			o.wantEvents("Warning ListRestored|" + c.want)
			o.wantState(Synced, c.want)
		})
	}
}

// What somebody sets between two leaders is a foreign write to the one that comes
// after, which has seen it. One that has not can only take the list over, and so
// it does with one that nobody kept until now.
func TestForeignWriteBetweenTwoLeaders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		list      *AllowedIPRanges
		seen, new bool
		event     string
		stands    string
	}{
		"another list":             {&AllowedIPRanges{CIDRBlocks: []string{"192.0.2.0/24"}}, true, false, "Warning ListRestored|kubermatic-api had set the list to 192.0.2.0/24", "kubermatic-api had set the list to 192.0.2.0/24; put right"},
		"an empty one":             {&AllowedIPRanges{CIDRBlocks: []string{}}, true, false, "Warning ListRestored|kubermatic-api had emptied the list", "kubermatic-api had emptied the list"},
		"none":                     {nil, true, false, "Warning ListRestored|another client had removed the list", "another client had removed the list"},
		"nobody looked on":         {&AllowedIPRanges{CIDRBlocks: []string{"192.0.2.0/24"}}, false, false, "Normal ListAdopted|kubermatic-api had set the list to 192.0.2.0/24", ""},
		"nobody kept it until now": {&AllowedIPRanges{CIDRBlocks: []string{"192.0.2.0/24"}}, true, true, "Normal ListAdopted|kubermatic-api had set the list to 192.0.2.0/24", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOneCluster(t, "203.0.113.0/24")
			o.settle()
			before, plan := o.api.cluster, o.plan
			if o.plan = nil; c.new {
				o.plan = &render.Plan{}
			}
			o.start(nil)
			o.api.byOther("kubermatic-api", c.list)
			if c.seen {
				o.ctl.overwritten.changed(before, o.api.cluster)
			}
			o.ctl.SetPlan(plan)
			o.settle()
			o.wantLive("203.0.113.0/24")
			o.wantEvents(c.event)
			o.wantState(Synced, c.stands)
			if stands := o.state().Standing != nil; stands != (c.stands != "") {
				t.Errorf("there stands %v", o.state().Standing.Problems())
			}
			o.look() // and it is told once
			o.wantEvents()
		})
	}
}

// fight has somebody change the list until it is contested.
func (o *oneCluster) fight() {
	o.t.Helper()
	for range 5 {
		o.wantState(Synced)
		o.api.dashboard("192.0.2.0/24")
		o.settle()
		o.step(time.Second)
	}
	o.wantState(Synced)
	o.api.dashboard("192.0.2.0/24")
	o.settle()
	o.wantState(Contested, "kubermatic-api keeps changing the list")
	o.wantLive("203.0.113.0/24")
}

func TestFightIsContestedUntilItIsOver(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.fight()
	if events := o.happened(); !strings.Contains(strings.Join(events, "\n"), "Warning ListContested") || len(events) != 7 {
		t.Errorf("events: %q", events)
	}
	if len(o.errors) != 1 || !strings.Contains(o.errors[0], "contested") || !strings.Contains(o.errors[0], "kubermatic-api") {
		t.Errorf("logged as errors: %q", o.errors)
	}
	if st := o.state(); st.Beneath != Synced {
		t.Errorf("beneath it is %s", st.Beneath)
	}
	o.restart()
	again := o.settle()
	o.wantState(Contested)
	if again <= 0 || again > 10*time.Minute {
		t.Fatalf("looked at again after %s", again)
	}
	o.step(again - time.Second)
	o.settle()
	o.wantState(Contested)
	o.step(time.Second)
	o.settle()
	o.wantState(Synced, "6 times so far")

	// It takes as many again: what was before the peace does not count.
	o.api.dashboard("192.0.2.0/24")
	o.settle()
	o.wantState(Synced)
}

// In a fight whatever lets in more is put right within 10 seconds, anything
// else within 10 minutes; and neither at once, or two programs would write as
// fast as they can.
func TestInAFightWiderListsAreUrgent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		list  *AllowedIPRanges
		bound time.Duration
	}{
		"absent":              {nil, 10 * time.Second},
		"empty":               {&AllowedIPRanges{CIDRBlocks: []string{}}, 10 * time.Second},
		"another address":     {&AllowedIPRanges{CIDRBlocks: []string{"192.0.2.0/24"}}, 10 * time.Second},
		"one more":            {&AllowedIPRanges{CIDRBlocks: []string{"203.0.113.0/24", "192.0.2.1/32"}}, 10 * time.Second},
		"no prefix":           {&AllowedIPRanges{CIDRBlocks: []string{"office"}}, 10 * time.Second},
		"a part of it":        {&AllowedIPRanges{CIDRBlocks: []string{"203.0.113.0/25"}}, 10 * time.Minute},
		"in two halves":       {&AllowedIPRanges{CIDRBlocks: []string{"203.0.113.0/25", "203.0.113.128/25"}}, 10 * time.Minute},
		"a few addresses":     {&AllowedIPRanges{CIDRBlocks: []string{"203.0.113.7/32", "203.0.113.9/32"}}, 10 * time.Minute},
		"the same, not owned": {&AllowedIPRanges{CIDRBlocks: []string{"203.0.113.0/24"}}, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOneCluster(t, "203.0.113.0/24")
			o.settle()
			o.fight()
			for range 3 { // and again
				before := o.api.writes
				o.api.byOther("kubermatic-api", c.list)
				again := o.look()
				if again <= 0 || again > c.bound || o.api.writes != before {
					t.Fatalf("%d writes, looked at again after %s", o.api.writes-before, again)
				}
				if st := o.state(); st.State != Contested || st.Beneath != Pending {
					t.Errorf("meanwhile it is %s, beneath %s", st.State, st.Beneath)
				}
				o.step(again)
				o.settle()
				o.wantLive("203.0.113.0/24")
				o.wantState(Contested)
				if n := o.api.writes - before; n != 1 {
					t.Errorf("%d writes", n)
				}
			}
		})
	}
}

// A narrower list that becomes a wider one does not wait as long as it would
// have.
func TestNarrowerThatWidensIsUrgent(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.fight()
	o.api.dashboard("203.0.113.0/25")
	if again := o.look(); again < time.Minute {
		t.Fatalf("a narrower one waits %s", again)
	}
	o.step(time.Minute)
	o.api.dashboard("203.0.113.0/25", "192.0.2.0/24")
	o.settle()
	o.wantLive("203.0.113.0/24")
}

// A clock that is set back, or a new leader's that is behind, makes no list that
// lets in more wait for longer, and no fight last.
func TestFightIsOfNowWhereTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"the same leader": false, "another": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOneCluster(t, "203.0.113.0/24")
			o.settle()
			o.fight()
			o.step(-time.Hour)
			if restart {
				o.restart()
			}
			o.api.byOther("kubermatic-api", nil)
			again := o.look()
			if again <= 0 || again > 10*time.Second {
				t.Fatalf("an absent list is put right after %s", again)
			}
			o.step(again)
			again = o.settle()
			o.wantLive("203.0.113.0/24")
			o.wantState(Contested, "put right at "+o.clock.Now().Format(time.RFC3339))
			if again > 10*time.Minute {
				t.Fatalf("looked at again after %s", again)
			}
			o.step(again)
			o.settle()
			o.wantState(Synced)
		})
	}
}

// More than 5 within 10 minutes are a fight, however they are spread, and it is
// over once as long has gone by without.
func TestSixWithinTenMinutesAreAFight(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	for range 5 {
		o.api.dashboard("192.0.2.0/24")
		o.settle()
		o.wantState(Synced)
		o.step(119 * time.Second)
	}
	o.api.dashboard("192.0.2.0/24")
	if again := o.settle(); again != 10*time.Minute {
		t.Errorf("looked at again after %s", again)
	}
	o.wantState(Contested)
}

func TestSlowWritersAreNoFight(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	for i := range 20 {
		o.step(2 * time.Minute)
		o.api.dashboard(fmt.Sprintf("192.0.2.%d/32", i))
		o.settle()
		o.wantState(Synced)
		o.wantLive("203.0.113.0/24")
	}
}

func TestAnotherInstallationIsNoticed(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	other := func() {
		o.api.set(&AllowedIPRanges{CIDRBlocks: []string{"192.0.2.0/24"}}, Manager, "Apply")
	}
	other()
	o.settle()
	o.wantLive("203.0.113.0/24")
	o.wantState(Synced, "another portcullis installation had set the list to 192.0.2.0/24")
	o.wantEvents("Warning ListRestored|another portcullis installation")
	for range 5 {
		other()
		o.settle()
	}
	o.wantState(Contested, "another portcullis installation keeps changing the list")
}

// Our own lists under our own name are nobody else's: not the one that the
// plan wanted before, nor one whose answer was lost.
func TestOurOwnListIsNotForeign(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.want("198.51.100.0/24")
	o.settle()
	m := o.ctl.memories[theCluster]
	m.sent = &render.Live{Set: true, CIDRs: []string{"192.0.2.0/24"}} // it arrived, and nobody said so
	o.api.set(&AllowedIPRanges{CIDRBlocks: []string{"192.0.2.0/24"}}, Manager, "Apply")
	o.settle()
	o.want() // open
	o.settle()
	o.want("203.0.113.0/24")
	o.settle()
	o.restart()
	o.want("198.51.100.0/24") // accepted while it was away
	o.settle()
	o.wantLive("198.51.100.0/24")
	o.wantState(Synced)
	o.wantEvents()
	if s := o.state().Standing; s != nil {
		t.Errorf("there stands %v", s.Problems())
	}
}

// Of what was written while nobody looked, our own name tells nothing: it may
// be an older plan's.
func TestOurOwnListIsNotForeignAfterARestart(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.api.dashboard("192.0.2.0/24")
	o.settle()
	o.happened()
	o.restart()
	o.want("198.51.100.0/24")
	o.settle()
	o.wantLive("198.51.100.0/24")
	o.wantEvents()
	if f := o.state().Standing.Foreign; f.Count != 1 || f.Writer != "kubermatic-api" {
		t.Errorf("there stands %+v", f)
	}
}

// A time that is asked for again before the list in Git is on the Service goes
// on from where it began, and is told of again.
func TestTimeByHandThatIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.grant(2 * time.Hour)
	o.settle()
	o.asks(time.Hour)
	o.api.dashboard("192.0.2.0/24")
	o.settle()
	o.api.change(func(c *Cluster) { c.Annotations = nil })
	o.look() // put right, and not on the Service yet
	o.happened()
	o.step(30 * time.Minute)
	o.asks(24 * time.Hour)
	o.api.dashboard("192.0.2.0/24")
	if again := o.look(); again != 90*time.Minute {
		t.Errorf("looked at again after %s", again)
	}
	o.wantEvents("Warning ListKeptByHand")
}

// In a fight, what is new in Git is written at once over our own list, and only
// over that.
func TestNewListIsWrittenInAFightToo(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	for range fight {
		o.api.dashboard("203.0.113.0/25")
		o.settle()
		o.step(6 * time.Second)
	}
	o.wantState(Contested)
	o.want("203.0.113.0/24", "198.51.100.0/24")
	o.settle()
	o.wantLive("203.0.113.0/24", "198.51.100.0/24")
	o.wantState(Contested, "kubermatic-api keeps changing the list")
	o.api.dashboard("203.0.113.0/25")
	o.want("203.0.113.0/24")
	if again := o.settle(); again != spaceNarrower-6*time.Second {
		t.Errorf("put right after %s", again)
	}
	o.wantLive("203.0.113.0/25")
	o.step(spaceNarrower)
	o.settle()
	o.wantLive("203.0.113.0/24")
}

// Another installation writes under our name, and is fought with like others.
func TestAnotherInstallationWaitsInAFight(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	other := func() {
		o.api.set(&AllowedIPRanges{CIDRBlocks: []string{"203.0.113.0/25"}}, Manager, metav1.ManagedFieldsOperationApply)
	}
	for range fight {
		other()
		o.settle()
		o.step(time.Second)
	}
	other()
	o.settle()
	o.wantState(Contested, anotherInstallation)
	o.wantLive("203.0.113.0/25")
}

func TestHeldListIsFoughtForToo(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	w := *o.plan.Clusters[theCluster]
	w.Held = &render.Hold{Rule: "freeze", Message: "frozen until Monday"}
	o.plan = &render.Plan{Clusters: map[string]*render.Wanted{theCluster: &w}}
	o.ctl.SetPlan(o.plan)
	for range 6 {
		o.api.dashboard("192.0.2.0/24")
		o.settle()
	}
	o.wantState(Contested, "kubermatic-api keeps changing", "besides: frozen until Monday")
	o.wantLive("203.0.113.0/24")
}

func TestNamesOfWritersAreBounded(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	for i := range 150 {
		o.step(time.Hour)
		o.api.byOther(fmt.Sprintf("%d%s", i, strings.Repeat("x", 500)), &AllowedIPRanges{CIDRBlocks: []string{"192.0.2.0/24"}})
		o.settle()
	}
	got := o.ctl.PutRight()
	if len(got) != 101 || got["others"] != 50 {
		t.Errorf("%d names, %d others", len(got), got["others"])
	}
	for name := range got {
		if len(name) > 100 {
			t.Fatalf("a name of %d bytes", len(name))
		}
	}
	if f := o.state().Standing.Foreign; len(f.Writer) > 100 || len(f.Wrote) > 200 || len(f.Recent) > 6 {
		t.Errorf("there stands %+v", f)
	}
}

// Of a cluster that is let go of, nothing says any more that its list was put
// right: what others set there now stays.
func TestUnmanagedForgetsWhatWasPutRight(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.fight()
	back := detours["unmanaged"](o)
	o.settle()
	o.api.dashboard("192.0.2.0/25")
	o.settle()
	o.wantLive("192.0.2.0/25")
	o.wantState(Synced, "unmanaged: nothing is written, what is there stays")
	if left := o.state().Standing.Problems(); len(left) > 0 {
		t.Errorf("there stands %q", left)
	}
	back()
	o.settle()
	o.wantLive("203.0.113.0/24")
	o.wantState(Synced)
}
