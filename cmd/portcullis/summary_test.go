package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

func TestCheckOfABranchCommit(t *testing.T) {
	t.Parallel()
	fault := lint.Finding{Path: "tenants/acme/a.yaml", Line: 3, Column: 9, Severity: lint.Error, Rule: "host-bits", Message: "has `bits`"}
	hint := lint.Finding{Path: "tenants/acme/a.yaml", Line: 5, Column: 1, Severity: lint.Warning, Rule: "duplicate-entry", Message: "is there twice"}
	failed := outcome.Verdict{State: outcome.Failure, Title: "t", Body: "b\n", Findings: []lint.Finding{fault}, Lines: "shop: Synced\n", Identity: "i"}
	both := outcome.Judgement{Warned: []lint.Finding{hint}}
	for name, c := range map[string]struct {
		detailed    bool
		verdict     outcome.Verdict
		judgement   outcome.Judgement
		summary     string
		annotations string
	}{
		"a line is all that is shown": {false, failed, both, "", "[]"},
		"what it means":               {true, failed, outcome.Judgement{Warned: both.Warned, Meaning: "**review**: m\n"}, "**Clusters**\n\n```\nshop: Synced\n```\n\n**review**: m\n", "[3 error[host-bits] 5 warning[duplicate-entry]]"},
		"no plan of it is left":       {true, failed, both, "**Clusters**\n\n```\nshop: Synced\n```\n\n- `tenants/acme/a.yaml:3:9` error[host-bits] `` has `bits` ``\n", "[3 error[host-bits] 5 warning[duplicate-entry]]"},
		"held as a whole": {true, outcome.Verdict{State: outcome.Failure, Title: "held: rewinds"}, outcome.Judgement{Hold: "rewinds", Meaning: "**hold**: m\n"},
			"```\nheld: rewinds\n```\n\n**hold**: m\n", "[]"},
		"nothing to say": {true, outcome.Verdict{State: outcome.Success, Title: "superseded by x"}, outcome.Judgement{}, "", "[]"},
		"not at its end": {true, outcome.Verdict{State: outcome.Pending, Title: "applying"}, both, "", "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := newTestFollower()
			f.detailed = c.detailed
			got := f.check("0123", c.verdict, c.judgement)
			annotations := []string{}
			for _, a := range got.Annotations {
				annotations = append(annotations, fmt.Sprint(a.Line, " ", a.Title))
				if a.Failure != strings.HasPrefix(a.Title, "error") || a.Path != fault.Path {
					t.Errorf("annotation: %+v", a)
				}
			}
			if got.Summary != c.summary || fmt.Sprint(annotations) != c.annotations {
				t.Errorf("got\n%s%v\nwant\n%s%s", got.Summary, annotations, c.summary, c.annotations)
			}
			if got.Identity != c.verdict.Identity || got.State != forge.State(c.verdict.State) || got.Title != c.verdict.Title || got.Body != c.verdict.Body {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestBranchChecksLinkToTheConsole(t *testing.T) {
	t.Parallel()
	for console, want := range map[string]string{
		"":                                "",
		"https://console.example.com":     "https://console.example.com/revisions/my%20source/0123",
		"https://example.com/portcullis/": "https://example.com/portcullis/revisions/my%20source/0123",
	} {
		f, _ := newTestFollower()
		f.conf.Name, f.console = "my source", console
		for _, v := range []outcome.Verdict{{State: outcome.Pending}, {State: outcome.Success}} {
			if got := f.check("0123", v, outcome.Judgement{}).URL; got != want {
				t.Errorf("%q: %q, want %q", console, got, want)
			}
		}
	}
}
