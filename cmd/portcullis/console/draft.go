package console

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// mostDraft bounds a draft, in bytes, mostForm the form it comes in, where each
// byte may take three.
const (
	mostDraft = 128 << 10
	mostForm  = 3*mostDraft + 4<<10
)

// mostFindings is how many findings of a draft are shown: a line of two
// characters can be at fault, and what is said of it is a hundred times that.
const mostFindings = 200

// draftPage is a list that somebody writes.
type draftPage struct {
	Sources, Tenants     []string
	Source, Tenant, File string
	Path                 string // of the file, from the repository's root
	YAML                 string
	Exists               bool // there is such a file on the branch
	Snippets             []snippet
	Caller               string

	Fault  string
	Judged bool
	Change *Change
	Edit   string // the Git host's own editor
	Create string
	Filled bool   // Create brings the content with it
	Name   string // of the file, where Create does not bring it
	NoHost bool
}

func (h *Handler) draft(q *request) (answer, error) {
	page, err := h.draftOf(q)
	if err != nil {
		return answer{}, err
	}
	return answer{page: "draft", title: "Draft", data: page}, nil
}

// draftCheck is what stands beside the editor, alone.
func (h *Handler) draftCheck(q *request) (answer, error) {
	page, err := h.draftOf(q)
	if err != nil {
		return answer{}, err
	}
	return answer{page: "judged", data: page}, nil
}

func (h *Handler) draftOf(q *request) (*draftPage, error) {
	values := q.URL.Query()
	if q.Method == http.MethodPost {
		if err := q.ParseForm(); err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				return nil, errLarge
			}
			return nil, &refusal{http.StatusBadRequest, "The form cannot be read."}
		}
		values = q.PostForm
	}
	page := &draftPage{Source: values.Get("source"), Tenant: strings.TrimSpace(values.Get("tenant")), File: strings.TrimSpace(values.Get("file")),
		YAML: strings.ReplaceAll(values.Get("yaml"), "\r\n", "\n"), Tenants: q.tenants()}
	if at := h.caller(q.Request); at.IsValid() {
		page.Caller = at.String()
	}
	for _, s := range q.Sources {
		if !s.Gone {
			page.Sources = append(page.Sources, s.Conf.Name)
		}
	}
	if len(page.YAML) > mostDraft {
		return nil, errLarge
	}
	source, err := q.place(page, values.Get("path"))
	if err != nil {
		return nil, err
	}
	if err := h.begin(q, page, source, values.Get("cluster")); err != nil {
		return nil, err
	}
	page.Snippets = snippets(q, page)
	if kind := values.Get("snippet"); kind != "" {
		page.insert(kind)
	}
	if page.Tenant != "" && page.YAML != "" {
		if err := h.judgeDraft(q, page); err != nil {
			return nil, err
		}
	}
	page.ways(source)
	return page, nil
}

// place finds out whose file it is to be, and where. A file of somebody else's is
// answered as one that is not there.
func (q *request) place(page *draftPage, given string) (Source, error) {
	if page.Source == "" && len(page.Sources) > 0 {
		page.Source = page.Sources[0]
	}
	source, known := q.source(page.Source)
	if !known || source.Gone {
		if len(page.Sources) == 0 {
			page.Fault = "No source of yours is followed here: where a list would go is not known."
			return Source{}, nil
		}
		return Source{}, errNotFound
	}
	if given != "" && path.Clean(given) != given {
		return Source{}, errNotFound
	}
	if given != "" {
		page.Tenant = tenantAt(source.Conf, given)
		page.File = strings.TrimPrefix(given, folderOf(source.Conf, page.Tenant))
	}
	if page.Tenant == "" && len(page.Tenants) == 1 {
		page.Tenant = page.Tenants[0]
	}
	if source.Conf.Tenant != "" {
		page.Tenant = source.Conf.Tenant
	}
	if page.Tenant != "" && !q.scope.owns(page.Tenant, q.tenancy) {
		return Source{}, errNotFound
	}
	if page.File == "" {
		page.File = "allowlist.yaml"
	}
	page.Path = q.draftPath(source.Conf, page.Tenant, page.File)
	if page.Path == "" {
		page.Fault = "The name of the file: letters, digits, dots and dashes, and .yaml at the end."
	}
	return source, nil
}

