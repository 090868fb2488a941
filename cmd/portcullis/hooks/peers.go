package hooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// passed marks a webhook that another replica handed on.
const passed = "Portcullis-Passed-On"

// passTime is how long the other replicas have to answer, all together: hosts
// wait ten seconds for an answer.
const passTime = 5 * time.Second

// mostPeers bounds the addresses that are asked.
const mostPeers = 16

// Peers hand webhooks on to every address that the name in base has: in a
// cluster that of a headless Service, such as http://portcullis-hooks:9443. The
// leader among them takes it. lookup is net.Resolver's LookupHost.
func Peers(base *url.URL, lookup func(context.Context, string) ([]string, error)) func(context.Context, string, http.Header, []byte) error {
	p := &peers{base: base, lookup: lookup}
	return p.pass
}

type peers struct {
	base   *url.URL
	lookup func(context.Context, string) ([]string, error)
}

func (p *peers) pass(ctx context.Context, path string, header http.Header, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, passTime)
	defer cancel()
	addresses, err := p.lookup(ctx, p.base.Hostname())
	if err != nil {
		return fmt.Errorf("find the other replicas: %w", err)
	}
	addresses = addresses[:min(len(addresses), mostPeers)]
	errs := make([]error, len(addresses))
	var all sync.WaitGroup
	for i, address := range addresses {
		all.Go(func() { errs[i] = p.send(ctx, address, path, header, body) })
	}
	all.Wait()
	for _, err := range errs {
		if err == nil {
			return nil
		}
	}
	return errors.Join(append(errs, fmt.Errorf("none of %d replicas at %s took it", len(addresses), p.base.Host))...)
}

// send posts it to one address. The certificate, if there is one, is that of
// the name.
func (p *peers) send(ctx context.Context, address, path string, header http.Header, body []byte) error {
	target := p.base.JoinPath(path)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = header.Clone()
	request.Header.Set(passed, "1")
	response, err := p.client(address).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 1<<10) // only so that the connection ends well
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("%s answers %d", address, response.StatusCode)
	}
	return nil
}

func (p *peers) client(address string) *http.Client {
	port := p.base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[p.base.Scheme]
	}
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(address, port))
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
