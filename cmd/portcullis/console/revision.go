package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// Git is what is read of the sources' mirrors, and what was said of commits. A
// source's name is one of the World's.
type Git interface {
	// Commit reads a commit and the one that it is compared with: base, as far as
	// the mirror has that, else its first parent. ErrUnknown where the mirror does
	// not have the commit.
	Commit(ctx context.Context, source, sha, base string) (*Commit, error)
	// Text is the content of a file by its hash.
	Text(ctx context.Context, source, hash string) (string, error)
	// Pull is what was judged of a pull request with that head.
	Pull(source, sha string) (Pull, bool)
	// Verdict is what a commit of the branch was told last.
	Verdict(source, sha string) (outcome.Verdict, bool)
}

// ErrUnknown says that a commit is not in the mirror.
var ErrUnknown = errors.New("the commit is not known")

// Commit is a commit with the files of both sides of it.
type Commit struct {
	Base          string // what it is compared with; empty: nothing
	Before, After []render.File
	Changed       []string // paths, sorted
}

// Pull is a pull request as it was judged last.
type Pull struct {
	Number      int
	URL         string
	Target      string // branch
	Base        string // commit of it that the change was laid over
	Failure     bool
	Title, Text string        // Text is the comment
	Diff        *meaning.Diff // nil where there was nothing to compare
}

// Revision is what a commit, or a pull request's head, means.
type Revision struct {
	Source string `json:"source"`
	Commit string `json:"commit"`
	URL    string `json:"url,omitempty"`
	// Standing is accepted, held, followed, superseded, another or a pull request.
	Standing string `json:"standing"`
	// Words say more of that.
	Words string `json:"words"`
	// Failed says of the accepted commit that its check failed: it is in force as
	// far as it passed. Refused are the files whose last good lists stay in place
	// of what it has.
	Failed      bool     `json:"failed,omitempty"`
	Refused     []string `json:"refused,omitempty"`
	PullRequest int      `json:"pullRequest,omitempty"`
	PullURL     string   `json:"pullRequestURL,omitempty"`
	Base        string   `json:"base,omitempty"` // commit that it is compared with
	Files       int      `json:"files"`          // that it changes
	Approve     string   `json:"approve,omitempty"`
	Told        *Told    `json:"told,omitempty"`
	*Change
	Clusters []apply.Observed `json:"clusters"` // of whose list it is the newest to have set
	Basis    string           `json:"basis"`    // what the comparison was made by
}

// Told is what its check says.
type Told struct {
	State string `json:"state"`
	Title string `json:"title"`
	Text  string `json:"text,omitempty"`
}

var errForgotten = &refusal{http.StatusNotFound, "This commit is not known here, or not any more: commits of the branch are, and the newest of each open pull request once it was judged."}

// errElsewhere has a proxy that asks the next replica then come to the one that
// leads.
var errElsewhere = &refusal{http.StatusServiceUnavailable, "This replica stands by, and knows the commits of the branch alone: ask the one that leads about a pull request. Where the address leads to all of them, try again."}

func (h *Handler) revision(q *request) (answer, error) {
	r, err := h.revisionOf(q)
	if err != nil {
		return answer{}, err
	}
	return answer{page: "revision", title: "Commit " + short(r.Commit), data: r}, nil
}

func (h *Handler) apiRevision(q *request) (answer, error) {
	r, err := h.revisionOf(q)
	if err != nil {
		return answer{}, err
	}
	return asJSON(r)
}

func (h *Handler) revisionOf(q *request) (*Revision, error) {
	source, known := q.source(q.PathValue("source"))
	sha := strings.ToLower(q.PathValue("sha"))
	if !known || !isCommit(sha) {
		return nil, errNotFound
	}
	if r := h.past.get(q.index, source.Conf.Name, sha); r != nil {
		return r, nil
	}
	r, err := h.readRevision(q, source, sha)
	if err == nil {
		h.past.put(q.index, source.Conf.Name, sha, r)
	}
	return r, err
}

