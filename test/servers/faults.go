package servers

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Fault handles a request in the proxy's place, or passes it on to the server.
// It must end when ended is closed.
type Fault func(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{})

// Faults of an API server and of the way to it. All but the first two are for
// the requests that a matcher picks.

// IsWatch picks watches.
func IsWatch(r *http.Request) bool {
	v := r.URL.Query().Get("watch")
	return v == "true" || v == "1"
}

// IsWrite picks requests that change something.
func IsWrite(r *http.Request) bool { return r.Method != http.MethodGet }

// IsClusterWrite picks those that change a Cluster.
func IsClusterWrite(r *http.Request) bool {
	return IsWrite(r) && strings.Contains(r.URL.Path, "/clusters/")
}

// IsConfigMap picks requests about a ConfigMap.
func IsConfigMap(r *http.Request) bool { return strings.Contains(r.URL.Path, "/configmaps") }

// Silent accepts requests and answers none, as a network does that loses
// packets.
func Silent(w http.ResponseWriter, r *http.Request, _ http.Handler, ended <-chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-ended:
	}
	panic(http.ErrAbortHandler)
}

// On has the fault befall only the requests that match.
func On(match func(*http.Request) bool, f Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{}) {
		if match(r) {
			f(w, r, server, ended)
			return
		}
		server.ServeHTTP(w, r)
	}
}

// Most has the fault befall all but each n-th request, so that work goes on.
func Most(n int64, f Fault) Fault {
	var count atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{}) {
		if count.Add(1)%n == 0 {
			server.ServeHTTP(w, r)
			return
		}
		f(w, r, server, ended)
	}
}

// Refuse answers in the API server's words, with Retry-After where that is not
// zero.
func Refuse(code int, reason, message string, retryAfter int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		w.Header().Set("Content-Type", "application/json")
		if retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		}
		w.WriteHeader(code)
		fmt.Fprint(w, status(code, reason, message, retryAfter))
	}
}

func status(code int, reason, message string, retryAfter int) string {
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":%q,"reason":%q,"details":{"retryAfterSeconds":%d},"code":%d}`,
		message, reason, retryAfter, code)
}

// Late answers after a while; a request whose caller left meanwhile is not
// passed on.
func Late(wait time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{}) {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ended:
		case <-r.Context().Done():
			return
		}
		server.ServeHTTP(w, r)
	}
}

// Unheard does what is asked, and the answer is lost.
func Unheard(_ http.ResponseWriter, r *http.Request, server http.Handler, _ <-chan struct{}) {
	server.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// Garbage answers something that no API server says.
func Garbage(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
	w.Header().Set("Content-Type", "application/json")
	w.Write([]byte(`{"type":"MODIFIED","object":{"kind":"Clus` + "\x00\xff" + `<html>`)) //nolint:errcheck // its reader may have gone
}

// Gone answers a watch as an API server does whose history was compacted.
func Gone(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, "{\"type\":\"ERROR\",\"object\":%s}\n",
		status(http.StatusGone, "Expired", "too old resource version: 1 (2)", 0))
}

// Broken passes a response's first bytes on and then drops the connection.
func Broken(bytesFirst int) Fault {
	return func(w http.ResponseWriter, r *http.Request, server http.Handler, _ <-chan struct{}) {
		server.ServeHTTP(&cutter{ResponseWriter: w, left: bytesFirst}, r)
	}
}

// cutter lets so many bytes of a body through.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b[:min(len(b), c.left)])
	if c.left -= n; c.left <= 0 {
		c.Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// Flush sends what was written so far.
func (c *cutter) Flush() {
	if f, ok := c.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// WriteHeader keeps a length out that would not be true.
func (c *cutter) WriteHeader(code int) {
	c.Header().Del("Content-Length")
	c.ResponseWriter.WriteHeader(code)
}

// Bent changes a response's body, whole, before it is passed on.
func Bent(change func([]byte) []byte) Fault {
	return func(w http.ResponseWriter, r *http.Request, server http.Handler, _ <-chan struct{}) {
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		for key, values := range answer.Header() {
			if key != "Content-Length" {
				w.Header()[key] = values
			}
		}
		w.WriteHeader(answer.Code)
		w.Write(change(bytes.Clone(answer.Body.Bytes()))) //nolint:errcheck // its reader may have gone
	}
}
