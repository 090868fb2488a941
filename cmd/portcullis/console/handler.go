package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// Options are a Handler's.
type Options struct {
	Config *policy.Config
	// Stamp is another value whenever the reconciler may be another than before,
	// cheap to ask; nil where this replica has nothing to show. World is the
	// reconciler as it is now.
	Stamp func() any
	World func() World
	// Look is what is on the seed now, from the cache.
	Look func(ctx context.Context, id string) (apply.Seen, error)
	Git  Git
	Now  func() time.Time
	Log  logr.Logger
}

// Handler answers all of the console's requests.
type Handler struct {
	Options
	access
	board   *board
	prefix  string // path of console.url
	places  chan struct{}
	slots   slots
	queue   *queue // for those who have lists judged
	past    *memory
	foreign *http.CrossOriginProtection // forms of other sites
	unsaid  rate.Sometimes
	mux     *http.ServeMux
}

const (
	// mostAtOnce bounds the requests that are answered at once.
	mostAtOnce = 64
	// mostAddress bounds a request's address, in bytes.
	mostAddress = 4 << 10
)

// New makes a handler.
func New(o Options) *Handler {
	h := &Handler{Options: o, access: access{o.Config.Console}, places: make(chan struct{}, mostAtOnce), queue: newQueue(),
		past: newMemory(), foreign: http.NewCrossOriginProtection(), unsaid: rate.Sometimes{First: 1, Interval: time.Minute}, mux: http.NewServeMux(),
		board: &board{stamp: o.Stamp, world: o.World, now: o.Now, log: o.Log}, slots: newSlots()}
	if u, err := url.Parse(o.Config.Console.URL); err == nil {
		h.prefix = strings.TrimRight(u.Path, "/")
	}
	h.routes()
	return h
}

func (h *Handler) routes() {
	for pattern, page := range map[string]func(*request) (answer, error){
		"GET /{$}":                             h.brief(h.fleet),
		"GET /clusters/{id}":                   h.brief(h.cluster),
		"GET /explain":                         h.brief(h.explain),
		"GET /revisions/{source}/{sha}":        h.revision,
		"GET /draft":                           h.draft,
		"POST /draft":                          h.draft,
		"POST /draft/check":                    h.draftCheck,
		"GET /api/v1/revisions/{source}/{sha}": h.apiRevision,
		"GET /api/v1/status":                   h.brief(h.apiStatus),
		"GET /api/v1/clusters/{id}":            h.brief(h.apiCluster),
		"GET /api/v1/explain":                  h.brief(h.apiExplain),
	} {
		h.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h.answer(w, r, page) })
	}
	h.mux.HandleFunc("GET /static/{name}", serveStatic)
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.answer(w, r, func(q *request) (answer, error) { return answer{}, errNotFound })
	})
}

// ServeHTTP answers, whatever is asked.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		h.refuse(w, r, errBusy)
		return
	}
	if h.prefix != "" && (r.URL.Path == h.prefix || strings.HasPrefix(r.URL.Path, h.prefix+"/")) {
		r = stripped(r, h.prefix)
	}
	switch {
	case len(r.RequestURI) > mostAddress:
		h.refuse(w, r, errLong)
	case !h.ourName(r.Host):
		h.refuse(w, r, errOtherName)
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost,
		r.Method == http.MethodPost && r.URL.Path != "/draft" && r.URL.Path != "/draft/check":
		w.Header().Set("Allow", allowed(r.URL.Path))
		h.refuse(w, r, errMethod)
	case r.URL.Path != "/" && path.Clean(r.URL.Path) != strings.TrimSuffix(r.URL.Path, "/") || strings.Contains(r.URL.Path, "//"):
		h.refuse(w, r, errNotFound) // and no redirect to somewhere that looks like it
	case h.foreign.Check(r) != nil:
		h.refuse(w, r, errForeign)
	default:
		r.Body = http.MaxBytesReader(w, r.Body, mostForm)
		h.mux.ServeHTTP(w, r)
	}
}

// allowed are the methods that a path knows.
func allowed(path string) string {
	switch path {
	case "/draft":
		return "GET, HEAD, POST"
	case "/draft/check":
		return "POST"
	}
	return "GET, HEAD"
}

