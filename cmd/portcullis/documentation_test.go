package main

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/metrics"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/schema"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/profile"
	"github.com/portcullis-gitops/portcullis/test/docs"
)

// names are what the program has, read from where the program has it.
type names struct {
	commands map[string]bool            // and aliases
	flags    map[string]map[string]bool // with dashes, by command; those of all by ""
	fields   map[string]bool            // paths as in the reference, and their last parts
	rules    map[string]bool
	metrics  map[string]bool
}

func allNames(t *testing.T) names {
	t.Helper()
	n := names{map[string]bool{}, map[string]map[string]bool{"": {"--help": true, "-h": true}}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, c := range rootCommand().Commands() {
		n.command(c)
	}
	kinds, err := documentKinds()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		n.field("", k.Shape)
	}
	for _, r := range lint.Rules {
		n.rules[r.Name] = true
	}
	for _, m := range metrics.Table() {
		n.metrics[m.Name] = true
	}
	return n
}

func (n names) command(c *cobra.Command) {
	n.flags[c.Name()] = map[string]bool{}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		for _, to := range []map[string]bool{n.flags[c.Name()], n.flags[""]} {
			to["--"+f.Name] = true
			if f.Shorthand != "" {
				to["-"+f.Shorthand] = true
			}
		}
	})
	for _, name := range append(c.Aliases, c.Name()) {
		n.commands[name] = true
		n.flags[name] = n.flags[c.Name()]
	}
}

func (n names) field(at string, s *schema.Shape) {
	switch {
	case s.Either != nil:
		n.field(at, s.Either)
	case s.Item != nil && s.Form == schema.List:
		n.field(at+"[]", s.Item)
	case s.Item != nil:
		n.field(at+".<name>", s.Item)
	}
	for _, f := range s.Fields {
		full := strings.TrimPrefix(at+"."+f.Name, ".")
		n.fields[full], n.fields[f.Name] = true, true
		n.field(full, f.Shape)
	}
}

// guides are the pages that people write; the others are made from the code, or
// are what a command printed.
func guides(t *testing.T) []docs.Page {
	t.Helper()
	root, err := docs.Root()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := docs.Pages(root)
	if err != nil {
		t.Fatal(err)
	}
	pages = slices.DeleteFunc(pages, func(p docs.Page) bool {
		return strings.HasPrefix(p.Path, "docs/reference/") || strings.HasPrefix(p.Path, "examples/")
	})
	if len(pages) < 8 {
		t.Fatalf("only %d pages were found", len(pages))
	}
	return pages
}

var (
	flagged  = regexp.MustCompile(`(?:^|[\s(\x60])(--?[a-zA-Z][a-z-]*)`)
	called   = regexp.MustCompile(`(?:^|[\s(/"])portcullis ([a-z]+)((?: [^|;&)]*)?)`)
	metric   = regexp.MustCompile(`\bportcullis_[a-z_]+`)
	ruleLike = regexp.MustCompile(`^[a-z]+(?:-[a-z0-9]+)+$`)
	finding  = regexp.MustCompile(`\b(?:error|warning)\[([a-z0-9-]+)\]`)
	keyLike  = regexp.MustCompile(`^(?:[a-z]\w*(?:\[\])?\.)*(?:<name>\.)?[a-z]+[A-Z]\w*$`)
	keyed    = regexp.MustCompile(`(?:^|[{,]|- )\s*([a-zA-Z]\w*):(?:\s|$)`)
)

// TestNamesInThePagesExist looks up each call of the command, each flag of it,
// each rule, metric and field that a page names.
func TestNamesInThePagesExist(t *testing.T) {
	t.Parallel()
	n, found := allNames(t), 0
	for _, p := range guides(t) {
		for _, s := range p.Spans() {
			found += n.look(t.Errorf, p.Path, s.Line, s.Text)
		}
		for _, b := range p.Blocks {
			for i, line := range strings.Split(strings.ReplaceAll(b.Text(), "\\\n", "  "), "\n") {
				found += n.calls(t.Errorf, p.Path, b.Line+i, line)
				found += n.named(t.Errorf, p.Path, b.Line+i, line)
			}
			if b.Lang == "yaml" && b.Has("fragment") {
				found += n.keys(t.Errorf, p.Path, b)
			}
		}
	}
	if found < 150 {
		t.Errorf("only %d names were found", found)
	}
}

