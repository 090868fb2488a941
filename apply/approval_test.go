package apply

import (
	"strings"
	"testing"

	"k8s.io/client-go/tools/record"
)

// An approval leaves an Event, and a dry run nothing at all.
func TestApprovalLeavesAnEvent(t *testing.T) {
	t.Parallel()
	for dry, want := range map[bool]int{false: 1, true: 0} {
		events := record.NewFakeRecorder(10)
		c := newController(nil, Options{DryRun: dry})
		c.events = events
		c.Approved(&Approvals{namespace: "portcullis"}, Approval{Source: "customers", Commit: "4711", By: "ops", Reason: "planned"})
		if len(events.Events) != want {
			t.Fatalf("dry run %v: %d events", dry, len(events.Events))
		}
		if dry {
			continue
		}
		if e := <-events.Events; !strings.Contains(e, "ops let what was held of customers up to 4711 go ahead: planned") {
			t.Errorf("the event says %q", e)
		}
	}
}