// folderOf is where a tenant's files are, with a slash at its end.
func folderOf(conf policy.Source, tenant string) string {
	folder := conf.Path
	if conf.Tenant == "" {
		folder = path.Join(conf.Path, tenant)
	}
	if folder == "" || folder == "." {
		return ""
	}
	return folder + "/"
}

// draftPath is where a tenant's file is; empty for a name that none should have,
// unless there is a file of that name.
func (x *index) draftPath(conf policy.Source, tenant, file string) string {
	odd := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".-_/", c))
	}
	whole := folderOf(conf, tenant) + file
	there := slices.ContainsFunc(x.Files, func(f render.File) bool { return f.Source == conf.Name && f.Tenant == tenant && f.Path == whole })
	fair := strings.IndexFunc(file, odd) < 0 && (strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml"))
	if path.Clean("/" + file)[1:] != file || !fair && !there {
		return ""
	}
	return whole
}

// begin fills the editor: with the file, where there is one, else with a list to
// start from.
func (h *Handler) begin(q *request, page *draftPage, source Source, cluster string) error {
	i := slices.IndexFunc(q.Files, func(f render.File) bool { return f.Source == page.Source && f.Path == page.Path })
	page.Exists = i >= 0
	if q.URL.Path == "/draft" && !page.Exists && page.Tenant != "" && page.YAML == starter(q, "", "") {
		page.YAML = starter(q, page.Tenant, cluster) // it was made before the tenant was chosen
	}
	if page.YAML != "" || q.Method == http.MethodPost || page.Fault != "" {
		return nil
	}
	if page.Exists {
		text, err := h.Git.Text(q.Context(), page.Source, q.Files[i].Hash)
		if len(text) > mostDraft {
			page.Fault, text = "The file is too large to be drafted here: edit it on the Git host.", ""
		}
		page.YAML = text
		return err
	}
	if q.URL.Query().Get("path") != "" {
		return errNotFound
	}
	page.YAML = starter(q, page.Tenant, cluster)
	return nil
}

// judgeDraft holds it against the rules, in the place of the file.
func (h *Handler) judgeDraft(q *request, page *draftPage) error {
	if page.Path == "" {
		return nil
	}
	_, done, err := h.queue.enter(q.Context(), q.scope)
	if err != nil {
		return err
	}
	defer done()
	before := q.ofSource(page.Source)
	sum := sha256.Sum256([]byte(page.YAML))
	own := render.File{Source: page.Source, Tenant: page.Tenant, Path: page.Path, Hash: hex.EncodeToString(sum[:]), Parsed: document.Parse([]byte(page.YAML))}
	after := slices.DeleteFunc(slices.Clone(before), func(f render.File) bool { return f.Path == page.Path })
	after = append(after, own)
	slices.SortFunc(after, func(a, b render.File) int { return strings.Compare(a.Path, b.Path) })
	d := q.seen(q.mean(page.Source, before, after, []string{page.Tenant}, q.now), func(string) string { return page.Tenant })
	c := told(d, false, func(f lint.Finding) string { return "" })
	if more := len(c.Findings) - mostFindings; more > 0 {
		c.Findings = c.Findings[:mostFindings]
		c.Below = append(c.Below, fmt.Sprintf("%d more findings, which are shown once there are fewer", more))
	}
	page.Judged, page.Change = true, &c
	return nil
}

// ofSource are the viewer's files of one source.
func (x *index) ofSource(name string) []render.File {
	var out []render.File
	for _, f := range x.Files {
		if f.Source == name {
			out = append(out, f)
		}
	}
	return out
}

// ways are how it goes on from here: in the Git host's own editor, or by hand.
func (p *draftPage) ways(source Source) {
	host := linksOf(source.Conf)
	p.NoHost = host.base == ""
	switch {
	case p.NoHost || p.Path == "" || p.Tenant == "":
	case p.Exists:
		p.Edit = host.edit(p.Path)
	default:
		named := false
		if p.Create, named, p.Filled = host.create(p.Path, p.YAML); !named {
			p.Name = path.Base(p.Path)
		}
	}
}
