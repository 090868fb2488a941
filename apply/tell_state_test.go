package apply

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/portcullis-gitops/portcullis/render"
)

// hold has the plan hold the list that the cluster has.
func (o *oneCluster) hold(rule, message string) {
	o.rewant(func(w *render.Wanted) { w.Held = &render.Hold{Rule: rule, Message: message} })
}

// rewant changes what is wanted.
func (o *oneCluster) rewant(change func(*render.Wanted)) {
	plan := *o.plan
	w := *plan.Clusters[theCluster]
	change(&w)
	plan.Clusters = map[string]*render.Wanted{theCluster: &w}
	o.plan = &plan
	o.ctl.SetPlan(o.plan)
}

func TestEventsOfHolds(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.hold("too-wide", "the file is refused: acme/production.yaml:7: error[too-wide]: 10.0.0.0/8 is wide")
	o.settle()
	o.wantEvents("Warning ListHeld|does not follow Git (acme/production.yaml)|error[too-wide]|The list that was in force stays. Mend it in Git.")
	o.hold("too-wide", "the file is refused: acme/production.yaml:9: error[too-wide]: 11.0.0.0/8 is wide")
	o.settle()
	o.wantEvents() // as it was
	o.hold(render.RuleBlastRadius, "takes access away on 12 of the clusters of acme (12)")
	o.settle()
	o.wantEvents("Warning ListHeld|takes access away on 12|goes ahead once the provider approves it")
	o.hold(render.RuleFreeze, "frozen until 2026-11-30T06:00:00Z: migration")
	o.settle()
	o.wantEvents("Warning ListFrozen|(acme/production.yaml) waits|the provider keeps the cluster frozen until 2026-11-30T06:00:00Z: migration")
	o.want("203.0.113.0/24")
	o.settle()
	o.wantEvents("Normal ListReleased|follows Git again (acme/production.yaml): what held it back is over. On the cluster is now: 203.0.113.0/24.")
	o.hold(render.RuleFreeze, "frozen until 2026-11-30T06:00:00Z: migration")
	o.settle()
	o.wantEvents("Warning ListFrozen") // it is one again
}

// A cluster that never had a good list.
func TestEventOfAHoldWithoutAList(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.rewant(func(w *render.Wanted) {
		w.List, w.Access, w.Held = nil, "", &render.Hold{Rule: "yaml-syntax", Message: "the file is refused"}
	})
	o.ctl.told.old = map[string]bool{}
	o.settle()
	o.wantEvents("Warning ListHeld|Nothing is written, what is there stays.")
}

func TestEventOfARejection(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.api.template = []string{"192.0.2.0/24"} // refills what is opened
	o.want()
	o.settle()
	o.wantState(Rejected)
	o.wantEvents("Warning ListRejected|could not be set to what Git says (acme/production.yaml)|stored something else than was sent|tried again")
	o.step(2 * time.Hour) // it is tried again, and refused again
	o.settle()
	o.wantEvents()
	o.api.template = nil
	o.step(2 * time.Hour)
	o.settle()
	o.wantEvents("Normal ListReleased|On the cluster is now: open")
}

// What is wrong at a start was told by the process before.
func TestNoOldNewsAtAStart(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.hold("too-wide", "the file is refused")
	o.settle()
	o.wantEvents("Warning ListHeld")
	o.restart()
	o.settle()
	o.wantState(Held)
	o.wantEvents()
	o.hold("yaml-syntax", "the file is refused, and now for another reason")
	o.settle()
	o.wantEvents("Warning ListHeld|another reason")
	o.restart()
	o.settle()
	o.want("192.0.2.0/28")
	o.settle()
	o.wantEvents("Normal ListReleased|192.0.2.0/28") // an earlier process told of the hold
}

func TestEventOfAnEntryThatExpired(t *testing.T) {
	t.Parallel()
	entry := func(cidr, what string, at time.Time) render.Entry {
		return render.Entry{Prefix: netip.MustParsePrefix(cidr), Description: what, Expires: at}
	}
	over := noon.Add(time.Hour)
	entries := []render.Entry{entry("203.0.113.0/24", "office", time.Time{}), entry("198.51.100.7/32", "contractor", over),
		entry("203.0.113.9/32", "also in the office", over), entry("192.0.2.7/32", "long ago", noon.Add(-time.Hour))}
	o := newOneCluster(t, "198.51.100.7/32", "203.0.113.0/24")
	plan := func(at time.Time, list ...string) {
		o.want(list...)
		o.plan.Clusters[theCluster].Entries, o.plan.Now = entries, at
		o.ctl.SetPlan(o.plan)
	}
	plan(noon, "198.51.100.7/32", "203.0.113.0/24")
	o.settle()
	o.wantEvents()
	w := *o.plan.Clusters[theCluster]
	w.List = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	o.plan = &render.Plan{Now: over, Clusters: map[string]*render.Wanted{theCluster: &w}}
	o.ctl.SetPlan(o.plan)
	o.wantEvents() // not before it is so
	o.settle()
	o.wantLive("203.0.113.0/24")
	o.wantEvents("Normal AccessExpired|198.51.100.7/32 (contractor) until " + over.Format(time.RFC3339) + ". To let in again|(acme/production.yaml)")
	o.step(time.Hour)
	o.settle()
	o.wantEvents()
}

