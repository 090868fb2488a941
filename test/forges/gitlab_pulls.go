package forges

import (
	"encoding/json"
	"fmt"
	"net/http"
)

func (g *GitLab) listPulls(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !g.there(w, r) {
		return
	}
	if q.Get("state") != "opened" || q.Get("order_by") != "created_at" || q.Get("sort") != "desc" {
		gitlabMessage(w, http.StatusBadRequest, "the stand-in knows one order only")
		return
	}
	pulls, next := pageOf(r, 20, g.openTo(q.Get("target_branch")))
	nextPage(w, next)
	body := make([]object, 0, len(pulls))
	for _, p := range pulls {
		body = append(body, g.pullAnswer(p))
	}
	conditional(w, r, body)
}

// nextPage says which page is next: GitLab sends the header empty where none is.
func nextPage(w http.ResponseWriter, next int) {
	w.Header().Set("X-Next-Page", "")
	if next > 0 {
		w.Header().Set("X-Next-Page", fmt.Sprint(next))
	}
}

func (g *GitLab) pullOf(w http.ResponseWriter, r *http.Request) *Pull {
	if !g.there(w, r) {
		return nil
	}
	p := g.pull(pathNumber(r, "number"))
	if p == nil {
		gitlabMessage(w, http.StatusNotFound, "404 Not found")
	}
	return p
}

func (g *GitLab) showPull(w http.ResponseWriter, r *http.Request) {
	p := g.pullOf(w, r)
	if p == nil {
		return
	}
	answer := g.pullAnswer(p)
	answer["head_pipeline"] = nil
	for _, under := range g.pipelines {
		if under.id == p.Pipeline {
			answer["head_pipeline"] = object{"id": under.id, "sha": under.sha, "project_id": project, "ref": under.ref}
		}
	}
	reply(w, http.StatusOK, answer)
}

func (g *GitLab) pullAnswer(p *Pull) object {
	source := project
	if p.Fork {
		source = forkProject
	}
	state := map[string]string{"open": "opened", "closed": "closed", "merged": "merged"}[p.State]
	answer := object{"id": 1000 + p.Number, "iid": p.Number, "project_id": project, "source_project_id": source, "target_project_id": project,
		"state": state, "source_branch": p.Branch, "target_branch": p.Target, "sha": p.Head, "merge_commit_sha": nil, "squash_commit_sha": nil,
		"author": object{"id": 8, "username": p.Author}, "web_url": fmt.Sprintf("%s/%s/%s/-/merge_requests/%d", g.URL, Owner, Name, p.Number)}
	if p.State == "merged" {
		answer["merge_commit_sha"] = p.MergeCommit
	}
	return answer
}

func (g *GitLab) listNotes(w http.ResponseWriter, r *http.Request) {
	p := g.pullOf(w, r)
	if p == nil {
		return
	}
	if q := r.URL.Query(); q.Get("order_by") != "created_at" || q.Get("sort") != "asc" {
		gitlabMessage(w, http.StatusBadRequest, "the stand-in knows one order only")
		return
	}
	comments, next := pageOf(r, 20, p.Comments)
	nextPage(w, next)
	body := make([]object, 0, len(comments))
	for _, c := range comments {
		body = append(body, noteAnswer(c))
	}
	reply(w, http.StatusOK, body)
}

func (g *GitLab) createNote(w http.ResponseWriter, r *http.Request) {
	p := g.pullOf(w, r)
	if p == nil {
		return
	}
	text, ok := readNote(w, r)
	if !ok {
		return
	}
	c := &Comment{g.id(), Robot, text}
	p.Comments = append(p.Comments, c)
	reply(w, http.StatusCreated, noteAnswer(c))
}

func (g *GitLab) updateNote(w http.ResponseWriter, r *http.Request) {
	if g.pullOf(w, r) == nil {
		return
	}
	text, ok := readNote(w, r)
	if !ok {
		return
	}
	switch _, c := g.found(int64(pathNumber(r, "id"))); {
	case c == nil:
		gitlabMessage(w, http.StatusNotFound, "404 Note Not Found")
	case c.Author != Robot:
		gitlabMessage(w, http.StatusForbidden, "403 Forbidden")
	default:
		c.Body = text
		reply(w, http.StatusOK, noteAnswer(c))
	}
}

func readNote(w http.ResponseWriter, r *http.Request) (string, bool) {
	var in struct{ Body string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Body == "" || len(in.Body) > 1_000_000 {
		gitlabMessage(w, http.StatusBadRequest, "body is missing or too long")
		return "", false
	}
	return in.Body, true
}

func noteAnswer(c *Comment) object {
	id := robotID
	if c.Author != Robot {
		id = 100
	}
	return object{"id": c.ID, "body": c.Body, "system": false, "author": object{"id": id, "username": c.Author}}
}
