package apply

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// grant has the policy give so much time to lists set by hand.
func (o *oneCluster) grant(longest time.Duration) {
	p := policy.Default()
	p.BreakGlass = longest
	plan := *o.plan
	plan.ByHand = render.GrantedBy(p, "")
	o.plan = &plan
	o.ctl.SetPlan(o.plan)
}

// asks sets the annotation to so long from now.
func (o *oneCluster) asks(d time.Duration) { o.annotate(o.clock.Now().Add(d).Format(time.RFC3339)) }

func (o *oneCluster) annotate(until string) {
	o.api.change(func(c *Cluster) { c.Annotations = map[string]string{pauseUntil: until} })
}

// isSetByHand has somebody set another list, and ask for it to stay for so long,
// where the policy grants two hours.
func (o *oneCluster) isSetByHand(asked time.Duration) {
	o.t.Helper()
	o.grant(2 * time.Hour)
	o.settle()
	o.asks(asked)
	o.api.dashboard("192.0.2.0/24")
	o.settle()
}

func TestListSetByHandStaysForATime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asked, want time.Duration
	}{
		"as long as asked":   {time.Hour, time.Hour},
		"as long as granted": {24 * time.Hour, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOneCluster(t, "203.0.113.0/24")
			o.grant(2 * time.Hour)
			o.settle()
			o.asks(c.asked)
			o.api.dashboard("192.0.2.0/24")
			writes, until := o.api.writes, noon.Add(c.want).Format(time.RFC3339)
			again := o.settle()
			o.wantLive("192.0.2.0/24")
			o.wantState(Held, "kept by hand until "+until, "kubermatic-api had set the list to 192.0.2.0/24", "in Git it is 203.0.113.0/24")
			o.wantEvents("Warning ListKeptByHand|kubermatic-api|stay until " + until)
			if again != c.want || !o.state().ByHand {
				t.Errorf("looked at again after %s", again)
			}
			o.step(c.want - time.Second)
			o.restart() // which gives no more time
			again = o.settle()
			o.wantLive("192.0.2.0/24")
			o.wantEvents()
			if o.api.writes != writes || again != time.Second {
				t.Errorf("%d writes, looked at again after %s", o.api.writes-writes, again)
			}
			o.step(time.Second)
			o.settle()
			o.wantLive("203.0.113.0/24")
			o.wantState(Synced, "kubermatic-api had set the list to 192.0.2.0/24; put right")
			o.wantEvents("Normal ByHandEnded|over since "+until, "Warning ListRestored")
		})
	}
}

// Nor does a clock that is set back give more time.
func TestTimeByHandIsNoLongerWhereTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.isSetByHand(24 * time.Hour)
	o.step(-3 * time.Hour)
	if again := o.settle(); again != 2*time.Hour {
		t.Errorf("looked at again after %s", again)
	}
	o.step(2 * time.Hour)
	o.settle()
	o.wantLive("203.0.113.0/24")
}

// Neither another list nor another annotation gives more time; a list that is
// in force again does.
func TestTimeByHandIsNotRenewed(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.isSetByHand(time.Hour)
	o.step(30 * time.Minute)
	o.asks(30 * time.Hour)
	o.api.dashboard("192.0.2.64/26")
	if again := o.settle(); again != 90*time.Minute {
		t.Errorf("looked at again after %s", again)
	}
	o.wantLive("192.0.2.64/26")
	o.step(2 * time.Hour)
	o.api.cluster.Spec.Pause = true // KKP does not take the list over yet
	o.asks(30 * time.Hour)
	o.settle()
	o.wantLive("203.0.113.0/24")
	o.api.dashboard("192.0.2.128/26")
	o.settle()
	o.wantLive("203.0.113.0/24")

	o.api.change(func(c *Cluster) { c.Spec.Pause = false })
	o.settle()
	o.wantState(Synced)
	o.api.dashboard("192.0.2.128/26")
	o.settle()
	o.wantLive("192.0.2.128/26")
	o.wantState(Held, "kept by hand until "+o.clock.Now().Add(2*time.Hour).Format(time.RFC3339))
}

