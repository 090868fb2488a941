package console_test

import (
	"cmp"
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// mirror is a source's history: the accepted commit, one before it, and a pull
// request of globex's.
type mirror struct {
	t      testing.TB
	untold *atomic.Bool // no check is known
	large  *atomic.Bool // every file is
}

const (
	before   = "1111111111111111111111111111111111111111"
	pullHead = "2222222222222222222222222222222222222222"
	others   = "3333333333333333333333333333333333333333" // a commit of globex's alone
)

func (m mirror) Commit(_ context.Context, source, sha, base string) (*console.Commit, error) {
	old := map[string]string{}
	for path, text := range files {
		old[path] = text
	}
	switch {
	case source != "customers":
		return nil, console.ErrUnknown
	case sha == accepted:
		old["tenants/acme/prod.yaml"] = strings.ReplaceAll(files["tenants/acme/prod.yaml"], "198.51.100.7", "198.51.100.8")
		delete(old, "tenants/globex/canary.yaml")
		return &console.Commit{Base: before, Before: parse(m.t, old), After: parse(m.t, files), Changed: []string{"tenants/acme/prod.yaml", "tenants/globex/canary.yaml"}}, nil
	case sha == others:
		old["tenants/globex/canary.yaml"] = strings.ReplaceAll(old["tenants/globex/canary.yaml"], "203.0.113.201", "203.0.113.202")
		return &console.Commit{Base: cmp.Or(base, before), Before: parse(m.t, files), After: parse(m.t, old), Changed: []string{"tenants/globex/canary.yaml"}}, nil
	}
	return nil, console.ErrUnknown
}

func (m mirror) Text(_ context.Context, _, hash string) (string, error) {
	for _, f := range parse(m.t, files) {
		if f.Hash == hash && m.large.Load() {
			return strings.Repeat("# x\n", 40_000), nil
		}
		if f.Hash == hash {
			return files[f.Path], nil
		}
	}
	return "", console.ErrUnknown
}

func (m mirror) Pull(_, sha string) (console.Pull, bool) {
	finding := lint.Finding{Source: "customers", Path: "tenants/globex/canary.yaml", Line: 3, Column: 1, Severity: lint.Error, Rule: "host-bits", Message: "canary " + evil}
	return console.Pull{Number: 7, URL: "https://git.example.com/hosting/allowlists/pulls/7", Target: "main", Base: accepted, Failure: true,
		Title: "review: tenants/globex/canary.yaml:3:1: host-bits", Text: evil, Diff: &meaning.Diff{Class: meaning.Review, Why: []meaning.Reason{{Text: "canary clusters are changed"}},
			Clusters: []meaning.Cluster{{ID: "canaryprod", Title: "canary-prod (canaryprod)", Tenant: "globex", Seed: "eu-west", Before: "restricted", After: "open"}},
			Findings: []lint.Finding{finding}}}, sha == pullHead
}

func (m mirror) Verdict(_, sha string) (outcome.Verdict, bool) {
	return outcome.Verdict{State: outcome.Failure, Title: "tenants/globex/canary.yaml: canary", Body: "canary-prod (canaryprod): Synced " + evil}, sha == accepted && !m.untold.Load()
}

// drafts are the routes of drafts and revisions.
func drafts() []string {
	out := []string{"/draft", "/draft?tenant=globex", "/draft?source=customers&path=tenants/globex/canary.yaml", "/draft?path=tenants/acme/../globex/canary.yaml", "/draft?source=nonesuch",
		"/draft?tenant=globex&cluster=canaryprod", "/draft?tenant=acme&cluster=canaryprod", "/draft?cluster=canarybare", "/draft?file=../globex/canary.yaml&tenant=acme"}
	for _, sha := range []string{accepted, before, pullHead, others, strings.Repeat("9", 40), "main", "HEAD", strings.Repeat("f", 40)} {
		out = append(out, "/revisions/customers/"+sha, "/api/v1/revisions/customers/"+sha, "/revisions/nonesuch/"+sha)
	}
	return out
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	mentions(t, r.get(t, "/revisions/customers/"+accepted), "In force", "The commit in force", "198.51.100.7/32", "198.51.100.8/32", "canary-prod", "failure", "today&#39;s policy",
		"/hosting/allowlists/commit/"+accepted, "foreign-cluster", "src/commit/"+accepted+"/tenants/globex/canary.yaml#L6")
	mentions(t, r.get(t, "/revisions/customers/"+pullHead), "Pull request", "pulls/7", "host-bits", "OPENED", "laid over the branch main", "canary &lt;script&gt;")
	mentions(t, r.get(t, "/revisions/customers/"+others), "Not in force", "203.0.113.202/32", "203.0.113.201/32")
	for path, status := range map[string]int{"/revisions/customers/" + strings.Repeat("9", 40): 404, "/revisions/customers/main": 404, "/revisions/x/" + accepted: 404, "/api/v1/revisions/customers/" + accepted: 200} {
		if g := r.get(t, path); g.status != status {
			t.Errorf("%s: %d, want %d", path, g.status, status)
		}
	}
	mentions(t, r.get(t, "/revisions/customers/"+strings.Repeat("9", 40)), "not known here, or not any more")
	mentions(t, r.get(t, "/api/v1/revisions/customers/"+accepted), `"standing": "accepted"`, `"findings": [`, `"rule": "foreign-cluster"`, `"sections": [`)
}

// The commit in force says what of it is not: by its check, and where that is
// not known, as after a restart, by what is refused.
func TestRevisionsInForceInPart(t *testing.T) {
	t.Parallel()
	failed := []string{"In force, but its check failed", `class="panel bad"`}
	refused := []string{"but for the files that are refused", "refused: <code>tenants/acme/prod.yaml</code>"}
	for name, c := range map[string]struct {
		limited bool
		state   apply.SourceState
		untold  bool
		in, out []string
	}{
		"its check failed":         {in: failed, out: []string{"refused: "}},
		"a file is refused":        {state: apply.SourceState{Refused: []string{"tenants/acme/prod.yaml"}}, in: append(failed, refused...)},
		"told by another replica":  {untold: true, state: apply.SourceState{Commits: []apply.CommitRecord{{SHA: accepted, State: "failure"}}}, in: append(failed, "Its check: <strong>failure</strong>")},
		"not known, a file of it":  {untold: true, state: apply.SourceState{Refused: []string{"tenants/acme/prod.yaml"}}, in: append(failed, refused...)},
		"not known, an older file": {untold: true, state: apply.SourceState{Refused: []string{"tenants/acme/old.yaml"}}, in: []string{"In force, but for refused files", `class="panel odd"`}, out: failed},
		"all is well":              {untold: true, in: []string{`">In force</h2>`, `class="panel good"`}, out: append(failed, "refused: ")},
		"limited: his own":         {limited: true, state: apply.SourceState{Refused: []string{"tenants/acme/prod.yaml", "tenants/globex/canary.yaml"}}, in: append(failed, refused...), out: []string{"canary", "globex"}},
		"limited: somebody else's": {limited: true, state: apply.SourceState{Refused: []string{"tenants/globex/canary.yaml"}, Commits: []apply.CommitRecord{{SHA: accepted, State: "failure"}}},
			in: []string{`">In force</h2>`, `class="panel good"`}, out: append(failed, "canary", "globex", "refused: ")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, limited())
			r.untold.Store(c.untold)
			w := world(t, files)
			c.state.Name, c.state.Accepted = "customers", accepted
			w.Sources[0].State = c.state
			r.world.Store(&w)
			groups := "ops"
			if c.limited {
				groups = "kkp-acmeproj1,kkp-acmeproj2"
			}
			g := r.get(t, "/revisions/customers/"+accepted, "X-Groups", groups)
			mentions(t, g, c.in...)
			silent(t, g, c.out...)
		})
	}
}

