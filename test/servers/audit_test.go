package servers

import (
	"strings"
	"testing"
)

func TestAuditEventsLeaveAHalfWrittenLine(t *testing.T) {
	t.Parallel()
	const whole = `{"verb":"get","stage":"ResponseComplete","objectRef":{"resource":"clusters"}}` + "\n"
	events, err := auditEvents(strings.NewReader(whole+whole+whole[:20]), nil)
	if err != nil || len(events) != 2 || events[1].ObjectRef.Resource != "clusters" {
		t.Errorf("read %+v (%v)", events, err)
	}
	none, err := auditEvents(strings.NewReader(whole), func(e AuditEvent) bool { return e.Verb == "list" })
	if err != nil || len(none) != 0 {
		t.Errorf("what does not match was read: %+v (%v)", none, err)
	}
}

func TestAuditWithoutALogIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := (&ControlPlane{}).Audited(nil); err == nil {
		t.Error("counting without a log would find that nothing was asked")
	}
}
