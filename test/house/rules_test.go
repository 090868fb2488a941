// Package house holds the program to its own plan: which package may know of
// which. The rules are a table; the packages are asked of the go command.
package house

import (
	"fmt"
	"slices"
	"strings"
)

const module = "github.com/portcullis-gitops/portcullis"

// rule keeps some packages from knowing others. Names are those of folders in
// this module, or import paths; each stands for all below it too, and std:
// before a name of the standard library for that package alone.
type rule struct {
	who    []string
	never  []string
	except []string // of who, or of never
	// deep looks at what is imported by way of others as well. It cannot be
	// used for the standard library: everything leads to os.
	deep bool
	why  string
}

var rules = []rule{
	{who: []string{"render"}, never: []string{"github.com/go-git/go-git", "k8s.io", "sigs.k8s.io", "source", "apply", "cmd", "test"}, deep: true,
		why: "a plan follows from values alone"},
	{who: []string{"render"}, never: []string{"std:os", "std:net", "std:net/http", "std:os/exec", "std:io/fs", "std:syscall", "std:embed"},
		why: "render does no I/O"},
	{who: []string{"render"}, never: []string{"std:math/rand", "std:math/rand/v2", "std:crypto/rand"},
		why: "the same input makes the same plan"},
	{who: []string{"render", "source", "apply", "cmd", "test"}, never: []string{"gopkg.in/yaml.v3"}, except: []string{"render/document"},
		why: "files are read strictly, with positions, in one place"},
	{who: []string{"source"}, never: []string{"apply", "cmd"}, deep: true,
		why: "data goes one way, and cmd joins"},
	{who: []string{"apply"}, never: []string{"source", "cmd", "github.com/go-git/go-git"}, deep: true,
		why: "data goes one way, and cmd joins"},
	{who: []string{"source/forge"}, never: []string{"k8s.io", "sigs.k8s.io", "apply", "render"}, deep: true,
		why: "a forge knows nothing of Kubernetes, nor of what is applied"},
	{who: []string{"cmd/portcullis/console"}, never: []string{"source", "github.com/go-git/go-git"}, deep: true,
		why: "the pages only read, and have no credentials of a Git host"},
	{who: []string{"render", "source", "apply", "test"}, never: []string{"cmd"}, deep: true,
		why: "nobody imports the command"},
	{who: []string{"render", "source", "apply", "cmd"}, never: []string{"test", "std:testing"},
		why: "what is shipped holds nothing of the tests"},
}

// pkg is a package as the go command tells of it.
type pkg struct {
	ImportPath string
	Imports    []string // directly
	Deps       []string // by way of others too
}

// broken are the imports of p that a rule does not permit, with the reason.
func (r rule) broken(p pkg) []string {
	if !matches(r.who, p.ImportPath) || matches(r.except, p.ImportPath) {
		return nil
	}
	imports := p.Imports
	if r.deep {
		imports = p.Deps
	}
	var out []string
	for _, to := range imports {
		if matches(r.never, to) && !matches(r.except, to) {
			out = append(out, fmt.Sprintf("%s imports %s: %s", p.ImportPath, to, r.why))
		}
	}
	slices.Sort(out)
	return out
}

// matches tells whether a package is one of those, or below one of them.
func matches(names []string, path string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		if std, ok := strings.CutPrefix(name, "std:"); ok {
			return path == std
		}
		if !strings.Contains(name, ".") {
			name = module + "/" + name
		}
		return path == name || strings.HasPrefix(path, name+"/")
	})
}