// complaint takes what is wrong with a page.
type complaint func(format string, args ...any)

// look looks up what a span of code is about, and answers how many names it was.
func (n names) look(fail complaint, page string, line int, text string) int {
	found := n.calls(fail, page, line, text) + n.named(fail, page, line, text)
	if strings.HasPrefix(text, "-") && !strings.HasPrefix(text, "- ") {
		name, _, _ := strings.Cut(strings.Fields(text)[0], "=")
		found++
		if !n.flags[""][name] && !slices.Contains(othersFlags, name) {
			fail("%s:%d: there is no flag %s", page, line, name)
		}
	}
	switch {
	case ruleLike.MatchString(text) && !n.rules[text]:
		if !slices.Contains(othersWords, text) && !slices.Contains(profile.Names(), text) {
			fail("%s:%d: there is no rule %s", page, line, text)
		}
	case keyLike.MatchString(text):
		found++
		if !n.fields[text] && !n.ends(text) && !slices.Contains(othersFields, text) {
			fail("%s:%d: there is no field %s", page, line, text)
		}
	}
	return found
}

// ends tells whether a path is the end of one.
func (n names) ends(field string) bool {
	for f := range n.fields {
		if strings.HasSuffix(f, "."+field) || strings.HasSuffix(strings.ReplaceAll(f, "[]", ""), "."+field) {
			return true
		}
	}
	return false
}

// calls looks up calls of the command, and the flags in them.
func (n names) calls(fail complaint, page string, line int, text string) (found int) {
	for _, m := range called.FindAllStringSubmatch(text, -1) {
		if strings.Contains(text, "-n portcullis ") || strings.Contains(text, "namespace portcullis") || strings.Contains(text, "helm install") {
			continue // a name, not a call
		}
		found++
		if !n.commands[m[1]] {
			fail("%s:%d: there is no command %q", page, line, m[1])
			continue
		}
		for _, f := range flagged.FindAllStringSubmatch(m[2], -1) {
			found++
			if !n.flags[m[1]][f[1]] && !n.flags[""][f[1]] {
				fail("%s:%d: portcullis %s has no flag %s", page, line, m[1], f[1])
			} else if !n.flags[m[1]][f[1]] && f[1] != "--help" {
				fail("%s:%d: the flag %s is of other commands, not of portcullis %s", page, line, f[1], m[1])
			}
		}
	}
	return found
}

// named looks up metrics, and rules in findings.
func (n names) named(fail complaint, page string, line int, text string) (found int) {
	for _, name := range metric.FindAllString(text, -1) {
		found++
		if !n.metrics[name] {
			fail("%s:%d: there is no metric %s", page, line, name)
		}
	}
	for _, m := range finding.FindAllStringSubmatch(text, -1) {
		found++
		if !n.rules[m[1]] {
			fail("%s:%d: there is no rule %s", page, line, m[1])
		}
	}
	return found
}

// keys looks up the keys of a part of a document.
func (n names) keys(fail complaint, page string, b docs.Block) (found int) {
	for i, line := range b.Lines {
		for _, m := range keyed.FindAllStringSubmatch(line, -1) {
			found++
			if !n.fields[m[1]] {
				fail("%s:%d: there is no field %s", page, b.Line+i, m[1])
			}
		}
	}
	return found
}

// What pages name of others.
var (
	othersFlags = []string{"-race", "-run", "--set-json", "--previous"}
	// othersWords look like rules.
	othersWords = []string{"ls-remote", "front-loadbalancer", "apiserver-external", "shop-prod", "shop-staging", "kubermatic-api", "worker-name",
		"project-id", "kube-apiserver", "portcullis-operator", "portcullis-reader", "portcullis-reconciler", "portcullis-managed-lists",
		"portcullis-approvals", "portcullis-operators", "eu-west", "us-east", "yaml-language-server", "valid-after", "cert-authority", "blast-radius", "source-gone"}
	othersFields = []string{"apiServerServiceType", "sourceRanges", "defaultAPIServerAllowedIPRanges", "breakGlassGroups", "managedLists",
		"managedFields", "defaultClusterTemplate", "apiServerAllowedIPRanges", "errorReason", "holderIdentity", "renewTime", "creator.login",
		"storage.data", "spec.apiServerAllowedIPRanges", "status.errorReason", "status.address.adminToken", "admission.managedLists", "nodeEgress"}
)

