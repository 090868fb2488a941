package gitea_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/gitea"
)

// standIn answers as Gitea's published API does (swagger of 1.26, and what
// that version really answers where a commit does not exist). It is a stand-in:
// the same package is tried on a real Gitea by the end-to-end tests.
type standIn struct {
	*httptest.Server
	mu       sync.Mutex
	token    string
	statuses []posted
	requests []string
	trouble  func(w http.ResponseWriter, r *http.Request) bool // true: answered
}

type posted struct {
	Commit      string `json:"-"`
	State       string `json:"state"`
	TargetURL   string `json:"target_url"`
	Description string `json:"description"`
	Context     string `json:"context"`
}

const (
	known = "1111111111111111111111111111111111111111"
	gone  = "2222222222222222222222222222222222222222"
)

func newStandIn(t *testing.T) *standIn {
	s := &standIn{token: "s3cret"}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/repos/hosting/allowlists/statuses/{sha}", s.create)
	mux.HandleFunc("GET /api/v1/repos/hosting/allowlists/git/commits/{sha}", s.commit)
	mux.HandleFunc("GET /api/v1/repos/hosting/allowlists", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, map[string]any{"id": 1, "full_name": "hosting/allowlists"})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { message(w, 404, "not found") })
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		if s.trouble != nil && s.trouble(w, r) {
			return
		}
		if r.Header.Get("Authorization") != "token "+s.token {
			message(w, 401, "user does not exist [uid: 0, name: ]")
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) create(w http.ResponseWriter, r *http.Request) {
	var p posted
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		message(w, 422, err.Error())
		return
	}
	if !slices.Contains([]string{"pending", "success", "error", "failure", "warning", "skipped"}, p.State) {
		message(w, 422, "bad state")
		return
	}
	if p.Commit = r.PathValue("sha"); p.Commit == gone {
		message(w, 500, "") // as Gitea does
		return
	}
	s.statuses = append(s.statuses, p)
	answer(w, 201, map[string]any{"id": len(s.statuses), "status": p.State, "description": p.Description,
		"context": p.Context, "target_url": p.TargetURL, "created_at": "2026-11-22T20:00:00Z", "updated_at": "2026-11-22T20:00:00Z"})
}

func (s *standIn) commit(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("sha") == gone {
		message(w, 404, "commit doesn't exist: "+gone)
		return
	}
	answer(w, 200, map[string]any{"sha": r.PathValue("sha")})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func message(w http.ResponseWriter, code int, text string) {
	answer(w, code, map[string]any{"message": text, "url": "https://git.example.com/api/swagger"})
}

// troubled makes every request to the path's end fare so.
func (s *standIn) troubled(end string, f http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, end) {
			return false
		}
		f(w, r)
		return true
	}
}

func (s *standIn) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func tokenFile(t *testing.T, token string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func open(t *testing.T, s *standIn, adjust func(*gitea.Options)) *gitea.Forge {
	t.Helper()
	o := gitea.Options{URL: s.URL, Repository: "hosting/allowlists", TokenFile: tokenFile(t, s.token)}
	if adjust != nil {
		adjust(&o)
	}
	f, err := gitea.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func check(commit string, state forge.State, title string) forge.Check {
	return forge.Check{Commit: commit, Context: "portcullis/eu-west", State: state, Title: title, Body: "not for a status\n"}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}
