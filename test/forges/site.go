package forges

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync"
)

// Exchange is a request and its answer.
type Exchange struct {
	Method, Path string
	Query        url.Values
	Request      []byte
	Code         int
	Answer       []byte
}

// site is the web server of a stand-in: it keeps what was said, and can be made
// to fare badly.
type site struct {
	*httptest.Server
	noteMu    sync.Mutex
	exchanges []Exchange
	answer    http.Handler
}

// start serves handler, with what is said noted.
func (s *site) start(handler http.Handler) {
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.noteMu.Lock()
		instead := s.answer
		s.noteMu.Unlock()
		if instead != nil {
			instead.ServeHTTP(w, r)
			return
		}
		s.serve(w, r, handler)
	}))
}

func (s *site) serve(w http.ResponseWriter, r *http.Request, handler http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	s.noteMu.Lock()
	s.exchanges = append(s.exchanges, Exchange{r.Method, r.URL.Path, r.URL.Query(), body, recorder.Code, recorder.Body.Bytes()})
	s.noteMu.Unlock()
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes())
}

// Answer has the handler answer in the host's place; nil: no longer.
func (s *site) Answer(instead http.Handler) {
	s.noteMu.Lock()
	defer s.noteMu.Unlock()
	s.answer = instead
}

// Exchanges are all that the host answered itself.
func (s *site) Exchanges() []Exchange {
	s.noteMu.Lock()
	defer s.noteMu.Unlock()
	return slices.Clone(s.exchanges)
}

// object is JSON's.
type object = map[string]any

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// conditional replies in short where the asker has the same already. The ETag
// is of the page's content alone.
func conditional(w http.ResponseWriter, r *http.Request, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(text)
	etag := `W/"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.Header().Del("Link")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	reply(w, http.StatusOK, body)
}

// pageOf cuts a listing to the page that is asked for, and says which is next;
// 0: none. Both hosts give 100 at most.
func pageOf[T any](r *http.Request, usual int, all []T) (items []T, next int) {
	size, page := number(r, "per_page", usual), number(r, "page", 1)
	size = min(size, 100)
	from := min((page-1)*size, len(all))
	to := min(from+size, len(all))
	if to < len(all) {
		next = page + 1
	}
	return all[from:to], next
}

func number(r *http.Request, name string, usual int) int {
	if n, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil && n > 0 {
		return n
	}
	return usual
}

func pathNumber(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.PathValue(name))
	return n
}
