package servers

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// auditPolicy notes who asked for what, once it is answered, and no bodies.
// A watch is noted when it ends, unless asked for its start as well.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`

// AuditEvent is one request to kube-apiserver, as its audit log has it. A
// watch gives two: one as it starts and one as it ends.
type AuditEvent struct {
	Stage      string    `json:"stage"` // ResponseStarted or ResponseComplete
	Verb       string    `json:"verb"`  // get, list, watch, create, update, patch, delete
	RequestURI string    `json:"requestURI"`
	UserAgent  string    `json:"userAgent"`
	Time       time.Time `json:"requestReceivedTimestamp"`
	User       struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// Audited are the requests that kube-apiserver has answered and that match, in
// the order of the answers; nil matches all. kube-apiserver writes an event
// before the answer is complete, so what a caller has seen answered is in it.
func (p *ControlPlane) Audited(match func(AuditEvent) bool) ([]AuditEvent, error) {
	if p.audit == "" {
		return nil, errors.New("read the audit log: the control plane was started without one")
	}
	file, err := os.Open(p.audit)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	defer file.Close()
	events, err := auditEvents(file, match)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return events, nil
}

// auditEvents reads an event a line. The last line may be half written.
func auditEvents(r io.Reader, match func(AuditEvent) bool) ([]AuditEvent, error) {
	var events []AuditEvent
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		var event AuditEvent
		if err := json.Unmarshal(line, &event); err != nil {
			return nil, err
		}
		if match == nil || match(event) {
			events = append(events, event)
		}
	}
}
