package gitea

import (
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
	// maxAnswer bounds what is read of an answer, in bytes; the client library
	// reads all there is. A status or a commit is a few KiB.
	maxAnswer = 1 << 20
)

func newHTTP(o Options) (*http.Client, error) {
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
			return nil, fmt.Errorf("gitea proxy: not a URL with a host")
		}
		t.Proxy = http.ProxyURL(proxy)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	return &http.Client{Transport: bounded{t}, Timeout: o.Timeout, CheckRedirect: sameHost}, nil
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

// bounded cuts answers off at maxAnswer.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}
