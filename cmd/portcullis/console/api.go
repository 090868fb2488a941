package console

import (
	"bytes"
	"encoding/json"
)

const jsonKind = "application/json; charset=utf-8"

// asJSON is a value as JSON. Nothing in it is escaped for HTML: its kind says
// what it is, and nosniff sees to it.
func asJSON(value any) (answer, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return answer{body: b.Bytes(), kind: jsonKind}, err
}

// problem is an error as JSON.
func problem(r *refusal) answer {
	a, err := asJSON(map[string]string{"error": r.words})
	if err != nil {
		a = answer{body: []byte("{}"), kind: jsonKind}
	}
	a.status = r.status
	return a
}

// apiStatus is all of the fleet that the viewer may see. Who has it already, and
// says so by its tag, is not sent it again.
func (h *Handler) apiStatus(q *request) (answer, error) {
	q.status.asked.Store(true)
	body, tag, err := q.document()
	return answer{body: body, kind: jsonKind, tag: tag}, err
}

func (h *Handler) apiCluster(q *request) (answer, error) {
	c, err := h.clusterOf(q, q.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	return asJSON(c)
}
