package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/pulls"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/report"
)

// exampleNow is the moment that the examples are about.
var exampleNow = time.Date(2031, 1, 1, 12, 0, 0, 0, time.UTC)

// example is a rule's page: testdata/rules/<rule>.txtar. Its comment says why;
// below wrong/ and right/ are folders of tenants' files, below before/ one that
// was accepted earlier; policy.yaml and clusters.yaml hold for both.
type example struct {
	rule  lint.Rule
	why   string
	files map[string]string
}

func readExample(t *testing.T, rule lint.Rule) example {
	t.Helper()
	path := filepath.Join("testdata", "rules", rule.Name+".txtar")
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatalf("every rule has a page: %v", err)
	}
	e := example{rule, strings.TrimSpace(string(archive.Comment)), map[string]string{}}
	for _, f := range archive.Files {
		e.files[f.Name] = string(f.Data)
	}
	return e
}

// unpack writes a folder of the example to disk.
func (e example) unpack(t *testing.T, side string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range e.files {
		if rest, ok := strings.CutPrefix(name, side+"/"); ok {
			writeFile(t, filepath.Join(dir, filepath.FromSlash(rest)), text)
		}
	}
	return dir
}

// policyFor is the policy of one side; empty without.
func (e example) policyFor(side string) string {
	if text, own := e.files["policy-"+side+".yaml"]; own {
		return text
	}
	return e.files["policy.yaml"]
}

// check is what `check` finds in one side of the example.
func (e example) check(t *testing.T, side string) []lint.Finding {
	t.Helper()
	if e.rule.Scope == lint.Config {
		return configFindings(e.files[side+"/policy.yaml"])
	}
	o := &offline{}
	if text := e.policyFor(side); text != "" {
		o.policy = writeFile(t, filepath.Join(t.TempDir(), "policy.yaml"), text)
	}
	dir := e.unpack(t, side)
	if e.files["clusters.yaml"] == "" {
		plan, _, _, err := o.load(context.Background(), dir, exampleNow)
		if err != nil {
			t.Fatal(err)
		}
		return below(dir, plan.Findings)
	}
	if e.files["kkp.yaml"] != "" {
		return below(dir, e.onPull(t, o, dir))
	}
	return below(dir, e.onSeed(t, o, dir).Findings)
}

// onPull is what is found in a pull request that changes before/ to the side in
// dir; what KKP says of each cluster is in kkp.yaml.
func (e example) onPull(t *testing.T, o *offline, dir string) []lint.Finding {
	t.Helper()
	var words map[string]string
	if err := yaml.UnmarshalStrict([]byte(e.files["kkp.yaml"]), &words); err != nil {
		t.Fatal(err)
	}
	before := treeAt(t, e.unpack(t, "before"), dir)
	in := pulls.Input{Seed: "eu-west", Target: "main", BeforeFiles: before, AfterFiles: treeAt(t, dir, dir), Now: exampleNow, Policy: policy.Default()}
	in.Before, in.Inventory = e.planOf(t, o, nil, in.BeforeFiles)
	in.After, _ = e.planOf(t, o, in.Before.Base(), in.AfterFiles)
	for i, f := range in.AfterFiles {
		if f.Hash != before[i].Hash {
			in.Changed = append(in.Changed, f.Path)
		}
	}
	in.Refused = words
	return pulls.Judge(in).Findings
}

// onSeed is the plan with the example's clusters in the place of a seed's.
func (e example) onSeed(t *testing.T, o *offline, dir string) *render.Plan {
	t.Helper()
	base := withoutHistory(true)
	if e.files["before/acme/production.yaml"] != "" {
		before, _ := e.planOf(t, o, base, treeAt(t, e.unpack(t, "before"), dir))
		base = before.Base()
	}
	plan, _ := e.planOf(t, o, base, treeAt(t, dir, dir))
	return plan
}

