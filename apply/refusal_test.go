package apply_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// answer is one of the API server, in its form.
func answer(req *http.Request, code int32, reason metav1.StatusReason, message string) *http.Response {
	body, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Reason: reason, Message: message, Code: code,
	})
	if err != nil {
		panic(err)
	}
	return &http.Response{
		StatusCode: int(code), Request: req, Body: io.NopCloser(strings.NewReader(string(body))),
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// unavailable answers writes to Clusters as an API server in trouble does.
func unavailable(req *http.Request) *http.Response {
	if req.Method != http.MethodPatch {
		return nil
	}
	return answer(req, http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "etcdserver: leader changed")
}
