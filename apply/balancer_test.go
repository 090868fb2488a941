package apply

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (o *oneCluster) wantTrouble(want string) {
	o.t.Helper()
	got := ""
	if tr := o.state().Trouble; tr != nil {
		got = tr.Reason
	}
	if got != want {
		o.t.Errorf("against the list speaks %q, not %q", got, want)
	}
}

func TestBalancerTroubleStandsUntilItSucceedsOrTheServiceChanges(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*oneCluster){
		"it says that it is done": func(o *oneCluster) { o.api.says(corev1.EventTypeNormal, "EnsuredLoadBalancer", "done") },
		"it says that it updated": func(o *oneCluster) { o.api.says(corev1.EventTypeNormal, "UpdatedLoadBalancer", "done") },
		"other ranges":            func(o *oneCluster) { o.want("198.51.100.0/24") },
		"another Service":         func(o *oneCluster) { o.api.service.UID = "svc-2"; o.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOneCluster(t, "203.0.113.0/24")
			o.settle()
			o.step(time.Minute)
			o.api.says(corev1.EventTypeWarning, "SyncLoadBalancerFailed", "quota exceeded (request 8f1b-1)")
			o.settle()
			o.wantState(Synced, "the load balancer says SyncLoadBalancerFailed: quota exceeded", "since 2026-11-22T12:01:00Z")
			o.wantTrouble("SyncLoadBalancerFailed")

			before := o.state()
			o.step(5 * time.Minute) // it says so again, with other numbers: that is no news
			o.api.says(corev1.EventTypeWarning, "SyncLoadBalancerFailed", "quota exceeded (request 9c2d-7)")
			o.settle()
			if after := o.state(); *after.Trouble != *before.Trouble || !after.Since.Equal(before.Since) {
				t.Errorf("from %+v to %+v", before.Trouble, after.Trouble)
			}
			if name != "another Service" {
				o.api.events = nil // they vanish after an hour, and a restart forgets
				o.restart()
				o.settle()
				o.wantTrouble("SyncLoadBalancerFailed")
			}
			o.step(time.Minute)
			end(o)
			o.settle()
			o.settle()
			o.wantState(Synced)
			if name != "another Service" {
				o.wantTrouble("")
				if s := o.state().Standing; s != nil {
					t.Errorf("there stands %v", s.Problems())
				}
			}
		})
	}
}

// A word about the ranges that were there before is none about these.
func TestTroubleOfOldRangesIsNotTheNewListsFault(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.step(time.Minute)
	o.api.says(corev1.EventTypeWarning, "SyncLoadBalancerFailed", "no route to the cloud")
	o.settle()
	o.step(time.Minute)
	o.want("198.51.100.0/24")
	o.look() // written, and not on the Service yet
	o.wantState(Applied, "SyncLoadBalancerFailed")
	o.wantTrouble("")
	o.step(time.Minute)
	o.settle()
	o.wantState(Synced)
	o.wantTrouble("")
	o.step(time.Second)
	o.api.says(corev1.EventTypeWarning, "SyncLoadBalancerFailed", "no route to the cloud")
	o.settle()
	o.wantTrouble("SyncLoadBalancerFailed")
}

func TestEventsThatSayNothing(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.step(time.Minute)
	o.api.says(corev1.EventTypeWarning, "SyncLoadBalancerFailed", "of another Service")
	o.api.events[0].InvolvedObject.UID = "svc-0"
	o.api.says(corev1.EventTypeWarning, "FailedToUpdateEndpointSlices", "of the pods")
	o.api.says(corev1.EventTypeWarning, "ClusterIPNotAllocated", "Cluster IP [IPv4]: 10.0.0.113 is not allocated; repairing")
	o.settle()
	o.wantTrouble("")
	o.step(time.Minute)
	o.api.says(corev1.EventTypeWarning, "SyncLoadBalancerFailed", "and then it worked")
	o.step(time.Second)
	o.api.says(corev1.EventTypeNormal, "EnsuredLoadBalancer", "")
	o.settle()
	o.wantTrouble("")
}