// Ten thousand clusters that are held at once are a hundred Events at most, ten
// of a tenant; as time passes there are a few more.
func TestMassHoldIsNoFloodOfEvents(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakePassiveClock(noon)
	recorder := record.NewFakeRecorder(20000)
	c := newController(nil, Options{Clock: clock, Log: logr.Discard()})
	c.events = recorder
	c.SetPlan(&render.Plan{}) // a start that finds nothing
	fleet := func(rule string) map[string]*render.Wanted {
		out := map[string]*render.Wanted{}
		for i := range 10000 {
			w := &render.Wanted{Cluster: fmt.Sprintf("c%05d", i), Claim: render.Claim{Tenant: fmt.Sprint("t", i%50)}, Held: &render.Hold{Rule: rule, Message: "too much at once"}}
			if i%2 == 0 {
				w.Claim.Tenant = "large"
			}
			out[w.Cluster] = w
		}
		return out
	}
	tell := func(rule string) int {
		plan := &render.Plan{Clusters: fleet(rule)}
		c.SetPlan(plan)
		for id, w := range plan.Clusters {
			c.record(id, w, say(Held, "too much at once"))
		}
		n := len(recorder.Events)
		for range n {
			if e := <-recorder.Events; !strings.Contains(e, "ListHeld") {
				t.Errorf("%s", e)
			}
		}
		return n
	}
	if got := tell("too-wide"); got != mostTold {
		t.Errorf("%d Events, not %d", got, mostTold)
	}
	clock.SetTime(noon.Add(5 * againAfter))
	if got := tell("yaml-syntax"); got != 5 {
		t.Errorf("%d more Events, not 5", got)
	}
}

// Ten thousand lists that were made by hand are taken over, and somebody sets all
// of them again and again: each time a hundred Events at most, and what is a fight
// is told beside them.
func TestOthersWritesAreNoFloodOfEvents(t *testing.T) {
	t.Parallel()
	recorder := record.NewFakeRecorder(100000)
	c := newController(nil, Options{Clock: clocktesting.NewFakePassiveClock(noon), Log: logr.Discard()})
	c.events = recorder
	const fleet = 10000
	memories := make([]memory, fleet)
	each := func(do func(w *render.Wanted, live *Cluster, m *memory)) map[string]int {
		for i := range fleet {
			live := &Cluster{Spec: ClusterSpec{AllowedIPRanges: &AllowedIPRanges{CIDRBlocks: []string{"198.51.100.7/32"}}}}
			live.Name = fmt.Sprintf("c%05d", i)
			w := &render.Wanted{Cluster: live.Name, Claim: render.Claim{Tenant: fmt.Sprint("t", i%50)}, Access: render.Restricted,
				List: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}
			do(w, live, &memories[i])
		}
		told := map[string]int{}
		for range len(recorder.Events) {
			told[strings.Fields(<-recorder.Events)[1]]++
		}
		return told
	}
	if got := each(c.tellAdopted); got[reasonAdopted] != mostTold || len(got) != 1 {
		t.Errorf("of the first sync it tells %v", got)
	}
	sums := map[string]int{}
	for range 20 {
		for reason, n := range each(func(w *render.Wanted, live *Cluster, m *memory) { c.tellForeign(w, live, m, "terraform") }) {
			sums[reason] += n
		}
	}
	if sums[reasonRestored] > mostTold || sums[reasonContested] != mostTold || len(sums) > 2 {
		t.Errorf("of all that it puts right it tells %v", sums)
	}
}

func TestATenantTakesNoMoreThanItsShareOfEvents(t *testing.T) {
	t.Parallel()
	bounds := newBounds()
	n := 0
	for range 1000 {
		if bounds.allows("large", noon) {
			n++
		}
	}
	if n != mostToldOfTenant || !bounds.allows("small", noon) {
		t.Errorf("%d Events of one tenant, not %d; or none for another", n, mostToldOfTenant)
	}
	for i := range 10 * mostTenants {
		bounds.allows(fmt.Sprint(i), noon)
	}
	if len(bounds.tenants) > mostTenants {
		t.Errorf("%d tenants are remembered", len(bounds.tenants))
	}
}
