package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestImportsKeepToTheHouse(t *testing.T) {
	t.Parallel()
	packages := list(t)
	for _, r := range rules {
		if !slices.ContainsFunc(packages, func(p pkg) bool { return matches(r.who, p.ImportPath) }) {
			t.Errorf("no package is meant by the rule %q (%v)", r.why, r.who)
		}
		for _, p := range packages {
			for _, edge := range r.broken(p) {
				t.Error(edge)
			}
		}
	}
}

// The table must know what there is: a new folder gets its rules on purpose.
func TestEveryFolderIsInTheTable(t *testing.T) {
	t.Parallel()
	known := []string{"apply", "cmd", "render", "source", "test", "deploy", "examples"}
	for _, p := range list(t) {
		if !matches(known, p.ImportPath) {
			t.Errorf("%s is in no part of the house", p.ImportPath)
		}
	}
}

func TestRulesFindWhatBreaksThem(t *testing.T) {
	t.Parallel()
	in := func(path string) string { return module + "/" + path }
	for name, c := range map[string]struct {
		from, to string
		deep     bool // only by way of another package
		broken   bool
	}{
		"render knows Git":                   {in("render"), "github.com/go-git/go-git/v5", false, true},
		"render knows Git by way of another": {in("render/lint"), "github.com/go-git/go-git/v5/plumbing", true, true},
		"render knows Kubernetes":            {in("render/policy"), "k8s.io/apimachinery/pkg/types", false, true},
		"render knows controller-runtime":    {in("render"), "sigs.k8s.io/controller-runtime", true, true},
		"render knows source":                {in("render"), in("source"), false, true},
		"render knows apply":                 {in("render/report"), in("apply/outcome"), false, true},
		"render reads files":                 {in("render/document"), "os", false, true},
		"render asks the net":                {in("render"), "net", false, true},
		"render calculates with addresses":   {in("render/prefixes"), "net/netip", false, false},
		"everything leads to os":             {in("render"), "os", true, false},
		"the pages know a forge":             {in("cmd/portcullis/console"), in("source/forge/gitea"), true, true},
		"render throws dice":                 {in("render"), "math/rand/v2", false, true},
		"document reads YAML":                {in("render/document"), "gopkg.in/yaml.v3", false, false},
		"policy reads YAML":                  {in("render/policy"), "gopkg.in/yaml.v3", false, true},
		"the command reads YAML":             {in("cmd/portcullis"), "gopkg.in/yaml.v3", false, true},
		"a namesake of render":               {in("rendering"), in("source"), false, false},
		"source knows render":                {in("source"), in("render"), false, false},
		"source knows apply":                 {in("source"), in("apply"), false, true},
		"apply knows source":                 {in("apply"), in("source"), true, true},
		"apply knows a forge":                {in("apply"), in("source/forge"), false, true},
		"apply knows render":                 {in("apply"), in("render"), false, false},
		"a forge knows Kubernetes":           {in("source/forge/gitea"), "k8s.io/api/core/v1", true, true},
		"a forge knows render":               {in("source/forge"), in("render"), true, true},
		"source knows its forges":            {in("source/forge/notes"), in("source"), false, false},
		"somebody imports the command":       {in("test/e2e"), in("cmd/portcullis"), false, true},
		"the command joins":                  {in("cmd/portcullis"), in("apply"), false, false},
		"the command is shipped with tests":  {in("cmd/portcullis"), in("test/servers"), false, true},
		"tests use the test's servers":       {in("test/e2e"), in("test/servers"), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pkg{ImportPath: c.from, Deps: []string{c.to}}
			if !c.deep {
				p.Imports = []string{c.to}
			}
			found := slices.ContainsFunc(rules, func(r rule) bool { return len(r.broken(p)) > 0 })
			if found != c.broken {
				t.Errorf("%s -> %s: found to break a rule: %v, want %v", c.from, c.to, found, c.broken)
			}
		})
	}
}

// list are the module's packages; those that do not compile are listed too.
func list(t *testing.T) []pkg {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,Deps", module+"/...")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var out []pkg
	for d := json.NewDecoder(&stdout); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if strings.HasPrefix(p.ImportPath, module) {
			out = append(out, p)
		}
	}
	return out
}
