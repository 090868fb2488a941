package apply

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/portcullis-gitops/portcullis/render"
)

// By a label nothing is released: what is to be done is said instead.
func TestMigrationLabelReleasesNothing(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.api.change(func(c *Cluster) { c.Labels[migrationLabel] = "true" })
	o.settle()
	o.wantState(Synced, "handed to azure", "releases nothing", "say access: open in Git")
	o.api.dashboard() // as KKP wants it before the strategy changes
	o.settle()
	o.wantLive("203.0.113.0/24")
	o.wantEvents("Warning ListRestored|had emptied the list|To leave the expose strategy LoadBalancer, say access: open in Git first")
	o.want() // open
	o.settle()
	o.wantLive()
	if st := o.state(); st.State != Synced || strings.Contains(st.Message, "label") {
		t.Errorf("once it is open, %s says %q", st.State, st.Message)
	}
	o.api.change(func(c *Cluster) { c.Spec.ExposeStrategy = "Tunneling" })
	o.want("203.0.113.0/24")
	o.settle()
	o.wantState(Waiting, "expose strategy is Tunneling")
}

// The dashboard makes an empty list of an absent field on every save. Where
// that lets in the same, nobody fights over it; where the Seed adds ranges, it
// does not let in the same.
func TestAbsentTurnedToEmpty(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t)
	o.settle()
	o.wantState(Synced, "open: handed to azure without a list")
	o.api.dashboard()
	before := o.api.writes
	o.settle()
	o.wantState(Synced, "open: handed to azure without a list; the empty one on the Cluster ([])")
	o.wantEvents()
	if o.api.writes != before || o.state().Standing != nil {
		t.Errorf("%d writes, and there stands %v", o.api.writes-before, o.state().Standing)
	}

	o.ctl.seed.ranges.Default = []string{"198.51.100.0/24"}
	o.look()
	if o.api.cluster.Spec.AllowedIPRanges != nil {
		t.Error("with the Seed's default ranges, the empty list is not open, and was left")
	}
}

func TestTemplateThatRefillsIsNamed(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.ctl.seed.template = "seed-defaults"
	o.api.template = []string{"10.0.0.0/8"}
	o.want() // open: the template makes a list of it, each time
	again := o.look()
	o.wantState(Rejected, "something else than was sent: 10.0.0.0/8", "the cluster template seed-defaults (defaultClusterTemplate of the Seed) refills it")
	if again != firstRefusal {
		t.Errorf("tried again after %s", again)
	}
	before := o.api.writes
	o.look() // another look is no other try
	o.step(again)
	o.look()
	if n := o.api.writes - before; n != 1 {
		t.Errorf("%d tries", n)
	}
	o.wantEvents("Warning ListRejected|the cluster template seed-defaults")
	if len(o.ctl.PutRight()) != 0 {
		t.Error("the template is taken for somebody's overwrite")
	}
	o.want("203.0.113.0/24") // a list it leaves alone
	o.settle()
	o.wantState(Synced)
}

func TestPausedClusterIsPutRight(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.api.change(func(c *Cluster) { c.Spec.Pause, c.Spec.PauseReason = true, "under repair" })
	o.api.dashboard("192.0.2.0/24")
	o.settle()
	o.wantLive("203.0.113.0/24")
	o.wantState(Waiting, "paused (under repair)", "kubermatic-api had set the list to 192.0.2.0/24")
}

func TestClusterBeingDeletedIsNobodysFight(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.api.dashboard("192.0.2.0/24")
	o.settle()
	now := metav1.NewTime(noon)
	o.api.change(func(c *Cluster) { c.DeletionTimestamp = &now })
	o.api.dashboard("192.0.2.0/24")
	before := o.api.writes
	if again := o.look(); again != 0 || o.api.writes != before {
		t.Errorf("%d writes, looked at again after %s", o.api.writes-before, again)
	}
	o.wantState(Missing, "being deleted")
	if s := o.state().Standing; s != nil {
		t.Errorf("of one that goes there stands %v", s.Problems())
	}
}

