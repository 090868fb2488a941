package forges

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"
)

// operation is what GitLab declares of one endpoint.
type operation struct {
	method string
	path   *regexp.Regexp
	query  map[string]parameter
	body   map[string]parameter
	answer reflect.Type // of 2xx, as GitLab's own client declares it
}

// parameter is one that an endpoint knows. Others are ignored by GitLab
// without a word, which is how a misspelt one goes unnoticed.
type parameter struct {
	number   bool
	values   []string // empty: any
	required bool
}

func oneOf(values ...string) parameter { return parameter{values: values} }

// gitlabContract is what GitLab's API declares of all that the stand-in
// answers: names, types, values and what is required, read in its source
// (gitlabhq/gitlabhq, of 2025): lib/api/commit_statuses.rb and
// doc/api/openapi for statuses, lib/api/helpers/merge_requests_helpers.rb and
// lib/api/merge_requests.rb, lib/api/notes.rb, and the pagination of
// lib/api/helpers/pagination and docs.gitlab.com/api/rest. Answers are held
// against the types of GitLab's own client.
func gitlabContract() []operation {
	text, integer, needed, order := parameter{}, parameter{number: true}, parameter{required: true}, oneOf("asc", "desc")
	paged := func(more map[string]parameter) map[string]parameter {
		more["page"], more["per_page"] = integer, integer
		return more
	}
	at := func(below string) *regexp.Regexp {
		return regexp.MustCompile(`^/api/v4/projects/[^/]+/[^/]+` + below + `$`)
	}
	const sha, iid = `/[0-9a-f]{40}`, `/merge_requests/[0-9]+`
	return []operation{
		{http.MethodGet, at(""), nil, nil, of[sdk.Project]()},
		{http.MethodGet, at("/repository/commits" + sha), nil, nil, of[sdk.Commit]()},
		{http.MethodPost, at("/statuses" + sha), nil, map[string]parameter{
			"state": {values: []string{"pending", "running", "success", "failed", "canceled", "skipped"}, required: true},
			"ref":   text, "target_url": text, "description": text, "name": text, "context": text, "coverage": integer, "pipeline_id": integer,
		}, of[sdk.CommitStatus]()},
		{http.MethodGet, at("/merge_requests"), paged(map[string]parameter{
			"state":    oneOf("opened", "closed", "locked", "merged", "all"),
			"order_by": oneOf("created_at", "label_priority", "milestone_due", "popularity", "priority", "title", "updated_at", "merged_at"),
			"sort":     order, "target_branch": text, "source_branch": text,
		}), nil, of[[]sdk.BasicMergeRequest]()},
		{http.MethodGet, at(iid), nil, nil, of[sdk.MergeRequest]()},
		{http.MethodGet, at(iid + "/notes"), paged(map[string]parameter{"order_by": oneOf("created_at", "updated_at"), "sort": order}), nil, of[[]sdk.Note]()},
		{http.MethodPost, at(iid + "/notes"), nil, map[string]parameter{"body": needed}, of[sdk.Note]()},
		{http.MethodPut, at(iid + "/notes/[0-9]+"), nil, map[string]parameter{"body": text}, of[sdk.Note]()},
		{http.MethodGet, regexp.MustCompile(`^/api/v4/user$`), nil, nil, of[sdk.User]()},
	}
}

func of[T any]() reflect.Type { return reflect.TypeFor[T]() }

// CheckGitLab holds a request and its answer against what GitLab declares.
func CheckGitLab(e Exchange) error {
	for _, o := range gitlabContract() {
		if o.method == e.Method && o.path.MatchString(e.Path) {
			return errors.Join(o.checkQuery(e.Query), o.checkBody(e.Request), o.checkAnswer(e))
		}
	}
	return fmt.Errorf("%s %s: not known to be an endpoint of GitLab", e.Method, e.Path)
}

func (o operation) checkQuery(query url.Values) error {
	var errs []error
	for name, values := range query {
		p, known := o.query[name]
		if !known || len(values) != 1 {
			errs = append(errs, fmt.Errorf("parameter %s of the query, %d times: GitLab knows no such one", name, len(values)))
			continue
		}
		errs = append(errs, p.check(name, values[0]))
	}
	return errors.Join(append(errs, missing(o.query, func(name string) bool { return query.Has(name) }))...)
}

func (o operation) checkBody(body []byte) error {
	if o.body == nil {
		if len(body) > 0 {
			return errors.New("a body, and GitLab wants none")
		}
		return nil
	}
	var sent map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&sent); err != nil {
		return fmt.Errorf("the body is no JSON object: %w", err)
	}
	var errs []error
	for name, value := range sent {
		p, known := o.body[name]
		if _, isNumber := value.(json.Number); !known || isNumber != p.number {
			errs = append(errs, fmt.Errorf("parameter %s of the body is %v: not known, or of another type", name, value))
			continue
		}
		errs = append(errs, p.check(name, fmt.Sprint(value)))
	}
	return errors.Join(append(errs, missing(o.body, func(name string) bool { return sent[name] != nil }))...)
}

func (p parameter) check(name, value string) error {
	if _, err := strconv.ParseFloat(value, 64); p.number && err != nil {
		return fmt.Errorf("parameter %s is %q, want a number", name, value)
	}
	if len(p.values) > 0 && !slices.Contains(p.values, value) {
		return fmt.Errorf("parameter %s is %q, want one of %q", name, value, p.values)
	}
	return nil
}

func missing(all map[string]parameter, there func(string) bool) error {
	for name, p := range all {
		if p.required && !there(name) {
			return fmt.Errorf("parameter %s is missing", name)
		}
	}
	return nil
}

// checkAnswer sees that the stand-in answers nothing that GitLab does not.
func (o operation) checkAnswer(e Exchange) error {
	if e.Code >= 300 {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(e.Answer)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(reflect.New(o.answer).Interface()); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the answer is no %s: %w", o.answer, err)
	}
	return nil
}