// What a commit that is held would mean is told against the one in force, and of
// another one against what was judged before it.
func TestBasesOfRevisions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state apply.SourceState
		want  string
	}{
		"held":                 {apply.SourceState{Held: &apply.HeldCommit{Commit: others}, Commits: []apply.CommitRecord{{SHA: others, Base: pullHead, Held: "x"}}}, accepted},
		"judged after another": {apply.SourceState{Commits: []apply.CommitRecord{{SHA: others, Base: pullHead}}}, pullHead},
		"not written down":     {apply.SourceState{}, before},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, policy.Console{})
			w := world(t, files)
			c.state.Name, c.state.Accepted = "customers", accepted
			w.Sources[0].State = c.state
			r.world.Store(&w)
			mentions(t, r.get(t, "/revisions/customers/"+others), `Against <code title="`+c.want)
		})
	}
}

// A standby does not know pull requests: whoever asks is to ask another replica,
// which proxies do for that status.
func TestStandbysSendPullRequestsOn(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	w := world(t, files)
	w.Standby, w.At = true, now
	r.world.Store(&w)
	for path, status := range map[string]int{strings.Repeat("9", 40): http.StatusServiceUnavailable, accepted: http.StatusOK, "main": http.StatusNotFound} {
		g := r.get(t, "/revisions/customers/"+path)
		if retry := g.header.Get("Retry-After"); g.status != status || (retry != "") != (status == http.StatusServiceUnavailable) {
			t.Errorf("%s: %d, retry %q", path, g.status, retry)
		}
	}
	mentions(t, r.get(t, "/revisions/customers/"+strings.Repeat("9", 40)), "ask the one that leads about a pull request")
}