func isCommit(s string) bool {
	return len(s) == 40 && strings.IndexFunc(s, func(c rune) bool { return !strings.ContainsRune("0123456789abcdef", c) }) < 0
}

func (h *Handler) readRevision(q *request, source Source, sha string) (*Revision, error) {
	r := &Revision{Source: source.Conf.Name, Commit: sha, URL: linksOf(source.Conf).commit(sha), Clusters: []apply.Observed{}}
	record := recordOf(source.State, sha)
	if pull, judged := h.Git.Pull(source.Conf.Name, sha); judged && record == nil && sha != source.State.Accepted {
		return h.pull(q, source, r, pull)
	}
	ctx, done, err := h.queue.enter(q.Context(), q.scope)
	if err != nil {
		return nil, err
	}
	defer done()
	commit, err := h.Git.Commit(ctx, source.Conf.Name, sha, baseOf(source.State, sha, record))
	if errors.Is(err, ErrUnknown) && q.Standby {
		return nil, errElsewhere
	}
	if errors.Is(err, ErrUnknown) {
		return nil, errForgotten
	}
	if err != nil {
		return nil, err
	}
	r.Base = commit.Base
	h.branch(q, source, r, record)
	tenants, changed := q.changed(source.Conf, commit)
	r.Files = len(changed)
	d := q.mean(r.Source, q.own(commit.Before), q.own(commit.After), tenants, q.now)
	c := told(q.seen(d, func(path string) string { return tenantAt(source.Conf, path) }), !q.scope.all, h.findingURL(source.Conf, sha))
	r.Change, r.Basis = &c, "compared with today's policy and clusters"
	r.inPart(source.State, changed)
	if len(changed) == 0 {
		r.Headline = "it changes nothing" + map[bool]string{true: " that this seed reads", false: " of yours"}[q.scope.all]
	}
	return r, nil
}

func (h *Handler) findingURL(conf policy.Source, sha string) func(lint.Finding) string {
	host := linksOf(conf)
	return func(f lint.Finding) string { return host.file(sha, f.Path, f.Line) }
}

// baseOf is what a commit is compared with, as its check was: of one that is held
// the commit in force, for approving it leads from there; else what was judged
// before it. Empty where that is not written down.
func baseOf(s apply.SourceState, sha string, record *apply.CommitRecord) string {
	switch {
	case s.Held != nil && s.Held.Commit == sha:
		return s.Accepted
	case record != nil:
		return record.Base
	}
	return ""
}

func recordOf(s apply.SourceState, sha string) *apply.CommitRecord {
	i := slices.IndexFunc(s.Commits, func(r apply.CommitRecord) bool { return r.SHA == sha })
	if i < 0 {
		return nil
	}
	return &s.Commits[i]
}

// own are the files that the viewer may read.
func (x *index) own(files []render.File) []render.File {
	if x.scope.all {
		return files
	}
	return slices.DeleteFunc(slices.Clone(files), func(f render.File) bool { return !x.scope.owns(f.Tenant, x.tenancy) })
}

// changed are the viewer's tenants whose files a commit changes, and those
// files.
func (x *index) changed(conf policy.Source, c *Commit) (tenants, paths []string) {
	for _, path := range c.Changed {
		tenant := tenantAt(conf, path)
		if !x.scope.owns(tenant, x.tenancy) {
			continue
		}
		paths = append(paths, path)
		if !slices.Contains(tenants, tenant) {
			tenants = append(tenants, tenant)
		}
	}
	return tenants, paths
}

// tenantAt is whose a path of a source is.
func tenantAt(conf policy.Source, path string) string {
	if conf.Tenant != "" {
		return conf.Tenant
	}
	if conf.Path != "." && conf.Path != "" {
		below, ok := strings.CutPrefix(path, conf.Path+"/")
		if !ok {
			return ""
		}
		path = below
	}
	tenant, _, inside := strings.Cut(path, "/")
	if !inside {
		return ""
	}
	return tenant
}

