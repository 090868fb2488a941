package browser_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// axeSource is axe-core as package-lock.json pins it. npm checks it against the
// hash there, and puts it into a folder that is named by the lock.
func axeSource(ctx context.Context) (string, error) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder of the user: %w", err)
	}
	sum := sha256.Sum256(lock)
	folder := filepath.Join(cache, "portcullis", "tools", "axe-core-"+hex.EncodeToString(sum[:6]))
	script := filepath.Join("node_modules", "axe-core", "axe.min.js")
	if content, err := os.ReadFile(filepath.Join(folder, script)); err == nil {
		return string(content), nil
	}
	return installAxe(ctx, folder, script)
}

// installAxe makes the folder beside its place first: half of one is never found.
func installAxe(ctx context.Context, folder, script string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(folder), "axe-core-new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(fresh, name), content, 0o644); err != nil {
			return "", err
		}
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = fresh
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("install axe-core from the npm registry: %w: %s", err, out)
	}
	content, err := os.ReadFile(filepath.Join(fresh, script))
	if err != nil {
		return "", fmt.Errorf("read axe-core: %w", err)
	}
	if err := os.Rename(fresh, folder); err != nil && !os.IsExist(err) {
		return "", fmt.Errorf("keep axe-core: %w", err)
	}
	return string(content), nil
}

// violation is one of axe-core's.
type violation struct {
	ID, Help string
	Nodes    []struct{ HTML, FailureSummary string }
}

func (v violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", v.ID, v.Help)
	for _, n := range v.Nodes {
		fmt.Fprintf(&b, "\n\t%s\n\t%s", n.HTML, n.FailureSummary)
	}
	return b.String()
}

// accessible has axe-core look at the page with all of its rules. Its script is
// the debugger's, which no content-security policy is asked about.
func (p *tab) accessible(t *testing.T) {
	t.Helper()
	ask[int](t, p, shared.axe+"\n;0")
	found := ask[struct {
		Passes     int
		Violations []violation
	}](t, p, `axe.run(document).then(r => ({passes: r.passes.length, violations: r.violations}))`)
	if found.Passes < 10 {
		t.Errorf("%s: axe-core judged by %d rules only", p.at, found.Passes)
	}
	for _, v := range found.Violations {
		t.Errorf("%s: axe-core: %v", p.at, v)
	}
}
