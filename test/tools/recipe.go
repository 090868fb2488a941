package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// goEnv is what of Go's environment goes into a program. It is asked for in
// the tool's own module: its go.mod may pick another Go.
type goEnv struct{ GOVERSION, GOOS, GOARCH, CC string }

// recipe is a tool with all that decides what its build gives.
type recipe struct {
	tool
	version string
	dir     string // of the tool's module
	env     goEnv
	key     string // short hash of all of it
}

// recipe reads the pinned version of a tool and works out its key.
func (s *shop) recipe(ctx context.Context, t tool) (recipe, error) {
	r := recipe{tool: t, dir: filepath.Join(s.modules, t.name)}
	if err := s.goJSON(ctx, r, &r.env, "env", "-json", "GOVERSION", "GOOS", "GOARCH", "CC"); err != nil {
		return r, err
	}
	var err error
	if r.version, err = s.pinned(ctx, r); err != nil {
		return r, err
	}
	r.key, err = r.hash()
	return r, err
}

// pinned is the version that the tool's go.mod requires.
func (s *shop) pinned(ctx context.Context, r recipe) (string, error) {
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := s.goJSON(ctx, r, &mod, "mod", "edit", "-json"); err != nil {
		return "", err
	}
	for _, m := range mod.Require {
		if m.Path == r.module {
			return m.Version, nil
		}
	}
	return "", fmt.Errorf("%s/go.mod does not require %s", r.dir, r.module)
}

// hash covers what the sources are (go.mod, go.sum) and what is done to them.
func (r recipe) hash() (string, error) {
	sum := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil && !(name == "go.sum" && errors.Is(err, os.ErrNotExist)) {
			return "", fmt.Errorf("read the pinned versions of %s: %w", r.name, err)
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
	}
	fmt.Fprintf(sum, "%q %q %q", r.args("", r.pkg), r.environ(), []string{r.env.GOVERSION, r.env.GOOS, r.env.GOARCH})
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

// args are those of go build. Paths of this machine are trimmed, so that Go's
// build cache serves every clone.
func (r recipe) args(output, pkg string) []string {
	args := []string{"build", "-trimpath", "-o", output}
	if r.tags != "" {
		args = append(args, "-tags", r.tags)
	}
	if r.ldflags != nil {
		args = append(args, "-ldflags", r.ldflags(r.version))
	}
	return append(args, pkg)
}

// environ is what the build's environment has to say; a workspace around the
// clone must not change what is built.
func (r recipe) environ() []string {
	if r.cgo {
		return []string{"CGO_ENABLED=1", "GOWORK=off"}
	}
	return []string{"CGO_ENABLED=0", "GOWORK=off"}
}

// compiler is an error with a remedy where the C compiler that the build needs
// is missing: Go's own message names neither.
func (r recipe) compiler() error {
	if !r.cgo {
		return nil
	}
	name := "gcc"
	if fields := strings.Fields(r.env.CC); len(fields) > 0 {
		name = fields[0]
	}
	if _, err := exec.LookPath(name); err != nil {
		return fmt.Errorf("build %s: its SQLite needs a C compiler and there is no %q\n"+
			"hint: Debian, Ubuntu: apt-get install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install;\n"+
			"hint: or name another one in the environment variable CC", r.name, name)
	}
	return nil
}

// goJSON calls go in the tool's module and decodes what it prints.
func (s *shop) goJSON(ctx context.Context, r recipe, into any, args ...string) error {
	cmd := s.command(ctx, r, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s in %s: %w: %s", strings.Join(args, " "), r.dir, err, bytes.TrimSpace(stderr.Bytes()))
	}
	if err := json.Unmarshal(stdout.Bytes(), into); err != nil {
		return fmt.Errorf("go %s in %s: read its answer: %w", strings.Join(args, " "), r.dir, err)
	}
	return nil
}
