package console

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
)

// rowsOfPage is how many clusters a page has.
const rowsOfPage = 200

// fleetPage is what the page of all clusters shows.
type fleetPage struct {
	Filter  filter
	States  []stateCount
	Tenants template.HTML // options
	Places  template.HTML // datacenters, so too
	Sources []sourceLine
	Holds   []holdLine
	Notices []string
	Stale   bool
	Limited bool

	Rows          []template.HTML // each made once, for all who ask
	Shown, All    int
	From, To      int
	Page          int
	Back, Forward string // addresses of the pages beside; empty: none
	Used, Limit   int
	Percent       int
	Soon          []*row // what expires next
	MoreSoon      int
	AllSoon       string // address of all that expires soon
}

// filter is what of the fleet is looked at. Expires is any word where only those
// are of which an entry expires soon.
type filter struct{ State, Tenant, Datacenter, Text, Expires string }

type stateCount struct {
	State apply.State
	Count int
	Query string
	On    bool
}

type sourceLine struct {
	Name, URL      string
	Accepted, Link string
	Revision       string // page of the accepted commit
	Since          time.Time
	Head           string // where the branch is, if that is another commit
	Branch         string
	Gone           bool
}

type holdLine struct {
	Hold
	Page string // of the commit; empty where nothing is read of its source
}

// fleetRow is a row for the template, which finds fields of one struct in a
// fraction of the time that embedded ones take.
type fleetRow struct {
	Prefix, ID, Name, Tenant, Datacenter, Rule string
	Revision, RevisionLink, Age, Message       string
	State                                      apply.State
}

func filterOf(values url.Values) filter {
	return filter{values.Get("state"), values.Get("tenant"), values.Get("datacenter"), strings.TrimSpace(values.Get("q")), values.Get("expires")}
}

// Any tells whether something is looked for.
func (f filter) Any() bool { return f != filter{} }

func (f filter) query(page int) string {
	values := url.Values{}
	for key, value := range map[string]string{"state": f.State, "tenant": f.Tenant, "datacenter": f.Datacenter, "q": f.Text, "expires": f.Expires} {
		if value != "" {
			values.Set(key, value)
		}
	}
	if page > 1 {
		values.Set("page", strconv.Itoa(page))
	}
	if len(values) == 0 {
		return "/"
	}
	return "/?" + values.Encode()
}

// of are the rows that the filter leaves, worst first; of those that expire, the
// first to do so first.
func (f filter) of(x *index) []*row {
	rows := x.rows
	if !f.Any() {
		return rows
	}
	if f.Expires != "" {
		rows = x.soon
	}
	words := strings.Fields(strings.ToLower(f.Text))
	var out []*row
	for _, r := range rows {
		switch {
		case f.State != "" && string(r.State) != f.State, f.Tenant != "" && r.Tenant != f.Tenant, f.Datacenter != "" && r.Datacenter != f.Datacenter:
		case slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(r.find, word) }):
		default:
			out = append(out, r)
		}
	}
	return out
}

// fleet is the page of all clusters. Those who see everything share what was made
// for one of them.
func (h *Handler) fleet(q *request) (answer, error) {
	values := q.URL.Query()
	f := filterOf(values)
	number, _ := strconv.Atoi(values.Get("page"))
	if !q.scope.all {
		return h.fleetOf(q, f, number)
	}
	body, err := q.pages.page(f.query(number), q.now, func() ([]byte, error) {
		a, err := h.fleetOf(q, f, number)
		if err == nil {
			err = h.render(&a, q)
		}
		return a.body, err
	})
	return answer{body: body, kind: htmlKind}, err
}

