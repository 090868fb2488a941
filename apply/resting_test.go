package apply

import (
	"testing"
	"time"
)

// A time by hand goes on over a restart, too, that comes while no plan has the
// cluster.
func TestTimeByHandOutlivesARestartInNoPlan(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.isSetByHand(20 * time.Hour)
	if resting := o.ctl.Resting(); resting != nil {
		t.Errorf("of a cluster of the plan it is told besides: %v", resting)
	}
	o.step(time.Hour)
	before := o.plan
	o.planFor(nil)
	o.settle()
	left := o.ctl.Resting()
	if len(left) != 1 || left[theCluster].UID == "" {
		t.Fatalf("left is %v", left)
	}
	o.plan = nil
	o.start(left)
	o.step(30 * time.Minute)
	o.api.dashboard("192.0.2.0/25")
	if again := o.ctl.Resting(); len(again) != 1 {
		t.Errorf("a second restart would be left %v", again)
	}
	o.plan = before
	o.ctl.SetPlan(before)
	if again := o.settle(); again != 30*time.Minute {
		t.Errorf("looked at again after %s", again)
	}
	o.wantLive("192.0.2.0/25")
	if resting := o.ctl.Resting(); resting != nil {
		t.Errorf("back in the plan, it is told besides: %v", resting)
	}
	o.ctl.gone("another")
	o.planFor(nil)
	o.settle()
	if o.ctl.gone(theCluster); len(o.ctl.Resting()) != 0 {
		t.Error("a Cluster that is gone is remembered")
	}
}
