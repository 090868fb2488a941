package forges

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

func (g *GitHub) listPulls(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("state") != "open" || q.Get("sort") != "created" || q.Get("direction") != "desc" {
		g.message(w, r, http.StatusUnprocessableEntity, "the stand-in knows one order only")
		return
	}
	pulls, next := pageOf(r, 30, g.openTo(q.Get("base")))
	g.link(w, r, next)
	body := make([]object, 0, len(pulls))
	for _, p := range pulls {
		body = append(body, g.pullAnswer(p))
	}
	full, err := g.complete(r, http.StatusOK, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	conditional(w, r, full)
}

func (g *GitHub) link(w http.ResponseWriter, r *http.Request, next int) {
	if next == 0 {
		return
	}
	q := r.URL.Query()
	q.Set("page", fmt.Sprint(next))
	w.Header().Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, g.URL, r.URL.Path, q.Encode()))
}

func (g *GitHub) showPull(w http.ResponseWriter, r *http.Request) {
	p := g.pull(pathNumber(r, "number"))
	if p == nil {
		g.message(w, r, http.StatusNotFound, "Not Found")
		return
	}
	answer := g.pullAnswer(p)
	answer["merged"] = p.State == "merged"
	g.reply(w, r, http.StatusOK, answer)
}

func (g *GitHub) pullAnswer(p *Pull) object {
	head := object{"id": 1, "full_name": Owner + "/" + Name}
	if p.Fork {
		head = object{"id": 2, "full_name": p.Author + "/" + Name}
	}
	answer := object{"number": p.Number, "state": "open", "user": object{"login": p.Author},
		"html_url": fmt.Sprintf("%s/%s/%s/pull/%d", g.URL, Owner, Name, p.Number),
		"head":     object{"ref": p.Branch, "sha": p.Head, "repo": head},
		"base":     object{"ref": p.Target, "repo": object{"id": 1, "full_name": Owner + "/" + Name}},
		// Of an open one, this is a commit that tries the merge.
		"merge_commit_sha": strings.Repeat("9", 40), "merged_at": nil}
	if p.State != "open" {
		answer["state"] = "closed"
	}
	if p.State == "merged" {
		answer["merge_commit_sha"], answer["merged_at"] = p.MergeCommit, "2026-11-22T20:00:00Z"
	}
	return answer
}

func (g *GitHub) listComments(w http.ResponseWriter, r *http.Request) {
	p := g.pull(pathNumber(r, "number"))
	if p == nil {
		g.message(w, r, http.StatusNotFound, "Not Found")
		return
	}
	comments, next := pageOf(r, 30, p.Comments)
	g.link(w, r, next)
	body := make([]object, 0, len(comments))
	for _, c := range comments {
		body = append(body, g.commentAnswer(p, c))
	}
	g.reply(w, r, http.StatusOK, body)
}

func (g *GitHub) createComment(w http.ResponseWriter, r *http.Request) {
	p := g.pull(pathNumber(r, "number"))
	text, ok := g.readComment(w, r)
	switch {
	case !ok:
	case p == nil:
		g.message(w, r, http.StatusNotFound, "Not Found")
	default:
		c := &Comment{g.id(), g.login(r), text}
		p.Comments = append(p.Comments, c)
		g.reply(w, r, http.StatusCreated, g.commentAnswer(p, c))
	}
}

func (g *GitHub) updateComment(w http.ResponseWriter, r *http.Request) {
	p, c := g.found(int64(pathNumber(r, "id")))
	text, ok := g.readComment(w, r)
	switch {
	case !ok:
	case c == nil:
		g.message(w, r, http.StatusNotFound, "Not Found")
	case c.Author != g.login(r):
		g.message(w, r, http.StatusForbidden, "Must have admin rights to Repository.")
	default:
		c.Body = text
		g.reply(w, r, http.StatusOK, g.commentAnswer(p, c))
	}
}

func (g *GitHub) readComment(w http.ResponseWriter, r *http.Request) (string, bool) {
	var in struct{ Body string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Body == "" {
		g.message(w, r, http.StatusBadRequest, "Problems parsing JSON")
		return "", false
	}
	if len(in.Body) > 65536 {
		g.invalid(w, "IssueComment", "body is too long (maximum is 65536 characters)")
		return "", false
	}
	return in.Body, true
}

func (g *GitHub) commentAnswer(p *Pull, c *Comment) object {
	return object{"id": c.ID, "body": c.Body, "user": object{"login": c.Author},
		"html_url": fmt.Sprintf("%s/%s/%s/pull/%d#issuecomment-%d", g.URL, Owner, Name, p.Number, c.ID)}
}
