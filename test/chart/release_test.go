package chart_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// TestRelease makes a release of copies of the sources in two folders: it is
// complete, what its checksums say it is, and the same bytes.
func TestRelease(t *testing.T) {
	t.Parallel()
	servers.Need(t, "helm", "cyclonedx-gomod") // it takes minutes of both cores, as they do
	const version, other = "v1.2.3", "darwin-arm64"
	here := runtime.GOOS + "-" + runtime.GOARCH
	var releases [2]map[string]string
	folders := []string{filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "another", "place")}
	copySources(t, folders[0])
	if err := os.CopyFS(folders[1], os.DirFS(folders[0])); err != nil { // the same, whoever works here meanwhile
		t.Fatal(err)
	}
	for i, dir := range folders {
		in(t, dir, "make", "release", "VERSION="+version, "PLATFORMS="+strings.ReplaceAll(here+" "+other, "-", "/"))
		made := filepath.Join(dir, "build", "release")
		releases[i] = read(t, made)
		for name, content := range releases[i] {
			if strings.Contains(content, dir) {
				t.Errorf("%s holds the folder %s that it was built in", name, dir)
			}
		}
		if i > 0 {
			continue
		}
		summed := in(t, made, "sh", "-c", "$(command -v sha256sum || echo shasum -a 256) -c SHA256SUMS")
		if got, want := strings.Count(summed, ": OK\n"), len(releases[i])-1; got != want {
			t.Errorf("%d of %d files have a checksum:\n%s", got, want, summed)
		}
		if out := in(t, made, "./portcullis-"+here, "version"); out != "portcullis "+version+"\n" {
			t.Errorf("it says that it is %q", out)
		}
		bill(t, releases[i]["portcullis-"+here+".cdx.json"], version)
		if out, err := helm(t, "show", "chart", filepath.Join(made, "portcullis-1.2.3.tgz")); err != nil || !strings.Contains(out, "appVersion: "+version) {
			t.Errorf("the chart: %v\n%s", err, out)
		}
		if out, err := helm(t, "template", "portcullis", filepath.Join(made, "portcullis-1.2.3.tgz"), kubernetes, "--values", values); err != nil || !strings.Contains(out, "image: \"portcullis:"+version) {
			t.Errorf("the chart does not name the release's image: %v", err)
		}
	}
	want := []string{"SHA256SUMS", "portcullis-1.2.3.tgz"}
	for _, platform := range []string{here, other} {
		want = append(want, "portcullis-"+platform, "portcullis-"+platform+".cdx.json")
	}
	slices.Sort(want)
	for i, r := range releases {
		if got := sortedKeys(r); !slices.Equal(got, want) {
			t.Errorf("release %d holds %q, want %q", i, got, want)
		}
	}
	for _, name := range want {
		if releases[0][name] != releases[1][name] {
			t.Errorf("%s: the two builds differ", name)
		}
	}
}

// copySources copies what Git has of the work tree, as it is now.
func copySources(t *testing.T, dir string) {
	t.Helper()
	for name := range strings.SplitSeq(strings.TrimSuffix(in(t, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00"), "\x00") {
		from, to := filepath.Join(root, name), filepath.Join(dir, name)
		info, err := os.Lstat(from)
		if err != nil || !info.Mode().IsRegular() { // deleted meanwhile, or a link
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, must[[]byte](t)(os.ReadFile(from)), info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

// in runs a program in a folder, and answers its output.
func in(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", program, args, err, &stdout, &stderr)
	}
	return stdout.String()
}

// bill looks whether a bill of materials is one of the command: it names what go.mod
// requires and the program cannot do without.
func bill(t *testing.T, text, version string) {
	t.Helper()
	var b struct {
		BOMFormat string
		Metadata  struct {
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version, Purl string }
	}
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if c := b.Metadata.Component; b.BOMFormat != "CycloneDX" || c.Version != version || c.Name != "github.com/portcullis-gitops/portcullis" {
		t.Errorf("it is a %s of %s %s", b.BOMFormat, c.Name, c.Version)
	}
	for _, name := range []string{"std", "k8s.io/client-go", "github.com/go-git/go-git/v5"} {
		if !slices.ContainsFunc(b.Components, func(c struct{ Name, Version, Purl string }) bool {
			return c.Name == name && c.Version != "" && strings.HasPrefix(c.Purl, "pkg:golang/")
		}) {
			t.Errorf("it does not name %s, among %d components", name, len(b.Components))
		}
	}
}

func sortedKeys(m map[string]string) []string {
	out := keys(m)
	slices.Sort(out)
	return out
}