func (e example) planOf(t *testing.T, o *offline, base *render.Base, files []render.File) (*render.Plan, render.Inventory) {
	t.Helper()
	p, err := readPolicy(o.policy)
	if err != nil {
		t.Fatal(err)
	}
	var clusters []render.Cluster
	if err := yaml.UnmarshalStrict([]byte(e.files["clusters.yaml"]), &clusters); err != nil {
		t.Fatal(err)
	}
	inventory := render.Inventory{Known: true, Clusters: map[string]render.Cluster{}}
	for _, c := range clusters {
		inventory.Clusters[c.ID] = c
	}
	return render.Render(render.Input{Sources: []string{""}, Files: files, Base: base, Policy: p, Inventory: inventory, Seed: "eu-west", Now: exampleNow}), inventory
}

// treeAt reads a folder as if it were at another place.
func treeAt(t *testing.T, dir, as string) []render.File {
	t.Helper()
	files, err := readTree(context.Background(), dir, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i].Path = filepath.ToSlash(filepath.Join(as, strings.TrimPrefix(files[i].Path, filepath.ToSlash(dir))))
	}
	return files
}

func configFindings(text string) []lint.Finding {
	var out []lint.Finding
	_, problems := policy.ParsePolicy([]byte(text), lint.Changeable)
	for _, p := range problems {
		out = append(out, lint.Finding{Path: "policy.yaml", Line: int(p.Line), Column: int(p.Column), Severity: lint.Error, Rule: p.Rule, Message: p.Message, Fix: p.Fix})
	}
	return out
}

// below shows paths as from the folder itself.
func below(dir string, findings []lint.Finding) []lint.Finding {
	out := slices.Clone(findings)
	for i := range out {
		prefix := filepath.ToSlash(dir) + "/"
		out[i].Path = strings.TrimPrefix(out[i].Path, prefix)
		out[i].Message = strings.ReplaceAll(out[i].Message, prefix, "")
	}
	return out
}

// verify wants the wrong side to show the rule and no other, and the right one
// nothing at all. It answers what is said of the wrong one.
func (e example) verify(t *testing.T) string {
	t.Helper()
	var said strings.Builder
	found := e.telling(e.check(t, "wrong"))
	for _, f := range found {
		if f.Rule != e.rule.Name {
			t.Errorf("%s: the wrong example shows another rule: %s", e.rule.Name, f)
		}
		said.WriteString(report.Finding(f, false))
	}
	if len(found) == 0 {
		t.Errorf("%s: nothing is found in the wrong example", e.rule.Name)
	}
	for _, f := range e.telling(e.check(t, "right")) {
		t.Errorf("%s: the right example is not: %s", e.rule.Name, f)
	}
	return said.String()
}

// telling leaves out that the addresses are those of examples.
func (e example) telling(findings []lint.Finding) []lint.Finding {
	return slices.DeleteFunc(findings, func(f lint.Finding) bool {
		return f.Rule == "special-range" && (e.rule.Name != "special-range" || strings.Contains(f.Message, "Documentation"))
	})
}