// In a pause nobody says anything, and nothing has changed.
func TestTroubleStandsThroughAPause(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.step(time.Minute)
	o.api.says(corev1.EventTypeWarning, "SyncLoadBalancerFailed", "quota exceeded")
	o.settle()
	o.api.change(func(c *Cluster) { c.Spec.Pause = true })
	o.settle()
	o.wantState(Waiting, "SyncLoadBalancerFailed")
	o.wantTrouble("") // what waits is not in force anyway
	o.api.change(func(c *Cluster) { c.Spec.Pause = false })
	o.settle()
	o.wantTrouble("SyncLoadBalancerFailed")
	o.api.service = nil
	o.look()
	o.wantState(Applied)
	if s := o.state().Standing; s != nil {
		t.Errorf("without a Service there stands %v", s.Problems())
	}
}

// A balancer that ignores the list says so each time, and that it is done.
func TestIgnoredRangesAreNotEnforced(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	o.step(time.Minute)
	o.api.says(corev1.EventTypeWarning, "LoadBalancerSourceRangesIgnored", "set manage-security-groups")
	o.step(time.Second)
	o.api.says(corev1.EventTypeNormal, "EnsuredLoadBalancer", "")
	o.settle()
	if st := o.state(); !strings.HasPrefix(st.Message, "not enforced: azure says LoadBalancerSourceRangesIgnored") {
		t.Errorf("%s says %q", st.State, st.Message)
	}
	o.wantTrouble("LoadBalancerSourceRangesIgnored")
	o.ctl.SetBalancer(Balancer{Name: "azure", Ignores: true}) // known of this profile: its rule decides
	o.settle()
	o.wantTrouble("")
	o.ctl.SetBalancer(Balancer{Name: "azure"})
	o.step(time.Hour)
	o.api.says(corev1.EventTypeNormal, "EnsuredLoadBalancer", "and says nothing of ranges")
	o.settle()
	o.wantTrouble("")
	if st := o.state(); st.Message != "handed to azure" {
		t.Errorf("%s says %q", st.State, st.Message)
	}
}

// A policy that names another load balancer is told of at once, by the reconciler
// and by who reads its state, and nothing is written for it.
func TestStatesTellOfTheBalancerOfANewPolicy(t *testing.T) {
	t.Parallel()
	for words, b := range map[string]Balancer{"handed to aws-nlb": {Name: "aws-nlb"}, "not enforced by hetzner": {"hetzner", true},
		"handed to the load balancer": {}, "not enforced by the load balancer": {Ignores: true}} {
		o := newOneCluster(t, "203.0.113.0/24")
		o.settle()
		writes := o.api.writes
		o.ctl.SetBalancer(b)
		o.settle()
		if st := o.state(); st.Message != words || o.api.writes != writes {
			t.Errorf("%+v: %q, after %d writes", b, st.Message, o.api.writes-writes)
		}
		services := map[string]*corev1.Service{o.api.cluster.Status.NamespaceName: o.api.service}
		seen := observe([]Cluster{*o.api.cluster}, services, map[string]SourceState{"gone": {}, "customers": {Balancer: b}})
		if len(seen) != 1 || seen[0].State != Synced || seen[0].Message != words {
			t.Errorf("%+v is observed as %+v", b, seen)
		}
	}
}

func TestWhatKKPSaysOfACluster(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	fault := func(reason, message string) {
		o.api.change(func(c *Cluster) { c.Status.ErrorReason, c.Status.ErrorMessage = reason, message })
	}
	fault("ReconcileError", "the version is too old") // before anybody looked
	o.settle()
	o.wantState(Synced, "KKP says ReconcileError: the version is too old")
	o.wantTrouble("")
	o.step(time.Minute)
	fault("ReconcileError", "cannot write the Service")
	o.settle()
	o.wantTrouble("ReconcileError")
	o.step(time.Minute)
	o.want("198.51.100.0/24") // the commit after it is not at fault
	o.settle()
	o.wantTrouble("")
	o.wantState(Synced, "KKP says ReconcileError: cannot write the Service")
	fault("", "")
	o.settle()
	if s := o.state().Standing; s != nil {
		t.Errorf("there stands %v", s.Problems())
	}
}

