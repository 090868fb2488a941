package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// Gate is a way to an HTTP server that can be closed: then nobody listens on its
// port. It notes what goes through, and plays the faults of the way between.
type Gate struct {
	// URL stands for the server's, and does not change.
	URL string

	proxy http.Handler

	mu       sync.Mutex
	server   *http.Server // nil while closed
	requests []servers.Request
	fault    servers.Fault
	ended    chan struct{} // closed when the fault ends
}

// NewGate makes an open gate on a free port of loopback.
func NewGate(server string) (*Gate, error) {
	target, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("make a gate: %w", err)
	}
	g := &Gate{proxy: &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorLog: log.New(io.Discard, "", 0), // a gate that is shut cuts off what goes through
	}}
	return g, g.listen("127.0.0.1:0")
}

func (g *Gate) listen(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("open a gate on %s: %w", address, err)
	}
	g.URL = "http://" + listener.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(g.pass), ReadHeaderTimeout: time.Minute}
	g.mu.Lock()
	g.server = server
	g.mu.Unlock()
	go server.Serve(listener) //nolint:errcheck // always an error: it was closed
	return nil
}

func (g *Gate) pass(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.requests = append(g.requests, servers.Request{
		Time: time.Now(), Method: r.Method, Path: r.URL.Path,
		Service: r.URL.Query().Get("service"), UserAgent: r.UserAgent(),
	})
	fault, ended := g.fault, g.ended
	g.mu.Unlock()
	if fault != nil {
		fault(w, r, g.proxy, ended)
		return
	}
	g.proxy.ServeHTTP(w, r)
}

// Fault has requests go through a fault from now on, and ends the one before;
// nil is none.
func (g *Gate) Fault(f servers.Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended != nil {
		close(g.ended)
	}
	g.fault, g.ended = f, make(chan struct{})
}

// Requests are all that went through so far.
func (g *Gate) Requests() []servers.Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.requests)
}

// Shut closes the port and what goes through it. It may be called again.
func (g *Gate) Shut() error {
	g.mu.Lock()
	server := g.server
	g.server = nil
	g.mu.Unlock()
	if server == nil {
		return nil
	}
	if err := server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("shut the gate %s: %w", g.URL, err)
	}
	return nil
}

// Open listens on the same port again. Somebody else may have it for a moment,
// for an outgoing connection.
func (g *Gate) Open(ctx context.Context) error {
	u, err := url.Parse(g.URL)
	if err != nil {
		return err
	}
	return Await(ctx, "the gate's port", time.Minute, func(context.Context) error { return g.listen(u.Host) })
}