// branch is how a commit of the branch stands.
func (h *Handler) branch(q *request, source Source, r *Revision, record *apply.CommitRecord) {
	r.Standing, r.Words = "another", "A commit that is in the history of the branch. It is not the one in force, and no list is from it any more."
	if record != nil {
		r.Standing, r.Words = "followed", "It was followed; a newer commit is in force."
		for _, id := range record.Clusters {
			if row := q.byID[id]; row != nil {
				r.Clusters = append(r.Clusters, row.Observed)
			}
		}
		if record.Superseded != "" {
			r.Standing, r.Words = "superseded", "Superseded by "+record.Superseded+", which was judged in its place."
		}
	}
	switch held := source.State.Held; {
	case held != nil && held.Commit == r.Commit:
		r.Standing, r.Words = "held", "Not followed: it waits for the provider's approval."
		if q.scope.all {
			r.Words, r.Approve = "Not followed: "+held.Reason, ApproveLine(r.Source, r.Commit)
		}
	case source.State.Accepted == r.Commit:
		r.Standing, r.Words = "accepted", "The commit in force."
	}
	if !q.scope.all {
		return
	}
	if v, said := h.Git.Verdict(r.Source, r.Commit); said {
		r.Told = &Told{string(v.State), v.Title, v.Body}
	} else if record != nil && record.State != "" { // told by another replica, or before a restart
		r.Told = &Told{State: record.State}
	}
}

// inPart says of the accepted commit what of it is not in force. Where it is not
// known what its check says, a file that it changes and that is refused tells.
func (r *Revision) inPart(s apply.SourceState, changed []string) {
	if r.Standing != "accepted" {
		return
	}
	r.Refused = s.Refused
	r.Failed = r.Told != nil && r.Told.State == string(outcome.Failure) ||
		r.Told == nil && slices.ContainsFunc(s.Refused, func(path string) bool { return slices.Contains(changed, path) })
	switch {
	case len(r.Refused) > 0:
		r.Words = "The commit in force, but for the files that are refused: their clusters keep the last good lists."
	case r.Failed:
		r.Words = "The commit in force, as far as it could be applied: a cluster whose list is held keeps its last good one."
	}
}

// pull is a pull request's head, as it was judged.
func (h *Handler) pull(q *request, source Source, r *Revision, p Pull) (*Revision, error) {
	r.Standing, r.Words = "a pull request", "The newest commit of a pull request, as it was judged last."
	r.PullRequest, r.PullURL, r.Base = p.Number, p.URL, p.Base
	r.Basis = "laid over the branch " + p.Target + ", and compared with what is live"
	if q.scope.all {
		state := "success"
		if p.Failure {
			state = "failure"
		}
		r.Told = &Told{State: state, Title: p.Title}
	}
	if p.Diff == nil {
		if !q.scope.all {
			return nil, errForgotten
		}
		r.Change = &Change{Headline: p.Title, Why: []meaning.Reason{}, Findings: []Finding{}, Below: []string{}}
		return r, nil
	}
	d := q.seen(p.Diff, func(path string) string { return tenantAt(source.Conf, path) })
	if !q.scope.all && len(d.Clusters)+len(d.Findings)+len(d.Groups) == 0 {
		return nil, errForgotten // it is somebody else's
	}
	c := told(d, !q.scope.all, h.findingURL(source.Conf, r.Commit))
	r.Change = &c
	return r, nil
}

// memory keeps what commits mean for as long as an index counts: links to one
// are opened by many at once.
type memory struct {
	mu    sync.Mutex
	of    map[string]*Revision
	since time.Time
}

// mostPast bounds the commits that are remembered.
const mostPast = 64

func newMemory() *memory { return &memory{of: map[string]*Revision{}} }

func pastKey(x *index, source, sha string) string {
	return x.scope.key() + "\x00" + source + "\x00" + sha
}

func (m *memory) get(x *index, source, sha string) *Revision {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.since != x.made {
		return nil
	}
	return m.of[pastKey(x, source, sha)]
}

func (m *memory) put(x *index, source, sha string, r *Revision) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.since != x.made || len(m.of) >= mostPast {
		clear(m.of)
		m.since = x.made
	}
	m.of[pastKey(x, source, sha)] = r
}
