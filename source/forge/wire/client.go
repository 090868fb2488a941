package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

const (
	defaultTimeout = 30 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes; the client
	// libraries read all there is. A page of 100 pull requests is a few MB at
	// most hosts, and their texts may have 64 KiB each.
	maxAnswer = 16 << 20
)

// Client makes the client that all requests go through. It fails where an
// option cannot be used at all, and contacts nobody.
func (o Options) Client() (*http.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if o.CAFile != "" {
		roots, err := trusted(o.CAFile)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	if o.Proxy != "" {
		proxy, err := url.Parse(o.Proxy)
		if err != nil || proxy.Host == "" {
			return nil, fmt.Errorf("proxy to the Git host: not a URL with a host")
		}
		t.Proxy = http.ProxyURL(proxy)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	return &http.Client{Transport: careful{t, o.Observe}, Timeout: o.Timeout, CheckRedirect: sameHost}, nil
}

func trusted(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the certificates of the Git host: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificates of the Git host: no PEM certificate in %s", file)
	}
	return roots, nil
}

// sameHost follows no redirect that would take the token elsewhere, or turn a
// POST into a GET, which would look like a success. The redirect itself is
// then the answer.
func sameHost(next *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) < 5 && next.URL.Host == first.URL.Host && next.URL.Scheme == first.URL.Scheme && next.Method == first.Method {
		return nil
	}
	return http.ErrUseLastResponse
}

// careful cuts answers off at maxAnswer, and asks conditionally where the
// context says so.
type careful struct {
	http.RoundTripper
	observe func(code int)
}

func (c careful) RoundTrip(r *http.Request) (*http.Response, error) {
	if etag, _ := r.Context().Value(etagKey{}).(string); etag != "" && r.Method == http.MethodGet {
		r = r.Clone(r.Context())
		r.Header.Set("If-None-Match", etag)
	}
	resp, err := c.RoundTripper.RoundTrip(r)
	if c.observe != nil {
		c.observe(codeOf(resp))
	}
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

func codeOf(resp *http.Response) int {
	if resp == nil {
		return 0
	}
	return resp.StatusCode
}

type etagKey struct{}

// ifNoneMatch has what is asked with this context answered in short where it
// still has that ETag. It goes by way of the context because the clients of
// the forges have no other way in common.
func ifNoneMatch(ctx context.Context, etag string) context.Context {
	return context.WithValue(ctx, etagKey{}, etag)
}
