package apply

import (
	"bytes"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of Events on a Service of type LoadBalancer (k8s.io/cloud-provider,
// the service controller; the last one cloud-provider-openstack).
const (
	saidEnsured = "EnsuredLoadBalancer"
	saidUpdated = "UpdatedLoadBalancer"
	saidIgnored = "LoadBalancerSourceRangesIgnored"
)

// sameRound is how long after saying that it ignores the ranges a balancer may
// say that it is done, and mean the same: it says both each time.
const sameRound = time.Minute

// heard is when the load balancer last said so: Events vanish after an hour.
type heard struct{ warned, ignored time.Time }

// elsewhere are reasons of warnings on a Service that others than its load
// balancer give, and that nobody takes back (k8s.io/kubernetes 1.37): the
// controllers of endpoints, as pods come and go, and the API server's own
// repair of addresses and ports, which mends what it reports.
var elsewhere = [...]string{"FailedToUpdateEndpoint", "FailedToUpdateEndpointSlices", "FailedToCreateEndpoint", "TopologyAwareHintsDisabled",
	"ClusterIPAlreadyAllocated", "ClusterIPNotAllocated", "ClusterIPNotValid", "ClusterIPOutOfRange", "IPAddressNotAllocated", "IPAddressWrongReference",
	"PortAlreadyAllocated", "PortNotAllocated", "PortOutOfRange", "PortRangeFull", "ServiceCIDRFull"}

// listenToKKP takes up what KKP says of a cluster.
func (c *Controller) listenToKKP(cl *Cluster, m *memory) {
	m.standing.KKP = kkpSays(m.standing.KKP, cl, !m.looked, c.clock.Now())
}

// deaf forgets what the load balancer said where there is none.
func (m *memory) deaf(none bool) {
	if none {
		m.standing.Balancer, m.standing.Ignored, m.heard = nil, nil, heard{}
	}
}

// listen takes up what the load balancer says. That stands until it says that
// it is done, or the Service changes: then it is about other ranges.
func (m *memory) listen(said []*corev1.Event, svc *corev1.Service) {
	warning, ignored, done := sorted(said, svc)
	s := &m.standing
	m.heard.warned = latest(m.heard.warned, warning, s.Balancer)
	m.heard.ignored = latest(m.heard.ignored, ignored, s.Ignored)
	if over := m.heard.warned; done.After(over) || changedAt(svc).After(over) {
		s.Balancer = nil
	} else if warning != nil {
		s.Balancer = s.Balancer.raise(warning.Reason, warning.Message, saidAt(warning))
	}
	if done.After(m.heard.ignored.Add(sameRound)) {
		s.Ignored = nil
	} else if ignored != nil {
		s.Ignored = s.Ignored.raise(ignored.Reason, ignored.Message, saidAt(ignored))
	}
}

// sorted picks the newest warning, the newest word that ranges are ignored,
// and when the balancer last said that it is done; all of this Service, not of
// one that was there before it.
func sorted(said []*corev1.Event, svc *corev1.Service) (warning, ignored *corev1.Event, done time.Time) {
	for _, e := range said {
		at := saidAt(e)
		switch {
		case e.InvolvedObject.UID != "" && e.InvolvedObject.UID != svc.UID:
		case e.Type == corev1.EventTypeNormal && at.After(done):
			done = at
		case e.Type != corev1.EventTypeWarning, slices.Contains(elsewhere[:], e.Reason):
		case e.Reason == saidIgnored && (ignored == nil || at.After(saidAt(ignored))):
			ignored = e
		case e.Reason != saidIgnored && (warning == nil || at.After(saidAt(warning))):
			warning = e
		}
	}
	return warning, ignored, done
}

// latest is when something was last said: now, before, or, after a restart,
// for the first time.
func latest(before time.Time, e *corev1.Event, standing *Trouble) time.Time {
	if standing != nil && standing.Since.After(before) {
		before = standing.Since
	}
	if e != nil && saidAt(e).After(before) {
		return saidAt(e)
	}
	return before
}

// saidAt is when an Event was last repeated, whichever of its fields the
// reporter fills.
func saidAt(e *corev1.Event) time.Time {
	at := e.CreationTimestamp.Time
	times := []time.Time{e.FirstTimestamp.Time, e.LastTimestamp.Time, e.EventTime.Time}
	if e.Series != nil {
		times = append(times, e.Series.LastObservedTime.Time)
	}
	for _, t := range times {
		if t.After(at) {
			at = t
		}
	}
	return at
}

// kkpSays is what status.errorReason has come to. KKP does not say since when:
// what is there at the first look is old.
func kkpSays(before *Trouble, cl *Cluster, first bool, now time.Time) *Trouble {
	if cl.Status.ErrorReason == "" {
		return nil
	}
	next := before.raise(cl.Status.ErrorReason, cl.Status.ErrorMessage, now)
	if next != before && first {
		next.Old = true
	}
	return next
}

// What the fields that matter are called in managedFields of a Service: the
// ranges, and the balancer's answer in the status.
var answered = [][]byte{[]byte(`"f:loadBalancerSourceRanges"`), []byte(`"f:loadBalancer"`)}

// lastChange reduces managedFields of a Service to the newest entry of whoever
// writes what matters, and of it to the time. The result reduces to itself.
func lastChange(entries []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	var out []metav1.ManagedFieldsEntry
	for _, e := range entries {
		if e.Time == nil || e.FieldsV1 != nil && !ownsAnswer(e.FieldsV1.GetRawBytes()) {
			continue
		}
		if len(out) == 0 || out[0].Time.Before(e.Time) {
			out = []metav1.ManagedFieldsEntry{{Time: e.Time}}
		}
	}
	return out
}

func ownsAnswer(fields []byte) bool {
	for _, name := range answered {
		if bytes.Contains(fields, name) {
			return true
		}
	}
	return false
}

// changedAt is when the ranges of a Service, or the balancer's answer, were
// last written; zero where that is not known.
func changedAt(svc *corev1.Service) time.Time {
	if len(svc.ManagedFields) == 0 {
		return time.Time{}
	}
	return svc.ManagedFields[0].Time.Time
}
