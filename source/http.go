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

// maxError bounds the page of an error, of which nothing is used, in bytes.
const maxError = 64 << 10

// httpSession speaks smart http. go-git's client keeps credentials from
// following a redirect to another origin.
type httpSession struct {
	ctx  context.Context
	up   transport.UploadPackSession
	down transport.ReceivePackSession
	wire *http.Transport

	answers *bounded

	base string // the repository's URL, without user information
	auth *githttp.BasicAuth
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
	s := &httpSession{ctx: ctx, wire: wire, answers: &bounded{next: wire, through: asItIs}, base: e.String()}
	var auth transport.AuthMethod // nil, and no nil of another type, where there is none
	if password != "" {
		s.auth = &githttp.BasicAuth{Username: user, Password: password}
		auth = s.auth
	}
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
	s.answers.most, s.answers.what = maxRefs, "a list of refs"
	adv, err := s.list()
	return adv, s.answers.explain(err)
}

func (s *httpSession) list() (*packp.AdvRefs, error) {
	if s.down != nil {
		return s.down.AdvertisedReferencesContext(s.ctx)
	}
	return s.up.AdvertisedReferencesContext(s.ctx)
}

func (s *httpSession) fetch(req *packp.UploadPackRequest) (io.ReadCloser, error) {
	s.answers.most, s.answers.what = maxHead, "what comes before a pack"
	res, err := s.up.UploadPack(s.ctx, req)
	if err != nil {
		return nil, s.answers.explain(err)
	}
	s.answers.last.grant(maxAnswer, "a transfer")
	return res, nil
}

func (s *httpSession) push(req *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	s.answers.most, s.answers.what = maxReport, "an answer to a push"
	report, err := s.down.ReceivePack(s.ctx, req)
	return report, s.answers.explain(err)
}

func (s *httpSession) close() { s.wire.CloseIdleConnections() }

// bounded limits what is read of answers.
type bounded struct {
	next    http.RoundTripper
	through func(io.Reader) io.Reader // for a listing
	most    int64                     // of the next answer, in bytes
	what    string
	last    *ration // the last answer; nil before there was one
}

func (b *bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 {
		res.Body = limited{io.LimitReader(res.Body, maxError), res.Body}
		return res, nil
	}
	b.last = newRation(res.Body)
	b.last.grant(b.most, b.what)
	body := limited{b.last, res.Body}
	if req.Method == http.MethodGet {
		body.Reader = b.through(b.last)
	}
	res.Body = body
	return res, nil
}

// explain prefers a bound that was met to what became of that.
func (b *bounded) explain(err error) error {
	if err != nil && b.last != nil && b.last.over {
		return b.last.exceeded()
	}
	return err
}

type limited struct {
	io.Reader
	io.Closer
}