func TestTimeByHandEndsWhenNobodyAsksForIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(*oneCluster)
		want []string
	}{
		"the annotation goes": {func(o *oneCluster) { o.api.change(func(c *Cluster) { c.Annotations = nil }) },
			[]string{"Normal ByHandEnded|nobody asks for it any more", "Warning ListRestored"}},
		"the list is set back": {func(o *oneCluster) { o.api.dashboard("203.0.113.0/24") },
			nil},
		"the policy grants none": {func(o *oneCluster) { o.grant(0) },
			[]string{"Normal ByHandEnded|grants no time", "Warning ListRestored"}},
		"the world is let in": {func(o *oneCluster) { o.api.dashboard("0.0.0.0/0") },
			[]string{"Normal ByHandEnded|at least half of IPv4", "Warning ListRestored|It is not kept for a time: a list like this"}},
		"the list is removed": {func(o *oneCluster) { o.api.byOther("", nil) },
			[]string{"Normal ByHandEnded|without a list", "Warning ListRestored|had removed the list"}},
		"the list is emptied": {func(o *oneCluster) { o.api.dashboard() },
			[]string{"Normal ByHandEnded|an empty list", "Warning ListRestored|had emptied the list"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOneCluster(t, "203.0.113.0/24")
			o.isSetByHand(time.Hour)
			o.wantState(Held)
			o.happened()
			c.end(o)
			o.settle()
			if c.want == nil { // that is a list set by hand as well
				o.wantState(Held)
				return
			}
			o.wantLive("203.0.113.0/24")
			o.wantState(Synced)
			o.wantEvents(c.want...)
		})
	}
}

func TestWhatIsNotKeptByHand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		granted time.Duration
		until   string
		list    []string
		want    string
	}{
		"the policy grants none":  {0, "2026-11-22T13:00:00Z", []string{"192.0.2.0/24"}, "grants no time"},
		"no time":                 {time.Hour, "tomorrow", []string{"192.0.2.0/24"}, `holds "tomorrow", which is no RFC 3339 time`},
		"a date alone":            {time.Hour, "2026-11-23", []string{"192.0.2.0/24"}, "no RFC 3339 time"},
		"a time that has been":    {time.Hour, "2026-11-22T11:00:00Z", []string{"192.0.2.0/24"}, "over since 2026-11-22T11:00:00Z"},
		"a list that is no list":  {time.Hour, "2026-11-22T13:00:00Z", []string{"office"}, "not a canonical prefix"},
		"a list that is everyone": {time.Hour, "2026-11-22T13:00:00Z", []string{"0.0.0.0/1", "128.0.0.0/1"}, "at least half of IPv4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOneCluster(t, "203.0.113.0/24")
			o.grant(c.granted)
			o.settle()
			o.annotate(c.until)
			o.api.dashboard(c.list...)
			o.settle()
			o.wantLive("203.0.113.0/24")
			o.wantEvents("Warning ListRestored|It is not kept for a time: |" + c.want)
			o.wantState(Synced)
		})
	}
}

// A family that the list no longer has would be open to everyone.
func TestListByHandThatDropsAFamilyIsPutRight(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24", "2001:db8::/48")
	o.grant(2 * time.Hour)
	o.settle()
	o.asks(2 * time.Hour)
	o.api.dashboard("2001:db8::/48")
	o.settle()
	o.wantLive("203.0.113.0/24", "2001:db8::/48")
	o.wantEvents("Warning ListRestored|It is not kept for a time: |no entry of an address family")
	o.api.dashboard("192.0.2.0/24", "2001:db8::/48") // both, and it stays
	o.settle()
	o.wantState(Held, "kept by hand until")
}

// detours are ways to have nothing wanted, or kept, of a cluster for a while.
var detours = map[string]func(*oneCluster) (back func()){
	"another expose strategy": func(o *oneCluster) func() {
		o.api.change(func(c *Cluster) { c.Spec.ExposeStrategy = "NodePort" })
		return func() { o.api.change(func(c *Cluster) { c.Spec.ExposeStrategy = render.ExposeLoadBalancer }) }
	},
	"unmanaged": func(o *oneCluster) func() {
		w := *o.plan.Clusters[theCluster]
		w.Access, w.List = render.Unmanaged, nil
		return o.planFor(map[string]*render.Wanted{theCluster: &w})
	},
	"in no plan": func(o *oneCluster) func() { return o.planFor(nil) },
}

