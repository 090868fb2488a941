package servers

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strings"

	"k8s.io/client-go/rest"
)

// APIProxy stands before a kube-apiserver, for one of its users, and plays the
// faults of the way between: see Meter.Fault. Its own side is plain HTTP on loopback
// without credentials; it adds the user's.
type APIProxy struct {
	// Meter has every request that came in.
	Meter *Meter

	server *web
}

// StartAPIProxy starts a proxy for the user of cfg, on a free port of loopback.
func StartAPIProxy(cfg *rest.Config) (*APIProxy, error) {
	transport, err := rest.TransportFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("make a proxy for %s: %w", cfg.Host, err)
	}
	target, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("make a proxy for %s: %w", cfg.Host, err)
	}
	p := &APIProxy{Meter: &Meter{}}
	p.server, err = serve(p.Meter.before(patient(&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1, // watches
		ErrorLog:      log.New(io.Discard, "", 0),
	})))
	return p, err
}

// Config is the access that the proxy gives.
func (p *APIProxy) Config() *rest.Config { return &rest.Config{Host: p.server.url} }

// Address is the proxy's host and port.
func (p *APIProxy) Address() string { return strings.TrimPrefix(p.server.url, "http://") }

// patient hears a write's answer even where the caller has gone: what was asked
// was asked.
func patient(server http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if IsWrite(r) {
			// One that can end: for others the proxy asks the connection.
			ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
			defer cancel()
			r = r.WithContext(ctx)
		}
		server.ServeHTTP(w, r)
	})
}

// Stop ends the proxy, and what goes through it. It may be called again.
func (p *APIProxy) Stop() error {
	p.Meter.Fault(nil)
	return p.server.stop()
}