// One event for each thing that a load balancer does, of each cluster: only
// what is read is kept of it, and a bounded part of that.
func TestEventsAreTrimmed(t *testing.T) {
	t.Parallel()
	e := &corev1.Event{Type: "Warning", Reason: strings.Repeat("r", 1000), Message: strings.Repeat("m", 100_000), ReportingController: "x"}
	e.Name, e.Namespace, e.ResourceVersion = "e", "ns", "7"
	e.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "x"}}
	e.InvolvedObject = corev1.ObjectReference{UID: "svc-1", Name: serviceName, Kind: "Service"}
	e.LastTimestamp = metav1.NewTime(noon)
	for range 2 { // trimmed, and trimmed again
		out, err := trimEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		e = out.(*corev1.Event)
	}
	if len(e.Message) > maxTrouble || len(e.Reason) > maxReason || e.ManagedFields != nil || e.ReportingController != "" {
		t.Errorf("kept: %+v", e)
	}
	if e.Name != "e" || e.Namespace != "ns" || e.ResourceVersion != "7" || e.InvolvedObject.UID != "svc-1" || !saidAt(e).Equal(noon) {
		t.Errorf("lost: %+v", e)
	}
	if out, _ := trimEvent(&corev1.Event{Type: "Normal", Message: "x"}); out.(*corev1.Event).Message != "" {
		t.Error("the words of what is normal are kept")
	}
}

func TestWhenAnEventWasLastRepeated(t *testing.T) {
	t.Parallel()
	at := metav1.NewTime(noon)
	for name, e := range map[string]corev1.Event{
		"first":   {FirstTimestamp: at},
		"last":    {LastTimestamp: at, FirstTimestamp: metav1.NewTime(noon.Add(-time.Hour))},
		"time":    {EventTime: metav1.NewMicroTime(noon)},
		"series":  {EventTime: metav1.NewMicroTime(noon.Add(-time.Hour)), Series: &corev1.EventSeries{LastObservedTime: metav1.NewMicroTime(noon)}},
		"created": {ObjectMeta: metav1.ObjectMeta{CreationTimestamp: at}},
	} {
		if got := saidAt(&e); !got.Equal(noon) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestServiceChangeIsThatOfRangesAndAnswer(t *testing.T) {
	t.Parallel()
	entries := []metav1.ManagedFieldsEntry{
		managed("kkp", metav1.ManagedFieldsOperationUpdate, `{"f:spec":{"f:loadBalancerSourceRanges":{}}}`, noon),
		managed("ccm", metav1.ManagedFieldsOperationUpdate, `{"f:status":{"f:loadBalancer":{"f:ingress":{}}}}`, noon.Add(time.Minute)),
		managed("ccm", metav1.ManagedFieldsOperationUpdate, `{"f:metadata":{"f:finalizers":{}}}`, noon.Add(time.Hour)),
	}
	for range 2 {
		entries = lastChange(entries)
		if len(entries) != 1 || !entries[0].Time.Time.Equal(noon.Add(time.Minute)) {
			t.Fatalf("kept: %+v", entries)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	o.settle()
	var wide []string
	for i := range 250 {
		wide = append(wide, fmt.Sprintf("192.0.%d.0/24", i))
	}
	o.api.dashboard(wide...)
	o.step(time.Second)
	o.api.says(corev1.EventTypeWarning, "SyncLoadBalancerFailed", strings.Repeat("words ", 10_000))
	o.api.change(func(c *Cluster) {
		c.Status.ErrorReason, c.Status.ErrorMessage = strings.Repeat("r", 500), strings.Repeat("words ", 10_000)
	})
	o.settle()
	if all := strings.Join(o.state().Standing.Problems(), ""); len(all) > 1500 {
		t.Errorf("%d bytes: %s", len(all), all)
	}
}