// One made anew under an old name is another cluster: neither a foreign write,
// nor the fights of the one before it.
func TestClusterMadeAnewHasNoPast(t *testing.T) {
	t.Parallel()
	for _, restarted := range []bool{false, true} {
		o := newOneCluster(t, "203.0.113.0/24")
		o.settle()
		o.fight()
		o.happened()
		o.api.change(func(c *Cluster) { c.UID, c.Spec.AllowedIPRanges, c.ManagedFields = "uid-2", nil, nil })
		if restarted {
			o.restart()
		}
		before := o.api.writes
		o.look()
		o.wantState(Missing, "another Cluster of this ID")
		if o.api.writes != before || o.state().Standing != nil {
			t.Errorf("%d writes, and there stands %v", o.api.writes-before, o.state().Standing)
		}
		o.want("203.0.113.0/24")
		o.settle()
		o.wantState(Synced)
		o.wantLive("203.0.113.0/24")
		o.wantEvents()
		if o.state().Standing != nil {
			t.Errorf("there stands %v", o.state().Standing.Problems())
		}
	}
}

// A refusal by KKP is no fight, and a fight does not hide it.
func TestStandingIsKeptWhileAPlanIsPending(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.api.dashboard("192.0.2.0/24")
	o.settle()
	o.want("198.51.100.0/24")
	o.wantState(Pending, "kubermatic-api had set the list to 192.0.2.0/24")
	o.step(time.Hour)
	o.settle()
	o.wantState(Synced, "kubermatic-api had set the list to 192.0.2.0/24")
}

func TestNoticesNameTheWaysAround(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	if got := o.ctl.Notices(); len(got) != 2 || !strings.Contains(got[0], "apiserver-external") || !strings.Contains(got[1], "is not known") {
		t.Errorf("without a Seed: %q", got)
	}
	seed := &Seed{Spec: SeedSpec{DefaultClusterTemplate: "seed-defaults", Datacenters: map[string]Datacenter{}}}
	for name, kind := range map[string]string{"b": "LoadBalancer", "a": "LoadBalancer", "c": "NodePort", "d": ""} {
		var dc Datacenter
		dc.Spec.APIServerServiceType = kind
		seed.Spec.Datacenters[name] = dc
	}
	o.ctl.seed.take(seed)
	got := o.ctl.Notices()
	if len(got) != 2 || !strings.Contains(got[1], "in datacenter a, b, apiServerServiceType: LoadBalancer") {
		t.Errorf("got %q", got)
	}
	if o.ctl.seed.templateName() != "seed-defaults" {
		t.Error("the template is not known")
	}
	delete(seed.Spec.Datacenters, "a")
	delete(seed.Spec.Datacenters, "b")
	o.ctl.seed.take(seed)
	if got := o.ctl.Notices(); len(got) != 1 {
		t.Errorf("where no datacenter has one: %q", got)
	}
}

// That the Seed cannot be read is said once it was tried, and not where it turns
// out to be there.
func TestNoticesWaitForTheFirstAnswerOfTheSeed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  func(*seedWatch)
		unknown bool
	}{
		"it is read":         {func(s *seedWatch) { s.take(&Seed{}) }, false},
		"it is not there":    {func(s *seedWatch) { s.answered() }, true},
		"it may not be read": {func(s *seedWatch) { s.missed(t.Context(), nil, errors.New("forbidden")) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged []string
			sink := funcr.New(func(_, args string) { logged = append(logged, args) }, funcr.Options{})
			ctl := newController(nil, Options{Log: sink, SeedResource: types.NamespacedName{Namespace: "kubermatic", Name: "eu-west"}})
			said := func() bool { return strings.Contains(strings.Join(logged, "\n"), "is not known") }
			ctl.logNotices() // as at the start
			if len(logged) != 1 || said() || len(ctl.Notices()) != 1 {
				t.Errorf("before the Seed was tried: %q", logged)
			}
			c.answer(ctl.seed)
			if said() != c.unknown || (len(ctl.Notices()) == 2) != c.unknown {
				t.Errorf("it logged %q, and notes %q", logged, ctl.Notices())
			}
		})
	}
}

func TestMessageWithWhatStandsBesides(t *testing.T) {
	t.Parallel()
	kkp := (&Standing{KKP: &Trouble{Reason: "ReconcileError", Message: "no", Since: noon}}).Problems()
	for name, c := range map[string]struct {
		state   State
		message string
		want    string
	}{
		"in force":         {Synced, "handed to azure", "KKP says ReconcileError: no, since 2026-11-22T12:00:00Z; handed to azure"},
		"not yet":          {Applied, "written", "written; KKP says ReconcileError: no, since 2026-11-22T12:00:00Z"},
		"said by it, once": {Applied, "written; KKP says ReconcileError: no", "written; KKP says ReconcileError: no"},
	} {
		if got := besides(c.state, c.message, kkp); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := besides(Held, render.RuleFreeze, (*Standing)(nil).Problems()); got != render.RuleFreeze {
		t.Errorf("got %q", got)
	}
}