func (h *Handler) fleetOf(q *request, f filter, number int) (answer, error) {
	found := f.of(q.index)
	page := &fleetPage{Filter: f, Tenants: q.tenantNames.options(f.Tenant), Places: q.datacenters.options(f.Datacenter), Limited: !q.scope.all, Stale: q.PolicyStale,
		Shown: len(found), All: len(q.rows), Used: q.used, Limit: q.limit}
	pages := max(1, (len(found)+rowsOfPage-1)/rowsOfPage)
	page.Page = min(max(number, 1), pages)
	from := (page.Page - 1) * rowsOfPage
	to := min(from+rowsOfPage, len(found))
	for _, r := range found[from:to] {
		row, err := h.markup(r, q)
		if err != nil {
			return answer{}, err
		}
		page.Rows = append(page.Rows, row)
	}
	page.From, page.To = min(from+1, to), to
	if page.Page > 1 {
		page.Back = h.prefix + f.query(page.Page-1)
	}
	if page.Page < pages {
		page.Forward = h.prefix + f.query(page.Page+1)
	}
	if page.Limit > 0 {
		page.Percent = min(100, page.Used*100/page.Limit)
	}
	h.overview(page, q)
	return answer{page: "fleet", title: "Fleet", data: page}, nil
}

// overview is what stands above the clusters: it is of all of them.
func (h *Handler) overview(page *fleetPage, q *request) {
	for _, state := range States() {
		f := page.Filter
		on := f.State == string(state)
		if f.State = string(state); on {
			f.State = ""
		}
		if q.counts[state] > 0 || on {
			page.States = append(page.States, stateCount{state, q.counts[state], h.prefix + f.query(1), on})
		}
	}
	s := q.summary(q.now)
	page.Notices = s.Notices
	for _, hold := range s.Holds {
		page.Holds = append(page.Holds, holdLine{hold, h.pageOf(hold.Source, hold.Commit, q)})
	}
	for _, source := range q.Sources {
		page.Sources = append(page.Sources, h.sourceLine(source))
	}
	h.expiringSoon(page, q)
}

func (h *Handler) sourceLine(s Source) sourceLine {
	accepted := s.State.Accepted
	line := sourceLine{Name: s.Conf.Name, URL: s.State.URL, Accepted: accepted, Since: s.State.Since, Branch: s.Conf.Branch, Gone: s.Gone, Link: linksOf(s.Conf).commit(accepted)}
	if accepted != "" && !s.Gone { // of one that is gone nothing is read
		line.Revision = h.revisionPage(s.Conf.Name, accepted)
	}
	if s.Head != "" && s.Head != accepted {
		line.Head = s.Head
	}
	return line
}

// mostSoon is how many clusters are named whose entries expire soon.
const mostSoon = 8

func (h *Handler) expiringSoon(page *fleetPage, q *request) {
	page.Soon = q.soon[:min(len(q.soon), mostSoon)]
	page.MoreSoon, page.AllSoon = len(q.soon)-len(page.Soon), h.prefix+filter{Expires: "soon"}.query(1)
}

// revisionLink is the page of the commit that a row's list is of.
func (h *Handler) revisionLink(r *row, q *request) string {
	return h.pageOf(r.Source, r.Revision, q)
}

// pageOf is the page of a commit; empty where there is none, or nothing is read of
// its source any more.
func (h *Handler) pageOf(name, commit string, q *request) string {
	if source, known := q.source(name); commit == "" || !known || source.Gone {
		return ""
	}
	return h.revisionPage(name, commit)
}

// markup is a row as it stands on the page, which is most of the work for one:
// the template's own output, and for how long the cluster has been in its state.
type markup struct {
	age  string
	html template.HTML
}

func (h *Handler) markup(r *row, q *request) (template.HTML, error) {
	since := age(r.Since, q.made)
	if known := r.html.Load(); known != nil && known.age == since {
		return known.html, nil
	}
	var b strings.Builder
	err := pages.ExecuteTemplate(&b, "fleetrow", fleetRow{h.prefix, r.ID, r.Name, r.Tenant, r.Datacenter, r.Rule, r.Revision, h.revisionLink(r, q), since, r.Message, r.State})
	if err != nil {
		return "", fmt.Errorf("make the row of cluster %s: %w", r.ID, err)
	}
	made := &markup{since, template.HTML(b.String())}
	r.html.Store(made)
	return made.html, nil
}

func (h *Handler) revisionPage(source, sha string) string {
	return h.prefix + "/revisions/" + url.PathEscape(source) + "/" + url.PathEscape(sha)
}
