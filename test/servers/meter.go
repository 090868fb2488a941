package servers

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Request is one that a server was asked.
type Request struct {
	Time      time.Time
	Method    string
	Path      string // without the query, which may hold secrets
	Service   string // of Git's listing of refs: git-upload-pack to read, git-receive-pack to push
	UserAgent string
}

// Meter stands before a server, notes each request, and can answer in the
// server's place. It is safe for concurrent use.
type Meter struct {
	mu       sync.Mutex
	requests []Request
	answer   http.Handler
	fault    Fault
	ended    chan struct{} // closed when the fault ends
}

// Requests are all that came in so far, those answered by the Meter included.
func (m *Meter) Requests() []Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.requests)
}

// Count is how many requests match; nil matches all.
func (m *Meter) Count(match func(Request) bool) int {
	n := 0
	for _, r := range m.Requests() {
		if match == nil || match(r) {
			n++
		}
	}
	return n
}

// Reset forgets the requests noted so far.
func (m *Meter) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = nil
}

// Answer has the handler answer in the server's place from now on; nil lets
// the server answer again. http.NotFoundHandler() hides what is there, a
// handler that panics with http.ErrAbortHandler drops the connection.
func (m *Meter) Answer(h http.Handler) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = h
}

// Fault has requests go through a fault from now on, and ends the one before;
// nil is none. What Answer says counts more.
func (m *Meter) Fault(f Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended != nil {
		close(m.ended)
	}
	m.fault, m.ended = f, make(chan struct{})
}

// Away answers with the status 503 until Answer(nil).
func (m *Meter) Away() {
	m.Answer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "away", http.StatusServiceUnavailable)
	}))
}

// before is the server with the Meter before it.
func (m *Meter) before(server http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, fault, ended := m.note(r)
		switch {
		case answer != nil:
			answer.ServeHTTP(w, r)
		case fault != nil:
			fault(w, r, server, ended)
		default:
			server.ServeHTTP(w, r)
		}
	})
}

func (m *Meter) note(r *http.Request) (answer http.Handler, fault Fault, ended <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, Request{
		Time: time.Now(), Method: r.Method, Path: r.URL.Path,
		Service: r.URL.Query().Get("service"), UserAgent: r.UserAgent(),
	})
	return m.answer, m.fault, m.ended
}
