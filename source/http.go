package source

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/url"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// Bounds on what an http server may send where it should be short, in bytes.
const (
	maxRefs  = 256 << 20 // a listing: half a million refs and more
	maxError = 64 << 10  // the page of an error, of which nothing is used
)

// httpSession speaks smart http. go-git's client keeps credentials from
// following a redirect to another origin.
type httpSession struct {
	ctx  context.Context
	up   transport.UploadPackSession
	down transport.ReceivePackSession
	wire *http.Transport

	answers *bounded
}

func openHTTP(ctx context.Context, o Options, e *transport.Endpoint, user, service string) (session, []string, error) {
	user, password, err := o.basic(ctx, user)
	if err != nil {
		return nil, nil, local{err}
	}
	wire, secrets, err := wireFor(o)
	if err != nil {
		return nil, nil, local{err}
	}
	var auth transport.AuthMethod
	if password != "" {
		auth = &githttp.BasicAuth{Username: user, Password: password}
	}
	s := &httpSession{ctx: ctx, wire: wire, answers: &bounded{wire, asItIs}}
	client := githttp.NewClient(&http.Client{Transport: s.answers})
	if service == receivePack {
		s.down, err = client.NewReceivePackSession(e, auth)
	} else {
		s.up, err = client.NewUploadPackSession(e, auth)
	}
	return s, append(secrets, password), err
}

// wireFor makes a connection pool for one conversation, so that a rotated
// authority counts at once and nothing is shared between sources.
func wireFor(o Options) (*http.Transport, []string, error) {
	wire := http.DefaultTransport.(*http.Transport).Clone()
	if o.CAFile != "" {
		pool, err := authorities(o.CAFile)
		if err != nil {
			return nil, nil, err
		}
		wire.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	if o.Proxy == "" {
		return wire, nil, nil
	}
	proxy, err := url.Parse(o.Proxy)
	if err != nil { // checked when the options were
		return nil, nil, errBadProxy
	}
	wire.Proxy = http.ProxyURL(proxy)
	secret, _ := proxy.User.Password()
	return wire, []string{secret}, nil
}

func (s *httpSession) advertised(through func(io.Reader) io.Reader) (*packp.AdvRefs, error) {
	s.answers.through = through
	if s.down != nil {
		return s.down.AdvertisedReferencesContext(s.ctx)
	}
	return s.up.AdvertisedReferencesContext(s.ctx)
}

func (s *httpSession) fetch(req *packp.UploadPackRequest) (io.ReadCloser, error) {
	return s.up.UploadPack(s.ctx, req)
}

func (s *httpSession) push(req *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	return s.down.ReceivePack(s.ctx, req)
}

func (s *httpSession) close() { s.wire.CloseIdleConnections() }

// bounded limits what is read of answers that go-git reads to their end.
type bounded struct {
	next    http.RoundTripper
	through func(io.Reader) io.Reader // for a listing
}

func (b *bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch {
	case res.StatusCode >= 300:
		res.Body = limit(res.Body, maxError)
	case req.Method == http.MethodGet:
		res.Body = limited{b.through(io.LimitReader(res.Body, maxRefs)), res.Body}
	}
	return res, nil
}

type limited struct {
	io.Reader
	io.Closer
}

func limit(body io.ReadCloser, max int64) io.ReadCloser {
	return limited{io.LimitReader(body, max), body}
}