// TestApprovalIsTheProviders: who cannot approve is not told how.
func TestApprovalIsTheProviders(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	w := world(t, files)
	w.Sources[0].State.Held.Commit = others
	r.world.Store(&w)
	acme := []string{"X-Groups", "kkp-acmeproj1,kkp-acmeproj2"}
	for path, words := range map[string]string{"/": "Waits for the provider&#39;s approval.", "/revisions/customers/" + others: "waits for the provider&#39;s approval", "/api/v1/status": `"reason": "acme: too much"`} {
		plain := strings.ReplaceAll(r.get(t, path, acme...).body, "provider's", "provider&#39;s")
		mentions(t, got{body: plain}, words)
		silent(t, got{body: plain}, "portcullis approve")
		mentions(t, r.get(t, path, "X-Groups", "ops"), "portcullis approve customers@")
	}
}

// TestRevisionsOfOthers: a commit of somebody else's means nothing here, and his
// pull request is not there.
func TestRevisionsOfOthers(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	acme := []string{"X-Groups", "kkp-acmeproj1,kkp-acmeproj2"}
	own := r.get(t, "/revisions/customers/"+accepted, acme...)
	mentions(t, own, "198.51.100.7/32", "198.51.100.8/32")
	silent(t, own, "canary", "globex", "Class:")
	mentions(t, r.get(t, "/revisions/customers/"+others, acme...), "changes nothing of yours")
	unknown, foreign := r.get(t, "/revisions/customers/"+strings.Repeat("9", 40), acme...), r.get(t, "/revisions/customers/"+pullHead, acme...)
	if foreign.status != 404 || foreign.body != unknown.body {
		t.Errorf("%d: another's pull request is answered otherwise than none", foreign.status)
	}
	mentions(t, r.get(t, "/revisions/customers/"+pullHead, "X-Groups", "kkp-globex"), "host-bits", "OPENED")
}