// A look-up that finds everything is none.
func TestNamesThatDoNotExistAreFound(t *testing.T) {
	t.Parallel()
	n := allNames(t)
	for text, wrong := range map[string]bool{
		"portcullis check --policy policy.yaml": false, "portcullis chekc": true, "portcullis check --wach": true,
		"portcullis status --watch": false, "portcullis check --watch": true, "bin/portcullis why x y -C dir": false,
		"--kubeconfig": false, "--kubeconf": true, "host-bits": false, "host-bit": true, "error[host-bits]": false, "error[hostbits]": true,
		"portcullis_leader": false, "portcullis_leaders": true, "nodeEgress": false, "nodesEgress": true, "limits.maxEntries": false,
		"limit.maxEntries": true, "git ls-remote": false, "seeds.<name>.loadBalancer": false,
	} {
		complaints := 0
		n.look(func(string, ...any) { complaints++ }, "page", 1, text)
		if (complaints > 0) != wrong {
			t.Errorf("%q: %d complaints", text, complaints)
		}
	}
	page, err := docs.Parse("page", "```yaml fragment\nfreeze: [{cluster: x, untill: y}]\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	complaints := 0
	n.keys(func(string, ...any) { complaints++ }, "page", page.Blocks[0])
	if complaints != 1 {
		t.Errorf("a wrong field in a fragment: %d complaints", complaints)
	}
}

// TestWhatThereIsIsDocumented: each command, flag, field, rule and metric has a
// place in the reference, and each command and what an operator sets one in a
// page that people write.
func TestWhatThereIsIsDocumented(t *testing.T) {
	t.Parallel()
	n := allNames(t)
	reference, written := words(t, true), words(t, false)
	for name := range n.commands {
		if !n.hidden(name) {
			need(t, reference["cli.md"], "command", "portcullis "+name)
		}
	}
	for command, flags := range n.flags {
		for flag := range flags {
			if command != "" && !n.hidden(command) && flag != "--help" && flag != "-h" {
				need(t, reference["cli.md"], "flag", flag)
			}
		}
	}
	for _, pair := range []struct {
		page, kind string
		names      map[string]bool
	}{{"fields.md", "field", n.fields}, {"rules.md", "rule", n.rules}, {"metrics.md", "metric", n.metrics}} {
		for _, name := range slices.Sorted(maps.Keys(pair.names)) {
			need(t, reference[pair.page], pair.kind, name)
		}
	}
	all := ""
	for _, text := range written {
		all += text
	}
	for _, c := range rootCommand().Commands() {
		if !c.Hidden && c.Name() != "help" {
			need(t, all, "command, for people,", c.Name())
		}
	}
}

// hidden are the commands that nobody is meant to see.
func (names) hidden(name string) bool { return name == "apply" || name == "help" }

// words are the texts of the pages, by file name.
func words(t *testing.T, reference bool) map[string]string {
	t.Helper()
	root, err := docs.Root()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := docs.Pages(root)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, p := range pages {
		if strings.HasPrefix(p.Path, "docs/reference/") != reference {
			continue
		}
		text := strings.Join(p.Prose, "\n")
		for _, b := range p.Blocks {
			text += "\n" + b.Text()
		}
		out[path.Base(p.Path)] += text
	}
	return out
}

// need fails where a page lacks a name: as a word of its own.
func need(t *testing.T, text, kind, name string) {
	t.Helper()
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			t.Errorf("the %s %s is documented nowhere", kind, name)
			return
		}
		end := at + i + len(name)
		if end == len(text) || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz_-0123456789", rune(text[end])) {
			return
		}
		at = end
	}
}