// stripped is a request below a prefix, where the proxy leaves that on.
func stripped(r *http.Request, prefix string) *http.Request {
	out := r.Clone(r.Context())
	out.URL.Path = "/" + strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, prefix), "/")
	out.URL.RawPath = ""
	return out
}

// secure sets what browsers are to heed. Nothing is loaded but our own style and
// script, nothing is sent but to us, and nobody frames a page.
func secure(header http.Header) {
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	header.Set("Cache-Control", "no-store")
}

// request is one that may be answered: by whom, and what he may see.
type request struct {
	*http.Request
	scope scope
	*index
	now time.Time
}

// answer is what a page or the API gives.
type answer struct {
	page   string // template; else body
	title  string
	data   any
	body   []byte
	kind   string // of body
	tag    string // that tells body from others, quoted; empty: it is sent to all who ask
	status int    // 0: 200
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request, page func(*request) (answer, error)) {
	s, err := h.viewer(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	x := h.board.get(s)
	if x == nil {
		h.refuse(w, r, errStandby)
		return
	}
	q := &request{Request: r, scope: s, index: x, now: h.Now()}
	a, err := page(q)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	h.write(w, r, a, q)
}

const htmlKind = "text/html; charset=utf-8"

// render makes an answer's page whole, where it has one that is not.
func (h *Handler) render(a *answer, q *request) error {
	if a.page == "" {
		return nil
	}
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, a.page, h.frame(*a, q)); err != nil {
		return fmt.Errorf("make page %s: %w", a.page, err)
	}
	a.page, a.body, a.kind = "", b.Bytes(), htmlKind
	return nil
}

// write sends an answer; a page is made whole before its first byte is sent.
func (h *Handler) write(w http.ResponseWriter, r *http.Request, a answer, q *request) {
	if err := h.render(&a, q); err != nil {
		h.Log.Error(err, "Cannot make a page")
		http.Error(w, "this page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	if q != nil {
		w.Header().Set("Last-Modified", q.asOf().UTC().Format(http.TimeFormat))
	}
	if a.tag != "" {
		w.Header().Set("ETag", a.tag)
		if has(r, a.tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // whoever asked may be gone
	}
}

// has tells whether who asks has what a tag stands for.
func has(r *http.Request, tag string) bool {
	for _, value := range strings.Split(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		if strings.TrimPrefix(strings.TrimSpace(value), "W/") == tag { // a proxy that packs it weakens it
			return true
		}
	}
	return false
}

// refusal is an error with its status and the words for it.
type refusal struct {
	status int
	words  string
}

func (r *refusal) Error() string { return r.words }

var (
	errNotFound  = &refusal{http.StatusNotFound, "There is nothing here, or nothing that you may see."}
	errBusy      = &refusal{http.StatusServiceUnavailable, "Too many requests at once: try again in a moment."}
	errStandby   = &refusal{http.StatusServiceUnavailable, "This replica stands by, and has read nothing yet: the one that leads knows more. Try again in a moment."}
	errLong      = &refusal{http.StatusRequestURITooLong, "The address is too long."}
	errOtherName = &refusal{http.StatusMisdirectedRequest, "These pages are not served under this name: it goes into the Config, console.url."}
	errMethod    = &refusal{http.StatusMethodNotAllowed, "These pages are read only."}
	errLarge     = &refusal{http.StatusRequestEntityTooLarge, "The draft is too large."}
	errForeign   = &refusal{http.StatusForbidden, "The form is from another site."}
	errLate      = &refusal{http.StatusServiceUnavailable, "That took too long: try again in a moment."}
)

// retryAfter is when to come again where too many were there, in seconds.
const retryAfter = "2"

// refuse answers with an error, as a page or as JSON.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var known *refusal
	switch {
	case errors.As(err, &known):
	case errors.Is(err, errNotByProxy):
		known = &refusal{http.StatusForbidden, errNotByProxy.Error()}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		known = errLate
	default:
		h.unsaid.Do(func() { h.Log.Error(err, "Cannot answer a request for a page") })
		known = &refusal{http.StatusInternalServerError, "This cannot be answered now; the log says why."}
	}
	if known.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		h.write(w, r, problem(known), nil)
		return
	}
	h.write(w, r, answer{page: "error", title: http.StatusText(known.status), data: known.words, status: known.status}, nil)
}
