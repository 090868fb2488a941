package forges

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"unicode/utf8"
)

const (
	project     = 1
	forkProject = 2
	robotID     = 7
)

// GitLab is a stand-in for a self-managed GitLab.
type GitLab struct {
	site
	repository
	pipelines []*pipeline
}

// pipeline is what statuses are filed under.
type pipeline struct {
	id       int64
	sha, ref string
}

// NewGitLab starts a stand-in. Whoever starts it closes it.
func NewGitLab() *GitLab {
	g := &GitLab{}
	mux := http.NewServeMux()
	at := "/api/v4/projects/{project}"
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET " + at: g.show,
		"GET " + at + "/repository/commits/{sha}":           g.showCommit,
		"POST " + at + "/statuses/{sha}":                    g.createStatus,
		"GET " + at + "/merge_requests":                     g.listPulls,
		"GET " + at + "/merge_requests/{number}":            g.showPull,
		"GET " + at + "/merge_requests/{number}/notes":      g.listNotes,
		"POST " + at + "/merge_requests/{number}/notes":     g.createNote,
		"PUT " + at + "/merge_requests/{number}/notes/{id}": g.updateNote,
		"GET /api/v4/user": func(w http.ResponseWriter, _ *http.Request) {
			reply(w, http.StatusOK, object{"id": robotID, "username": Robot})
		},
		"/": func(w http.ResponseWriter, _ *http.Request) { gitlabMessage(w, http.StatusNotFound, "404 Not Found") },
	} {
		mux.HandleFunc(pattern, handler)
	}
	g.start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if r.Header.Get("Private-Token") != RobotToken {
			gitlabMessage(w, http.StatusUnauthorized, "401 Unauthorized")
			return
		}
		mux.ServeHTTP(w, r)
	}))
	return g
}

func gitlabMessage(w http.ResponseWriter, code int, text string) {
	reply(w, code, object{"message": text})
}

// there tells whether the request is for the project, by path or number.
func (g *GitLab) there(w http.ResponseWriter, r *http.Request) bool {
	if p := r.PathValue("project"); p != Owner+"/"+Name && p != fmt.Sprint(project) {
		gitlabMessage(w, http.StatusNotFound, "404 Project Not Found")
		return false
	}
	return true
}

func (g *GitLab) show(w http.ResponseWriter, r *http.Request) {
	if g.there(w, r) {
		reply(w, http.StatusOK, object{"id": project, "path_with_namespace": Owner + "/" + Name})
	}
}

func (g *GitLab) showCommit(w http.ResponseWriter, r *http.Request) {
	switch {
	case !g.there(w, r):
	case !g.has(r.PathValue("sha")):
		gitlabMessage(w, http.StatusNotFound, "404 Commit Not Found")
	default:
		reply(w, http.StatusOK, object{"id": r.PathValue("sha")})
	}
}

// statusRequest is what GitLab takes of a status.
type statusRequest struct {
	State       string `json:"state"`
	Ref         string `json:"ref"`
	Name        string `json:"name"`
	TargetURL   string `json:"target_url"`
	Description string `json:"description"`
	PipelineID  int64  `json:"pipeline_id"`
}

// gitlabStates are GitLab's words, ours, and the event that leads there.
var gitlabStates = map[string]struct{ ours, event string }{
	"pending": {"pending", "enqueue"}, "success": {"success", "success"}, "failed": {"failure", "drop"},
}

func (g *GitLab) createStatus(w http.ResponseWriter, r *http.Request) {
	var in statusRequest
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&in)
	state, known := gitlabStates[in.State]
	sha := r.PathValue("sha")
	switch {
	case !g.there(w, r):
		return
	case err != nil || !known:
		reply(w, http.StatusBadRequest, object{"error": "state does not have a valid value"})
		return
	case !g.has(sha):
		gitlabMessage(w, http.StatusNotFound, "404 Commit Not Found")
		return
	}
	under := g.pipeline(sha, in)
	if under == nil {
		gitlabMessage(w, http.StatusNotFound, missingPipeline(in))
		return
	}
	if wrong := in.wrong(); len(wrong) > 0 {
		reply(w, http.StatusBadRequest, object{"message": wrong})
		return
	}
	s := g.unfinished(under.id, in.Name)
	if s != nil && s.State == state.ours {
		gitlabMessage(w, http.StatusBadRequest, fmt.Sprintf("Cannot transition status via :%s from :%s (Reason(s): Status cannot transition via \"%s\")",
			state.event, in.State, state.event))
		return
	}
	if s == nil {
		s = &Status{ID: g.id(), Commit: sha, Context: in.Name, Ref: under.ref, Pipeline: under.id}
		g.statuses = append(g.statuses, s)
	}
	s.State, s.Title, s.URL = state.ours, in.Description, in.TargetURL
	reply(w, http.StatusCreated, object{"id": s.ID, "sha": sha, "ref": under.ref, "status": in.State, "name": s.Context, "pipeline_id": under.id,
		"description": s.Title, "target_url": s.URL, "allow_failure": false, "created_at": "2026-11-22T20:00:00.000Z"})
}

// wrong is what GitLab's models refuse, in its words. A column takes 255
// characters (app/models/generic_commit_status.rb, and the table).
func (in statusRequest) wrong() object {
	wrong := object{}
	for name, value := range map[string]string{"target_url": in.TargetURL, "description": in.Description, "name": in.Name} {
		if utf8.RuneCountInString(value) > 255 {
			wrong[name] = []string{"is too long (maximum is 255 characters)"}
		}
	}
	return wrong
}

func missingPipeline(in statusRequest) string {
	if in.PipelineID != 0 {
		return "404 Pipeline for pipeline_id, sha and ref Not Found"
	}
	return "404 References for commit Not Found"
}

// unfinished is a status that a request goes on with: a finished one is
// followed by another.
func (g *GitLab) unfinished(pipeline int64, name string) *Status {
	for _, s := range g.statuses {
		if s.Pipeline == pipeline && s.Context == name && s.State == "pending" {
			return s
		}
	}
	return nil
}

// pipeline is the one that is named, or that of the ref, made if missing; nil
// where neither is given and no pipeline is there.
func (g *GitLab) pipeline(sha string, in statusRequest) *pipeline {
	for _, p := range slices.Backward(g.pipelines) {
		if p.sha == sha && (in.PipelineID == 0 || in.PipelineID == p.id) && (in.Ref == "" || in.Ref == p.ref) {
			return p
		}
	}
	if in.Ref == "" || in.PipelineID != 0 {
		return nil
	}
	return g.newPipeline(sha, in.Ref)
}

func (g *GitLab) newPipeline(sha, ref string) *pipeline {
	p := &pipeline{g.id(), sha, ref}
	g.pipelines = append(g.pipelines, p)
	return p
}

// Branch has a commit be on a branch, with a pipeline.
func (g *GitLab) Branch(commit, branch string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.newPipeline(commit, branch)
}

// Pipeline gives a merge request a pipeline of its own for its head.
func (g *GitLab) Pipeline(number int) int64 {
	var id int64
	g.Change(number, func(p *Pull) {
		p.Pipeline = g.newPipeline(p.Head, fmt.Sprintf("refs/merge-requests/%d/head", number)).id
		id = p.Pipeline
	})
	return id
}
