package console

import (
	"bytes"
	"net/http"
	"net/netip"
	"strings"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/report"
)

// explainPage asks for a cluster and an address, and answers.
type explainPage struct {
	Cluster, Address string
	Caller           string // the viewer's own address; empty where that is not known
	Fault            string // in what was asked
	Answers          []explained
	Suggestions      []*row
}

// explained is an answer with links.
type explained struct {
	meaning.Answer
	State   apply.State // of the cluster
	Message string
	// Expected is set where the list may not be in force as the answer has it.
	Expected bool
	Place    *Place
	By       []Entry
	Expired  []Entry
	Nearest  *Entry
}

// mostSuggestions bounds the clusters that the field offers.
const mostSuggestions = 500

func (h *Handler) explain(q *request) (answer, error) {
	values := q.URL.Query()
	page := &explainPage{Cluster: strings.TrimSpace(values.Get("cluster")), Address: strings.TrimSpace(values.Get("address"))}
	if at := h.caller(q.Request); at.IsValid() {
		page.Caller = at.String()
	}
	page.Suggestions = q.rows[:min(len(q.rows), mostSuggestions)]
	if page.Cluster == "" || page.Address == "" {
		return answer{page: "explain", title: "Explain", data: page}, nil
	}
	prefix, err := meaning.ParseAddress(page.Address)
	if err != nil {
		page.Fault = report.Escape(err.Error())
		return answer{page: "explain", title: "Explain", data: page, status: http.StatusBadRequest}, nil
	}
	id, ok := q.find(page.Cluster)
	if !ok {
		page.Fault = "There is no such cluster here, or none that you may see."
		return answer{page: "explain", title: "Explain", data: page, status: http.StatusNotFound}, nil
	}
	answers, err := h.ask(q, id, prefix)
	if err != nil {
		return answer{}, err
	}
	for _, a := range answers {
		page.Answers = append(page.Answers, h.explained(a, q))
	}
	return answer{page: "explain", title: "Explain", data: page}, nil
}

// find is the ID of a cluster by its ID, its name or both, as pages show them; a
// name that several have is none's.
func (x *index) find(text string) (id string, ok bool) {
	if _, known := x.Inventory.Clusters[text]; known || x.byID[text] != nil {
		return text, true
	}
	for candidate, c := range x.Inventory.Clusters {
		switch text {
		case c.Title():
			return candidate, true
		case c.Name:
			if ok {
				return "", false
			}
			id, ok = candidate, true
		}
	}
	return id, ok
}

// ask answers as `portcullis explain --live` does, by the plan in force and by
// what is live now.
func (h *Handler) ask(q *request, id string, prefix netip.Prefix) ([]meaning.Answer, error) {
	seen, err := h.Look(q.Context(), id)
	if err != nil {
		return nil, err
	}
	if seen.Exists && !q.scope.seesCluster(seen.Cluster) {
		return nil, errNotFound
	}
	side := meaning.Side{Clusters: map[string]*render.Wanted{}, Files: q.Files}
	if wanted := q.Plan.Clusters[id]; wanted != nil {
		side.Clusters[q.Seed+"/"+id] = wanted
	}
	inventory := render.Inventory{Known: true, Seed: q.Inventory.Seed, Clusters: map[string]render.Cluster{}}
	if seen.Exists {
		inventory.Clusters[id] = seen.Cluster
	}
	return meaning.Explain(meaning.Question{Cluster: id, Prefix: prefix, Side: side, Policy: q.Policy, Inventory: inventory, Now: q.now}), nil
}

func (h *Handler) explained(a meaning.Answer, q *request) explained {
	out := explained{Answer: a}
	if r := q.byID[a.Cluster]; r != nil {
		out.State, out.Message = r.State, r.Message
		out.Expected = r.State != apply.Synced && r.State != apply.Held
	}
	var host links
	var commit string
	if wanted := q.Plan.Clusters[a.Cluster]; a.Claim != nil && wanted != nil {
		source, _ := q.source(a.Claim.Source)
		out.Place = h.place(wanted, source, q)
		host, commit = linksOf(source.Conf), out.Place.Commit
	}
	linked := func(entries []render.Entry) []Entry {
		var out []Entry
		for _, e := range entries {
			out = append(out, Entry{Entry: e, URL: host.file(commit, e.Path, int(e.Line)), Expired: e.Expired(q.now)})
		}
		return out
	}
	out.By, out.Expired = linked(a.By), linked(a.Expired)
	if a.Nearest != nil {
		out.Nearest = &linked([]render.Entry{*a.Nearest})[0]
	}
	return out
}

// Verb is the verdict in words.
func (e explained) Verb() string {
	switch e.Verdict {
	case meaning.In:
		return "let in"
	case meaning.Out:
		return "not let in"
	}
	return "that cannot be told"
}

// apiExplain is `portcullis explain -o json`.
func (h *Handler) apiExplain(q *request) (answer, error) {
	values := q.URL.Query()
	prefix, err := meaning.ParseAddress(strings.TrimSpace(values.Get("address")))
	if err != nil {
		return answer{}, &refusal{http.StatusBadRequest, report.Escape(err.Error())}
	}
	id, ok := q.find(strings.TrimSpace(values.Get("cluster")))
	if !ok {
		return answer{}, errNotFound
	}
	answers, err := h.ask(q, id, prefix)
	if err != nil {
		return answer{}, err
	}
	var b bytes.Buffer
	err = report.ExplainJSON(&b, answers)
	return answer{body: b.Bytes(), kind: jsonKind}, err
}
