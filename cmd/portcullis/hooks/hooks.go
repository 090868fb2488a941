// Package hooks takes webhooks of Git hosts: POST /hooks/<source>.
//
// A webhook is a hint and nothing more. Whatever it says, all that it does is
// to have its source polled now instead of at the next time in the schedule; so
// one that is repeated, late or forged by somebody who knows the secret costs a
// poll. It is taken where it is signed with the source's secret, which is read
// anew for each.
//
//	202  taken: the source is polled
//	401  not signed with the secret
//	404  no such source, or one that takes no webhooks
//	405  no POST
//	413  larger than MaxBody
//	503  this replica does not lead and reaches none that does, or too many at once
//
// Of several replicas only the leader polls. The others pass webhooks on, as
// they came, to the addresses that the name in Options.Peers has; one that was
// passed on once is not passed on again.
package hooks

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// MaxBody bounds a webhook, in bytes. GitHub's largest have 25 MiB, for pushes
// of thousands of commits; of those the next poll tells.
const MaxBody = 1 << 20

// mostAtOnce bounds the webhooks that are read at once, and so the memory that
// whoever knows no secret can take.
const mostAtOnce = 16

// Source is one that takes webhooks.
type Source struct {
	Forge      string // github, gitlab or gitea
	SecretFile string
	// Wake has the source polled. It returns at once and may be called often.
	Wake func()
}

// Options are a Handler's.
type Options struct {
	Sources map[string]Source // by name
	// Leads tells whether this replica polls.
	Leads func() bool
	// Pass hands what is for the leader on; nil where there is nobody else.
	Pass func(ctx context.Context, path string, header http.Header, body []byte) error
	Log  logr.Logger
}

// Handler is what POST /hooks/<source> goes to.
type Handler struct {
	Options
	places chan struct{}
	unsaid rate.Sometimes // of refused ones: anybody can send them
}

// New makes a handler.
func New(o Options) *Handler {
	return &Handler{Options: o, places: make(chan struct{}, mostAtOnce), unsaid: rate.Sometimes{First: 1, Interval: time.Minute}}
}

// ServeHTTP answers with a status and no words that came from outside.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, below := strings.CutPrefix(r.URL.Path, "/hooks/")
	source, known := h.Sources[name]
	switch {
	case !below || !known:
		http.NotFound(w, r)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed)
	default:
		answer(w, h.take(w, r, name, source))
	}
}

func answer(w http.ResponseWriter, status int) {
	if status == http.StatusAccepted {
		w.WriteHeader(status)
		return
	}
	http.Error(w, http.StatusText(status), status)
}

// take answers the status of a webhook for a source.
func (h *Handler) take(w http.ResponseWriter, r *http.Request, name string, s Source) int {
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		return http.StatusServiceUnavailable
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case err != nil:
		return http.StatusBadRequest
	}
	if err := verify(s, r.Header, body); err != nil {
		h.unsaid.Do(func() { h.Log.Error(err, "Refused a webhook", "source", name) })
		return http.StatusUnauthorized
	}
	if h.Leads() {
		s.Wake()
		return http.StatusAccepted
	}
	if h.Pass == nil || r.Header.Get(passed) != "" {
		return http.StatusServiceUnavailable
	}
	if err := h.Pass(r.Context(), r.URL.Path, r.Header, body); err != nil {
		h.Log.Error(err, "Cannot pass a webhook on to the leader", "source", name)
		return http.StatusServiceUnavailable
	}
	return http.StatusAccepted
}

// verify reads the secret now, so that a replaced one counts at once. A newline
// at its end is not part of it: editors and `echo` put one there.
func verify(s Source, header http.Header, body []byte) error {
	secret, err := os.ReadFile(s.SecretFile)
	if err != nil {
		return err
	}
	return forge.VerifyWebhook(s.Forge, header, body, []byte(strings.TrimRight(string(secret), "\r\n")))
}
