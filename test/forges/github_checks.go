package forges

import (
	"encoding/json"
	"net/http"
	"slices"
	"unicode/utf8"
)

func (g *GitHub) createStatus(w http.ResponseWriter, r *http.Request) {
	var in struct {
		State       string `json:"state"`
		Context     string `json:"context"`
		Description string `json:"description"`
		TargetURL   string `json:"target_url"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		g.message(w, r, http.StatusBadRequest, "Problems parsing JSON")
		return
	}
	s := &Status{Commit: r.PathValue("sha"), Context: in.Context, State: in.State, Title: in.Description, URL: in.TargetURL}
	if !g.has(s.Commit) {
		g.message(w, r, http.StatusUnprocessableEntity, "No commit found for SHA: "+s.Commit)
		return
	}
	if utf8.RuneCountInString(in.Description) > 140 {
		g.invalid(w, "Status", "description is too long (maximum is 140 characters)")
		return
	}
	before := 0
	for _, other := range g.statuses {
		if other.Commit == s.Commit && other.Context == s.Context {
			before++
		}
	}
	if before >= maxStatuses {
		g.invalid(w, "Status", "This SHA and context has reached the maximum number of statuses.")
		return
	}
	s.ID = g.id()
	g.statuses = append(g.statuses, s)
	g.reply(w, r, http.StatusCreated, object{"id": s.ID, "state": s.State, "description": s.Title, "context": s.Context, "target_url": s.URL})
}

// Fill gives a commit as many statuses of a context as it may have.
func (g *GitHub) Fill(commit, context string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for range maxStatuses {
		g.statuses = append(g.statuses, &Status{ID: g.id(), Commit: commit, Context: context, State: "pending"})
	}
}

// Forget drops what a commit says.
func (g *GitHub) Forget(commit string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.statuses = slices.DeleteFunc(g.statuses, func(s *Status) bool { return s.Commit == commit })
}

// runRequest creates or updates a check run.
type runRequest struct {
	Name       string  `json:"name"`
	HeadSHA    string  `json:"head_sha"`
	Status     string  `json:"status"`
	Conclusion *string `json:"conclusion"`
	DetailsURL string  `json:"details_url"`
	ExternalID string  `json:"external_id"`
	Output     *struct {
		Title       string       `json:"title"`
		Summary     string       `json:"summary"`
		Annotations []Annotation `json:"annotations"`
	} `json:"output"`
}

func (g *GitHub) createRun(w http.ResponseWriter, r *http.Request) {
	in, ok := g.readRun(w, r)
	if !ok {
		return
	}
	if !g.has(in.HeadSHA) {
		g.message(w, r, http.StatusUnprocessableEntity, "No commit found for SHA: "+in.HeadSHA)
		return
	}
	s := &Status{ID: g.id(), Commit: in.HeadSHA, State: "pending"}
	g.statuses = append(g.statuses, s)
	in.into(s)
	g.reply(w, r, http.StatusCreated, runAnswer(s))
}

func (g *GitHub) updateRun(w http.ResponseWriter, r *http.Request) {
	in, ok := g.readRun(w, r)
	if !ok {
		return
	}
	for _, s := range g.statuses {
		if s.ID == int64(pathNumber(r, "id")) {
			in.into(s)
			g.reply(w, r, http.StatusOK, runAnswer(s))
			return
		}
	}
	g.message(w, r, http.StatusNotFound, "Not Found")
}

func (g *GitHub) readRun(w http.ResponseWriter, r *http.Request) (in runRequest, ok bool) {
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		g.message(w, r, http.StatusBadRequest, "Problems parsing JSON")
		return in, false
	}
	switch {
	case in.Output != nil && len(in.Output.Annotations) > 50:
		g.invalid(w, "CheckRun", "annotations exceeds a maximum quantity of 50.")
	case in.Output != nil && (in.Output.Summary == "" || utf8.RuneCountInString(in.Output.Summary) > 65535):
		g.invalid(w, "CheckRun", "summary is missing or too long")
	case in.Status == "completed" && in.Conclusion == nil:
		g.invalid(w, "CheckRun", "conclusion is required")
	default:
		return in, true
	}
	return in, false
}

// into does to a run what a request says. Annotations are added.
func (in runRequest) into(s *Status) {
	s.Context, s.URL, s.ExternalID = in.Name, in.DetailsURL, in.ExternalID
	if in.Conclusion != nil {
		s.State = *in.Conclusion
	}
	if in.Output != nil {
		s.Title, s.Summary = in.Output.Title, in.Output.Summary
		s.Annotations = append(s.Annotations, in.Output.Annotations...)
	}
}

func runAnswer(s *Status) object {
	status, conclusion := "completed", any(s.State)
	if s.State == "pending" {
		status, conclusion = "in_progress", nil
	}
	return object{"id": s.ID, "head_sha": s.Commit, "name": s.Context, "external_id": s.ExternalID, "details_url": s.URL,
		"status": status, "conclusion": conclusion,
		"output": object{"title": s.Title, "summary": s.Summary, "annotations_count": len(s.Annotations)}}
}