// planFor has other clusters wanted, until the way back is taken.
func (o *oneCluster) planFor(clusters map[string]*render.Wanted) (back func()) {
	before := o.plan
	o.ctl.SetPlan(&render.Plan{Clusters: clusters, ByHand: before.ByHand})
	return func() { o.ctl.SetPlan(before) }
}

// A time by hand goes on through any detour, and does not begin anew behind it.
func TestTimeByHandIsNotRenewedByADetour(t *testing.T) {
	t.Parallel()
	for name, leave := range detours {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOneCluster(t, "203.0.113.0/24")
			o.isSetByHand(20 * time.Hour)
			o.step(time.Hour)
			back := leave(o)
			o.settle()
			o.step(30 * time.Minute)
			o.api.dashboard("192.0.2.0/25") // this one is new
			back()
			if again := o.settle(); again != 30*time.Minute {
				t.Errorf("looked at again after %s", again)
			}
			o.wantLive("192.0.2.0/25")
			back = leave(o)
			o.settle()
			o.step(time.Hour)
			o.api.dashboard("192.0.2.0/26")
			back()
			o.settle()
			o.wantLive("203.0.113.0/24")
			o.api.dashboard("192.0.2.0/27") // the list in Git was in force
			o.settle()
			o.wantState(Held, "kept by hand until "+o.clock.Now().Add(2*time.Hour).Format(time.RFC3339))
		})
	}
}

// Of a Cluster that was made anew nothing stands, also not if it was in no plan
// when the one before it went.
func TestTimeByHandIsAClustersOwn(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.isSetByHand(20 * time.Hour)
	o.planFor(nil)
	o.settle()
	o.step(3 * time.Hour)
	o.api.change(func(c *Cluster) { c.UID = "uid-2" })
	o.want("203.0.113.0/24")
	o.api.dashboard("192.0.2.0/25")
	o.settle()
	o.wantState(Held, "kept by hand until "+o.clock.Now().Add(2*time.Hour).Format(time.RFC3339))
	o.planFor(nil)
	o.settle()
	o.ctl.gone(theCluster)
	if len(o.ctl.restored) > 0 {
		t.Errorf("of a cluster that is gone there is left %v", o.ctl.restored)
	}
}

// By the annotation alone nothing changes: neither a list in force, nor a new
// one from Git.
func TestAnnotationAloneHoldsNothing(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.grant(2 * time.Hour)
	o.asks(time.Hour)
	o.settle()
	o.wantLive("203.0.113.0/24")
	o.want("198.51.100.0/24")
	o.settle()
	o.wantLive("198.51.100.0/24")
	o.wantState(Synced)
	o.api.set(&AllowedIPRanges{CIDRBlocks: []string{"192.0.2.0/24"}}, Manager, metav1.ManagedFieldsOperationApply)
	o.settle() // another installation is not by hand
	o.wantLive("198.51.100.0/24")
}

// A list that was set while nobody looked counts from then, not from now.
func TestTimeByHandCountsFromTheWrite(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.grant(2 * time.Hour)
	o.asks(24 * time.Hour)
	o.api.dashboard("192.0.2.0/24")
	o.step(90 * time.Minute)
	if again := o.settle(); again != 30*time.Minute {
		t.Errorf("looked at again after %s", again)
	}
	o.step(30 * time.Minute)
	o.settle()
	o.wantLive("203.0.113.0/24")
}

// What Git says meanwhile waits for the end, and is what is written then.
func TestGitWaitsForTheTimeByHand(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.isSetByHand(time.Hour)
	o.want("198.51.100.0/24")
	o.settle()
	o.wantState(Held, "in Git it is 198.51.100.0/24")
	o.wantLive("192.0.2.0/24")
	o.step(time.Hour)
	o.settle()
	o.wantLive("198.51.100.0/24")
	o.wantState(Synced)
	if strings.Contains(strings.Join(o.errors, ""), "contested") {
		t.Errorf("logged: %q", o.errors)
	}
}
