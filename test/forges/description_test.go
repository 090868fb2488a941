package forges_test

import (
	"net/url"
	"os"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/forges"
)

// TestDescriptionFindsFaults sees that exchanges are really held against
// GitHub's description; it is here, too, that a description which is not to be
// had is told of: the stand-in for GitHub is then nothing but our own belief.
func TestDescriptionFindsFaults(t *testing.T) {
	t.Parallel()
	d, err := described()
	switch {
	case err == nil:
	case os.Getenv("PORTCULLIS_TEST_SERVERS") == "required":
		t.Fatalf("GitHub's own description of its API is required: %v", err)
	default:
		t.Skipf("GitHub's requests and answers are NOT checked against its own description: %v", err)
	}
	status := func(change string) []byte { return []byte(`{"state": "success", "context": "c"` + change + `}`) }
	answer := []byte(`{"url":"https://x.example/","avatar_url":null,"id":1,"node_id":"","state":"success","description":null,"target_url":null,
		"context":"c","created_at":"2026-11-22T20:00:00Z","updated_at":"2026-11-22T20:00:00Z","creator":null}`)
	const statuses = "/repos/a/b/statuses/c0ffee"
	good := forges.Exchange{Method: "POST", Path: statuses, Request: status(""), Code: 201, Answer: answer}
	for name, tt := range map[string]struct {
		change func(*forges.Exchange)
		ok     bool
	}{
		"good":                       {func(*forges.Exchange) {}, true},
		"a failure not described":    {func(e *forges.Exchange) { e.Code, e.Answer = 422, []byte("{}") }, true},
		"unknown path":               {func(e *forges.Exchange) { e.Path += "/more/and/more" }, false},
		"unknown method":             {func(e *forges.Exchange) { e.Method = "DELETE" }, false},
		"no body":                    {func(e *forges.Exchange) { e.Request = nil }, false},
		"unknown state":              {func(e *forges.Exchange) { e.Request = []byte(`{"state": "skipped"}`) }, false},
		"no state":                   {func(e *forges.Exchange) { e.Request = []byte(`{"context": "c"}`) }, false},
		"description of wrong type":  {func(e *forges.Exchange) { e.Request = status(`, "description": 1`) }, false},
		"null where it may be":       {func(e *forges.Exchange) { e.Request = status(`, "description": null`) }, true},
		"unknown query":              {func(e *forges.Exchange) { e.Query = url.Values{"sort": {"x"}} }, false},
		"answer of another code":     {func(e *forges.Exchange) { e.Code = 200 }, false},
		"answer without what it has": {func(e *forges.Exchange) { e.Answer = []byte("{}") }, false},
		"listing with a good query": {func(e *forges.Exchange) {
			*e = forges.Exchange{Method: "GET", Path: "/repos/a/b/pulls", Query: url.Values{"state": {"open"}, "page": {"2"}}, Code: 200, Answer: []byte("[]")}
		}, true},
		"listing, unknown state": {func(e *forges.Exchange) {
			*e = forges.Exchange{Method: "GET", Path: "/repos/a/b/pulls", Query: url.Values{"state": {"opened"}}, Code: 200, Answer: []byte("[]")}
		}, false},
		"listing, page of words": {func(e *forges.Exchange) {
			*e = forges.Exchange{Method: "GET", Path: "/repos/a/b/pulls", Query: url.Values{"page": {"two"}}, Code: 200, Answer: []byte("[]")}
		}, false},
		"not modified": {func(e *forges.Exchange) {
			*e = forges.Exchange{Method: "GET", Path: "/repos/a/b/pulls", Code: 304}
		}, true},
	} {
		e := good
		tt.change(&e)
		if err := d.Check(e); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.Complete("POST", statuses, 201, map[string]any{"id": 1, "made_up": 1}); err == nil {
		t.Error("an answer with what GitHub does not have was completed")
	}
}
