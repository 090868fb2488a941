package e2e_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// spare and another are clusters of acme that only the bad files name.
const (
	spare   = "s9p4r2e6cl"
	another = "t8q5r3f7dm"
)

// badFile is one that is well but for what a case replaces.
const badFile = `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: spare}
spec:
  seed: eu-west
  clusters: [` + spare + `]
  nodeEgress: none
  entries:
    - {description: office, cidr: 203.0.113.64/26}
`

const badPath = "acme/spare.yaml"

// badInput is a file, and what its commit's check must say.
type badInput struct {
	name string
	// old and new make the file out of badFile; or it is the content, or a link.
	old, new, content, link string
	rule                    string
	// at is the text that the finding points at, or its place.
	at, place string
}

func address(text, rule string) badInput {
	return badInput{name: text, old: "203.0.113.64/26", new: text, rule: rule, at: text}
}

func badInputs() []badInput {
	return []badInput{
		{name: "not YAML", content: "apiVersion: [\nthis is: not: YAML\n", rule: "yaml-syntax", place: "2:"},
		{name: "an alias bomb", content: bomb(), rule: "yaml-alias", at: "&a"},
		{name: "2 MiB", content: badFile + strings.Repeat("# and more\n", 2<<20/11), rule: "file-too-large", place: "1:1"},
		{name: "a symlink", link: "production.yaml", rule: "not-a-file", place: "1:1"},
		{name: "tabs", old: "    - {desc", new: "\t- {desc", rule: "yaml-syntax", at: "\t"},
		{name: "two documents with one name", content: badFile + "---\n" + strings.Replace(badFile, spare, another, 1),
			rule: "duplicate-name", place: "13:18"},
		{name: "a cluster of another project", old: spare, new: stage.Billing, rule: "foreign-cluster", at: stage.Billing},
		{name: "a mistyped cluster", old: spare, new: "s9p4r2e6cm", rule: "unknown-cluster", at: "s9p4r2e6cm"},
		{name: "a mistyped seed", old: "eu-west", new: "eu-wets", rule: "unknown-seed", at: "eu-wets"},
		{name: "a missing group", old: "{description: office, cidr: 203.0.113.64/26}", new: "group: vpm", rule: "unknown-group", at: "vpm"},
		address("10.0.0.1/8", "host-bits"),
		address("010.0.0.0/8", "invalid-address"),
		address(`"::ffff:10.0.0.0/104"`, "ipv4-mapped"),
		address(`"fe80::1%eth0"`, "invalid-address"),
		address("999.1.1.1", "invalid-address"),
	}
}

// bomb is small, and would be a thousand million entries if aliases were
// followed.
func bomb() string {
	var b strings.Builder
	b.WriteString("a: &a [x, x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c < 'j'; c++ {
		ref := "*" + string(c-1)
		b.WriteString(string(c) + ": &" + string(c) + " [" + strings.Repeat(ref+", ", 9) + ref + "]\n")
	}
	return b.String()
}

func (c badInput) commit() stage.Commit {
	commit := stage.Commit{Message: c.name}
	switch {
	case c.link != "":
		commit.Link = map[string]string{badPath: c.link}
	case c.content != "":
		commit.Write = map[string]string{badPath: c.content}
	default:
		commit.Write = map[string]string{badPath: strings.Replace(badFile, c.old, c.new, 1)}
	}
	return commit
}

// finding is how the check names the fault.
func (c badInput) finding(p *play) string {
	if c.at == "" {
		return stage.Tenants + "/" + badPath + ":" + c.place
	}
	return p.place(badPath, c.at) + ": error[" + c.rule + "]: "
}

// TestBadInputIsHeldAndDisturbsNobody pushes each fault as a commit of its own.
func TestBadInputIsHeldAndDisturbsNobody(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	for _, id := range []string{spare, another} {
		p.must(p.Create(p.ctx, stage.Cluster{ID: id, Project: stage.AcmeProject}))
	}
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	for _, c := range badInputs() {
		t.Run(c.name, func(t *testing.T) {
			p := &play{Stage: p.Stage, t: t, ctx: t.Context()}
			sha := p.push(c.commit())
			p.await("the check", p.Noted(sha, stage.Failure, c.finding(p), c.rule))
			note, err := p.Note(p.ctx, sha)
			p.must(err)
			if rules := rulesOf(note); len(rules) != 1 || !rules[c.rule] {
				t.Errorf("not that rule alone: %s", note)
			}
			p.holds(p.Absent(spare), p.Absent(another), p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.Billing, stage.BillingList()...))
		})
	}
	others(p)
}

// rulesOf are the rules that a check names.
func rulesOf(note string) map[string]bool {
	out := map[string]bool{}
	for _, part := range strings.Split(note, ": error[")[1:] {
		rule, _, _ := strings.Cut(part, "]")
		out[rule] = true
	}
	return out
}

// others shows that the next tenant works beside the last fault, and that what
// only looks odd is fine.
func others(p *play) {
	p.t.Helper()
	sha := p.edit(stage.GlobexProject+"/api.yaml", "192.0.2.128/28", "192.0.2.160/27")
	p.await("another tenant's commit", p.Noted(sha, stage.Success))
	odd := "\ufeff" + strings.ReplaceAll(badFile, "\n", "\r\n")
	sha = p.write(badPath, odd)
	p.await("a byte order mark and CRLF", p.Noted(sha, stage.Success), p.InForce(spare, "203.0.113.64/26", "192.0.2.0/28"))
}