// TestRulesHaveExamples: each page is of a rule.
func TestRulesHaveExamples(t *testing.T) {
	t.Parallel()
	pages, err := os.ReadDir(filepath.Join("testdata", "rules"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if _, known := lint.Lookup(strings.TrimSuffix(p.Name(), ".txtar")); !known {
			t.Errorf("%s is the page of no rule", p.Name())
		}
	}
}

// rulesPage is a section a rule, with what check says of its example.
func rulesPage(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Rules\n\nA finding of scope *file* refuses its file: its clusters keep their last good lists. One of scope *cluster* holds the one\ncluster. A severity that can be changed is set in the Policy: `rules: {stray-file: error}`. The examples are of 1 January 2031; that their\naddresses are reserved for documentation (special-range) is left out.\n\n")
	b.WriteString("| rule | scope | severity | |\n|---|---|---|---|\n")
	for _, r := range lint.Rules {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", r.Name, r.Name, r.Scope, severityText(r), cell(r.What))
	}
	for _, r := range lint.Rules {
		readExample(t, r).section(t, &b)
	}
	b.WriteString("\n# Holds\n\nWhat keeps a list back though no file is at fault. Its clusters keep what they have; `portcullis status` and checks name it.\n")
	for _, h := range holdPages {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", h.name, h.text)
	}
	return b.String()
}

// holdPages are the names of holds that are no rules.
var holdPages = []struct{ name, text string }{
	{render.RuleBlastRadius, "A tenant's change, or all changes together, would open, restrict for the first time or take access away on more clusters than the\nPolicy's `blastRadius` lets pass at once, held against what is live. So a mistake in one group, or an emptied repository, waits for a person.\nA check says `held:` and the line that lets it go ahead, which takes a right on the seed:\n\n```text\nportcullis approve SOURCE@SHA --reason TEXT\n```\n\nOr change fewer clusters at a time."},
	{render.RuleFreeze, "The Config's `freeze` keeps the cluster, or with `*` the seed, as it is until a time, such as over a release. It ends by itself, and drift\nis still put right. Waiting is all there is to do; an operator can take the line out of the Config."},
	{render.RuleGone, "The source whose files claimed the cluster is not in the Config any more, or has another name there, and no other source claims the\ncluster. Its last list stays, and drift is put right where that list is known. It ends by itself once another source claims the cluster, as it\ndoes after a new name is given to a source. Or bring the source back; or let go of its clusters, which leaves what they carry and keeps it\nno longer:\n\n```text\nportcullis approve SOURCE@SHA --reason TEXT\n```\n\nSHA is the commit that was accepted last, which `portcullis status` shows with the hold."},
	{render.RuleUnread, "The accepted commit could not be read since the process began, and the list on the cluster is not the one that was written last: what\nbelongs there is not known, so nothing is written. It ends once the Git host can be reached."},
}

func severityText(r lint.Rule) string {
	if r.Fixed {
		return string(r.Severity) + ", always"
	}
	return string(r.Severity)
}

func (e example) section(t *testing.T, b *strings.Builder) {
	t.Helper()
	changeable := "can be changed"
	if e.rule.Fixed {
		changeable = "cannot be changed"
	}
	fmt.Fprintf(b, "\n## %s\n\nScope %s, %s, which %s. It finds %s.\n\n%s\n", e.rule.Name, e.rule.Scope, e.rule.Severity, changeable, e.rule.What, e.why)
	if !e.shown() {
		if !strings.Contains(e.why, "No example: ") {
			t.Errorf("%s: there is no example, and nothing says why", e.rule.Name)
		}
		return
	}
	said := e.verify(t)
	for _, name := range []string{"policy.yaml", "policy-right.yaml", "clusters.yaml", "before/acme/production.yaml", "before/acme/test.yaml", "kkp.yaml"} {
		if text := e.files[name]; text != "" {
			titles := map[string]string{"policy.yaml": "With this policy", "policy-right.yaml": "With this policy in the right one", "clusters.yaml": "With these clusters on the seed", "before/acme/production.yaml": "Accepted before",
				"before/acme/test.yaml": "And", "kkp.yaml": "What KKP answers to the dry run"}
			fmt.Fprintf(b, "\n%s:\n\n```yaml\n%s```\n", titles[name], text)
		}
	}
	fmt.Fprintf(b, "\nWrong:\n\n%s\n```text\n%s```\n\nRight:\n\n%s", e.side("wrong"), said, e.side("right"))
}

func (e example) shown() bool { return e.side("wrong") != "" }

// side is the files of one side.
func (e example) side(side string) string {
	var out string
	for _, name := range slices.Sorted(maps.Keys(e.files)) {
		text := e.files[name]
		if rest, ok := strings.CutPrefix(name, side+"/"); ok {
			out += "```yaml\n# " + rest + "\n" + text + "```\n"
		}
	}
	return out
}
