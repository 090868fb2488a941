package main

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// transport lets through what changes nothing, and the rest in the term only:
// whatever asks for it, and whatever context it was given.
func (t *tenure) transport(next http.RoundTripper) http.RoundTripper { return &inTerm{next, t} }

type inTerm struct {
	next http.RoundTripper
	term *tenure
}

// RoundTrip implements http.RoundTripper.
func (g *inTerm) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return g.next.RoundTrip(r)
	}
	if err := g.term.leads(); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	ctx, cancel := g.term.bound(r.Context())
	response, err := g.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = &boundedBody{response.Body, cancel}
	return response, nil
}

// boundedBody frees what bounds a request once its answer was read.
type boundedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (b *boundedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// posts has a forge post in the term only. An outbox finishes what it has begun
// after its context has ended, and must not do so for long.
func (t *tenure) posts(f forge.Forge) forge.Forge { return &postsInTerm{f, t} }

type postsInTerm struct {
	forge.Forge
	term *tenure
}

// comments are those of a host with pull requests, written in the term only.
func (t *tenure) comments(f forge.PullRequests) forge.PullRequests { return &commentsInTerm{f, t} }

type commentsInTerm struct {
	forge.PullRequests
	term *tenure
}

// Comment implements forge.PullRequests.
func (c *commentsInTerm) Comment(ctx context.Context, comment forge.Comment) (string, error) {
	if err := c.term.leads(); err != nil {
		return "", err
	}
	ctx, cancel := c.term.bound(ctx)
	defer cancel()
	return c.PullRequests.Comment(ctx, comment)
}

// Post implements forge.Forge.
func (p *postsInTerm) Post(ctx context.Context, checks []forge.Check) []error {
	if err := p.term.leads(); err != nil {
		return slices.Repeat([]error{err}, len(checks))
	}
	ctx, cancel := p.term.bound(ctx)
	defer cancel()
	return p.Forge.Post(ctx, checks)
}