func post(t testing.TB, r *rig, path string, form url.Values, headers ...string) got {
	t.Helper()
	return r.do(t, http.MethodPost, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

func draftForm(pairs ...string) url.Values {
	form := url.Values{"source": {"customers"}, "tenant": {"acme"}, "file": {"new.yaml"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

var area = regexp.MustCompile(`(?s)<textarea[^>]*>\n(.*)</textarea>`)

// written is what a page has in its editor.
func written(t testing.TB, g got) string {
	t.Helper()
	found := area.FindStringSubmatch(g.body)
	if found == nil {
		t.Fatalf("%d: no editor:\n%s", g.status, g.body)
	}
	return html.UnescapeString(found[1])
}

// TestFromSnippetToList goes the way of somebody without scripts.
func TestFromSnippetToList(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	text := written(t, r.get(t, "/draft?tenant=acme"))
	if !strings.Contains(text, "clusters: [acmebare01]   # bare") || !strings.Contains(text, "seed: eu-west") {
		t.Fatalf("starts with\n%s", text)
	}
	if strings.Contains(text, "nodeEgress") {
		t.Errorf("it says where nodes come from, which it cannot know:\n%s", text)
	}
	for _, snippet := range []string{"address", "contractor", "nodes", "group"} {
		g := post(t, r, "/draft", draftForm("yaml", text, "snippet", snippet))
		text = written(t, g)
		mentions(t, g, "What it would mean", "bare (acmebare01)")
	}
	silent(t, post(t, r, "/draft/check", draftForm("yaml", text)), "duplicate-entry")
	parsed := document.Parse([]byte(text))
	if len(parsed.Problems) > 0 || len(parsed.Allowlists) != 1 || len(parsed.Allowlists[0].Spec.Entries.Items) != 4 || len(parsed.Allowlists[0].Spec.NodeEgress.Else.Items) != 1 {
		t.Errorf("%v\n%s", parsed.Problems, text)
	}
	g := post(t, r, "/draft/check", draftForm("yaml", text))
	mentions(t, g, "✓ It passes", "bare (acmebare01)", `href="https://git.example.com/hosting/allowlists/_new/main/tenants/acme"`, "asks for its name: <code>new.yaml</code>")
	silent(t, g, "with this text in it")
	silent(t, g, "Mend the findings")
	text = written(t, r.get(t, "/draft"))
	if !strings.Contains(text, "clusters: []\n") {
		t.Fatalf("without a tenant it starts with\n%s", text)
	}
	if text = written(t, post(t, r, "/draft", draftForm("yaml", text))); !strings.Contains(text, "clusters: [acmebare01]   # bare") {
		t.Errorf("once the tenant is chosen it is\n%s", text)
	}
	if strings.Contains(g.body, "<html") {
		t.Error("a part of a page is a page")
	}
}

func TestDraftsAreJudged(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	list := func(cluster, entry string) string {
		return head + "metadata: {name: x}\nspec: {seed: eu-west, clusters: [" + cluster + "], entries: [" + entry + "]}\n"
	}
	for name, c := range map[string]struct {
		form url.Values
		want []string
	}{
		"host bits":        {draftForm("yaml", list("acmebare01", "{cidr: 203.0.113.7/24}")), []string{"✗ It does not pass", "host-bits", "203.0.113.0/24", "Mend the findings first", "_new/main/tenants/acme\""}},
		"no YAML":          {draftForm("yaml", "a: ["+evil), []string{"yaml-syntax"}},
		"foreign cluster":  {draftForm("yaml", list("canaryprod", "{cidr: 203.0.113.7}")), []string{"foreign-cluster"}},
		"no such cluster":  {draftForm("yaml", list("nonesuch01", "{cidr: 203.0.113.7}")), []string{"unknown-cluster"}},
		"taken cluster":    {draftForm("yaml", list("shopprod01", "{cidr: 203.0.113.7}")), []string{"cluster-claimed-twice"}},
		"in its own place": {draftForm("file", "prod.yaml", "yaml", strings.ReplaceAll(files["tenants/acme/prod.yaml"], "198.51.100.7", "198.51.100.9")), []string{"✓ It passes", "198.51.100.9/32", "198.51.100.7/32", "_edit/main/tenants/acme/prod.yaml"}},
		"an odd name":      {draftForm("file", "<img src=x>.yaml", "yaml", files["tenants/acme/<img src=x>.yaml"]), []string{"no change in meaning", "%3Cimg%20src=x%3E.yaml"}},
		"below a folder":   {draftForm("file", "shop/new.yaml", "yaml", list("acmebare01", "{cidr: 203.0.113.7}")), []string{"_new/main/tenants/acme/shop\"", "<code>new.yaml</code>"}},
		"no name":          {draftForm("file", "../globex/canary.yaml", "yaml", "x"), []string{"The name of the file"}},
		"nobody's":         {draftForm("tenant", "", "yaml", list("acmebare01", "{cidr: 203.0.113.7}")), []string{"Choose a tenant"}},
		"an alias bomb":    {draftForm("yaml", "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n"), []string{"yaml-alias"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"/draft", "/draft/check"} {
				g := post(t, r, path, c.form)
				if g.status != 200 {
					t.Errorf("%d", g.status)
				}
				mentions(t, g, c.want...)
				silent(t, g, "<script>alert")
			}
		})
	}
}

// TestDraftsOfOthers: a limited viewer drafts for his tenants alone, and what he
// names of others' is answered as what is not there.
func TestDraftsOfOthers(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	acme := []string{"X-Groups", "kkp-acmeproj1,kkp-acmeproj2"}
	for _, form := range []url.Values{draftForm("tenant", "globex", "yaml", "x"), draftForm("source", "nonesuch", "yaml", "x")} {
		if g := post(t, r, "/draft/check", form, acme...); g.status != 404 {
			t.Errorf("%v: %d", form, g.status)
		}
	}
	if g := post(t, r, "/draft/check", draftForm("yaml", "x"), "X-Groups", "kkp-acmeproj1"); g.status != 404 {
		t.Errorf("%d for a tenant of whom he may see one project of two", g.status)
	}
	ask := func(id string) string {
		g := post(t, r, "/draft/check", draftForm("yaml", head+"metadata: {name: x}\nspec: {seed: eu-west, clusters: ["+id+"], entries: [{cidr: 203.0.113.7}]}\n"), acme...)
		return strings.ReplaceAll(g.body, id, "ID")
	}
	unknown := ask("nonesuch01")
	for _, id := range []string{"canaryprod", "canarybare", "canarygone"} {
		if got := ask(id); got != unknown {
			t.Errorf("%s is answered otherwise than one that is not there:\n%s\n%s", id, got, unknown)
		}
	}
}

// TestTheHostTakesTheText along, where it can, and as far as an address holds it.
func TestTheHostTakesTheText(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	w := world(t, files)
	w.Sources[0].Conf.Checks = policy.Checks{Forge: policy.ForgeGithub, URL: "https://github.com", Repository: "hosting/allowlists"}
	r.world.Store(&w)
	text := head + "metadata: {name: x}\nspec: {seed: eu-west, clusters: [acmebare01], entries: [{cidr: 203.0.113.7}]}\n"
	g := post(t, r, "/draft/check", draftForm("yaml", text))
	mentions(t, g, `href="https://github.com/hosting/allowlists/new/main/tenants/acme?filename=new.yaml&amp;value=apiVersion`, "with this text in it")
	g = post(t, r, "/draft/check", draftForm("yaml", text+strings.Repeat("# long\n", 900)))
	mentions(t, g, "Copy the text, and", `filename=new.yaml"`)
	silent(t, g, "value=", "asks for its name")
}

// TestLargeFilesAreNotDrafted: what a draft may not be, no file may bring in.
func TestLargeFilesAreNotDrafted(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	r.large.Store(true)
	g := r.get(t, "/draft?source=customers&path=tenants/acme/prod.yaml")
	mentions(t, g, "too large to be drafted here")
	if text := written(t, g); text != "" {
		t.Errorf("%d bytes in the editor", len(text))
	}
}

// TestManyFindingsAreCounted: a draft of faults alone is answered in no more
// than can be read.
func TestManyFindingsAreCounted(t *testing.T) {
	t.Parallel()
	g := post(t, serve(t, policy.Console{}), "/draft/check", draftForm("yaml", strings.Repeat("---\na\n", 1000)))
	mentions(t, g, "✗ It does not pass: 1000 errors", "800 more findings")
	if n := strings.Count(g.body, `class="severity`); n != 200 {
		t.Errorf("%d findings are shown", n)
	}
}

func TestDraftsAreBounded(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	for name, c := range map[string]struct {
		form    url.Values
		headers []string
		status  int
	}{
		"large":              {draftForm("yaml", strings.Repeat("# x\n", 40_000)), nil, 413},
		"very large":         {draftForm("yaml", strings.Repeat("x", 2<<20)), nil, 413},
		"from another site":  {draftForm("yaml", "x"), []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"from another place": {draftForm("yaml", "x"), []string{"Origin", "https://evil.example"}, 403},
		"from here":          {draftForm("yaml", "x"), []string{"Sec-Fetch-Site", "same-origin"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if g := post(t, r, "/draft/check", c.form, c.headers...); g.status != c.status {
				t.Errorf("%d, want %d", g.status, c.status)
			}
		})
	}
}

// TestNothingIsMarkup: whatever is typed, the page holds it as text.
func TestNothingIsMarkup(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	tags := regexp.MustCompile(`(?i)<(script|img|svg|iframe|style|base|link|meta)\b[^>]*>`)
	known := func(page string) int { return len(tags.FindAllString(page, -1)) }
	plain := known(r.get(t, "/draft").body)
	piece := rapid.SampledFrom([]string{evil, "</textarea>", "<svg onload=alert(1)>", "\u202e", "\x00", "&lt;script&gt;", "{{.}}", "javascript:alert(1)", `" autofocus onfocus="alert(1)`, "\n", ": ", "- ", "entries:\n", head, "cidr: 203.0.113.1/8"})
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(rt, "text"), "")
		g := post(t, r, "/draft", draftForm("yaml", text))
		if n := known(g.body); n != plain {
			rt.Errorf("%d tags, not %d:\n%s", n, plain, g.body)
		}
		for _, path := range []string{"/?q=", "/explain?address=10.0.0.1&cluster=", "/explain?cluster=shopprod01&address=", "/draft?file="} {
			for _, tag := range tags.FindAllString(r.get(t, path+url.QueryEscape(text)).body, -1) {
				if !strings.Contains(tag, "/static/") && !strings.HasPrefix(tag, "<meta name=") && !strings.HasPrefix(tag, "<meta charset=") {
					rt.Errorf("%s: %s", path, tag)
				}
			}
		}
	})
}
