package source_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr/funcr"

	"github.com/portcullis-gitops/portcullis/source"
)

// lines is a log that can be asked.
type lines struct {
	mu   sync.Mutex
	said []string
}

func (l *lines) add(prefix, args string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, prefix+args)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.said)
}

func (l *lines) has(text string) bool {
	return slices.ContainsFunc(l.all(), func(s string) bool { return strings.Contains(s, text) })
}

type fault = func(w http.ResponseWriter, r *http.Request, real http.Handler) bool

// onPost breaks the transfer only.
func onPost(f fault) fault {
	return func(w http.ResponseWriter, r *http.Request, real http.Handler) bool {
		return r.Method == http.MethodPost && f(w, r, real)
	}
}

func status(code int) fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		http.Error(w, "<html>"+r.Header.Get("Authorization")+canary+strings.Repeat("x", 1<<20), code)
		return true
	}
}

func page(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
	_, _ = w.Write([]byte("<html>please log in as " + canary + "</html>"))
	return true
}

// changed passes the real answer on with a change.
func changed(change func([]byte) []byte) fault {
	return func(w http.ResponseWriter, r *http.Request, real http.Handler) bool {
		rec := httptest.NewRecorder()
		real.ServeHTTP(rec, r)
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		_, _ = w.Write(change(rec.Body.Bytes()))
		return true
	}
}

func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice a client that leaves
	<-r.Context().Done()
	return true
}

// stall sends half of the answer and then nothing more.
func stall(w http.ResponseWriter, r *http.Request, real http.Handler) bool {
	rec := httptest.NewRecorder()
	real.ServeHTTP(rec, r)
	half := rec.Body.Bytes()
	_, _ = w.Write(half[:len(half)/2])
	w.(http.Flusher).Flush()
	return hang(w, r, real)
}

var faults = map[string]struct {
	fault
	want error
	text string
}{
	"listing: 500":               {status(500), source.ErrUnavailable, "500"},
	"listing: 503":               {status(503), source.ErrUnavailable, "503"},
	"listing: 401":               {status(401), source.ErrAuth, "401"},
	"listing: 403":               {status(403), source.ErrAuth, "403"},
	"listing: 404":               {status(404), source.ErrNoRepository, "no such repository"},
	"listing: a page":            {page, source.ErrUnavailable, ""},
	"listing: nothing":           {changed(func([]byte) []byte { return nil }), source.ErrUnavailable, ""},
	"listing: cut short":         {changed(func(b []byte) []byte { return b[:len(b)/2] }), source.ErrUnavailable, ""},
	"listing: hangs":             {hang, source.ErrUnavailable, "no answer in time"},
	"listing: stalls":            {stall, source.ErrUnavailable, "no answer in time"},
	"listing: elsewhere":         {elsewhere, source.ErrUnavailable, "redirect"},
	"transfer: 500":              {onPost(status(500)), source.ErrUnavailable, "500"},
	"transfer: 403":              {onPost(status(403)), source.ErrAuth, "403"},
	"transfer: a page":           {onPost(page), source.ErrUnavailable, ""},
	"transfer: nothing":          {onPost(changed(func([]byte) []byte { return nil })), source.ErrUnavailable, "sent nothing"},
	"transfer: cut short":        {onPost(changed(func(b []byte) []byte { return b[:len(b)*2/3] })), source.ErrUnavailable, ""},
	"transfer: last bytes":       {onPost(changed(func(b []byte) []byte { return b[:len(b)-30] })), source.ErrUnavailable, ""},
	"transfer: scrambled":        {onPost(changed(flip)), source.ErrUnavailable, ""},
	"transfer: an error message": {onPost(changed(func([]byte) []byte { return []byte("0008NAK\n0012\x03no " + canary + "0000") })), source.ErrUnavailable, ""},
	"transfer: hangs":            {onPost(hang), source.ErrUnavailable, "no answer in time"},
	"transfer: stalls":           {onPost(stall), source.ErrUnavailable, "no answer in time"},
}

// elsewhere sends the client to another scheme.
func elsewhere(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	http.Redirect(w, r, "ftp://127.0.0.1/info/refs", http.StatusFound)
	return true
}

// flip changes bytes of the pack's content, behind its header.
func flip(b []byte) []byte {
	b = bytes.Clone(b)
	i := bytes.Index(b, []byte("PACK"))
	for j := i + 20; j < len(b)-30; j++ {
		b[j] ^= 0xff
	}
	return b
}

func TestFaultsLeaveTheMirrorUsable(t *testing.T) {
	t.Parallel()
	for name, test := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			first := u.change("tenants/acme/a.yaml", "one")
			h := serve(t, u, false)
			log := &lines{}
			opts := source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary), Dir: t.TempDir(), Log: funcr.New(log.add, funcr.Options{Verbosity: 2})}
			r := open(t, opts)
			poll(t, r)
			before := tree(t, opts.Dir)

			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			opts.Timeout = shortTimeout
			r = open(t, opts)
			second := u.change("tenants/acme/a.yaml", "two")
			h.breakWith(test.fault)
			for range 2 {
				_, err := r.Poll(t.Context())
				wantError(t, err, test.want, test.text)
				if len(err.Error()) > 600 {
					t.Errorf("an error of %d bytes", len(err.Error()))
				}
			}
			if after := tree(t, opts.Dir); !slices.Equal(before, after) {
				t.Errorf("the mirror changed from\n%v to\n%v", before, after)
			}
			if got := len(snapshot(t, r, first).Files); got != 1 {
				t.Errorf("%d files", got)
			}
			h.breakWith(nil)
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			opts.Timeout = 0
			r = open(t, opts)
			if got := poll(t, r); got != second {
				t.Errorf("head %s, want %s", got, second)
			}
			if log.has(canary) {
				t.Error("the secret is in the log")
			}
		})
	}
}

// tree names all files below a folder.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, strings.TrimPrefix(path, dir))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A first fetch that fails is no mirror without files.
func TestFirstFetchFails(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	head := u.change("tenants/acme/a.yaml", "one")
	h := serve(t, u, false)
	h.breakWith(onPost(status(500)))
	r := open(t, source.Options{URL: h.url(), Path: "tenants", TokenFile: secret(t, canary)})
	_, err := r.Poll(t.Context())
	wantError(t, err, source.ErrUnavailable, "500")
	_, err = r.Snapshot(t.Context(), head)
	wantError(t, err, source.ErrUnavailable, "there is no mirror yet")
	h.breakWith(nil)
	if got := poll(t, r); got != head {
		t.Errorf("head %s, want %s", got, head)
	}
}
