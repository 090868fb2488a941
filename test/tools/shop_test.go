package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// widget is a tool small enough to be really built in a test. It requires
// itself, by a replacement, to have a version.
func widget() tool {
	return tool{name: "widget", module: "example.com/parts", pkg: "example.com/widget", usual: "no time"}
}

// newShop is a shop with one module in it, which prints the given word.
func newShop(t *testing.T, word string) (*shop, *log) {
	t.Helper()
	dir, told := t.TempDir(), &log{}
	s := &shop{
		modules: filepath.Join(dir, "modules"),
		bin:     filepath.Join(dir, "tree", ".tools", "bin"),
		cache:   filepath.Join(dir, "cache"),
		log:     told,
	}
	write(t, filepath.Join(s.modules, "widget", "go.mod"),
		"module example.com/widget\n\ngo 1.26.0\n\nrequire example.com/parts v1.2.3\n\nreplace example.com/parts => ./parts\n")
	write(t, filepath.Join(s.modules, "widget", "parts", "go.mod"), "module example.com/parts\n\ngo 1.26.0\n")
	write(t, filepath.Join(s.modules, "widget", "parts", "parts.go"), "package parts\n\nconst Word = \""+word+"\"\n")
	write(t, filepath.Join(s.modules, "widget", "main.go"),
		"package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/parts\"\n)\n\nvar Tag = \"\"\n\nfunc main() { fmt.Print(parts.Word, Tag) }\n")
	return s, told
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// log collects what is told, by several calls at once.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// take returns what was told since the last time.
func (l *log) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

// output runs what bin links to.
func output(t *testing.T, s *shop, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(s.bin, name)).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestSecondCallBuildsNothing(t *testing.T) {
	t.Parallel()
	s, told := newShop(t, "hello")
	if err := s.make(t.Context(), widget()); err != nil {
		t.Fatal(err)
	}
	if got := told.take(); !strings.Contains(got, "building: widget v1.2.3 from source; usually no time") || !strings.Contains(got, "built: widget v1.2.3 in ") {
		t.Errorf("the first call told\n%s", got)
	}
	if got := output(t, s, "widget"); got != "hello" {
		t.Errorf("the program prints %q", got)
	}
	if err := s.make(t.Context(), widget()); err != nil {
		t.Fatal(err)
	}
	if got := told.take(); !strings.HasPrefix(got, "kept: widget v1.2.3 (") || strings.Contains(got, "building") {
		t.Errorf("the second call told\n%s", got)
	}
}

func TestFreshCloneBuildsNothing(t *testing.T) {
	t.Parallel()
	s, told := newShop(t, "hello")
	if err := s.make(t.Context(), widget()); err != nil {
		t.Fatal(err)
	}
	told.take()
	clone := *s
	clone.bin = filepath.Join(t.TempDir(), ".tools", "bin")
	if err := clone.make(t.Context(), widget()); err != nil {
		t.Fatal(err)
	}
	if got := told.take(); strings.Contains(got, "building") {
		t.Errorf("the clone told\n%s", got)
	}
	if got := output(t, &clone, "widget"); got != "hello" {
		t.Errorf("the clone's link prints %q", got)
	}
}

func TestLinkOnlyWhatIsBuilt(t *testing.T) {
	t.Parallel()
	s, told := newShop(t, "hello")
	if err := s.linkKept(t.Context(), []tool{widget()}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(s.bin, "widget")); !os.IsNotExist(err) || told.take() != "" {
		t.Errorf("something was made of what is not built: %v", err)
	}
	if err := s.make(t.Context(), widget()); err != nil {
		t.Fatal(err)
	}
	clone := *s
	clone.bin = filepath.Join(t.TempDir(), ".tools", "bin")
	if err := clone.linkKept(t.Context(), []tool{widget()}); err != nil {
		t.Fatal(err)
	}
	if got := output(t, &clone, "widget"); got != "hello" {
		t.Errorf("the clone's link prints %q", got)
	}
}

func TestWhatGoesInDecidesTheKey(t *testing.T) {
	t.Parallel()
	changes := map[string]func(t *testing.T, s *shop, w *tool){
		"go.mod": func(t *testing.T, s *shop, _ *tool) {
			appendTo(t, filepath.Join(s.modules, "widget", "go.mod"), "\n// changed\n")
		},
		"go.sum": func(t *testing.T, s *shop, _ *tool) {
			write(t, filepath.Join(s.modules, "widget", "go.sum"), "")
			appendTo(t, filepath.Join(s.modules, "widget", "go.sum"),
				"example.com/other v1.0.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
		},
		"build tags":   func(_ *testing.T, _ *shop, w *tool) { w.tags = "more" },
		"linker flags": func(_ *testing.T, _ *shop, w *tool) { w.ldflags = func(v string) string { return "-X main.Tag=" + v } },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, told := newShop(t, "hello")
			w := widget()
			if err := s.make(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			before := readlink(t, s)
			told.take()
			change(t, s, &w)
			if err := s.make(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if got := told.take(); !strings.Contains(got, "built: widget") {
				t.Errorf("nothing was built:\n%s", got)
			}
			if after := readlink(t, s); after == before {
				t.Errorf("the link still leads to %s", after)
			}
		})
	}
}

func appendTo(t *testing.T, path, more string) {
	t.Helper()
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(old)+more)
}

func readlink(t *testing.T, s *shop) string {
	t.Helper()
	to, err := os.Readlink(filepath.Join(s.bin, "widget"))
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestManyCallsBuildOnce(t *testing.T) {
	t.Parallel()
	s, told := newShop(t, "hello")
	var calls sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		calls.Go(func() {
			clone := *s
			clone.bin = filepath.Join(filepath.Dir(s.cache), "clone", string(rune('a'+i)))
			errs[i] = clone.make(t.Context(), widget())
		})
	}
	calls.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(told.take(), "built: "); got != 1 {
		t.Errorf("%d of %d calls built", got, len(errs))
	}
}

func TestWaitingForAnotherBuildCanBeEnded(t *testing.T) {
	t.Parallel()
	s, told := newShop(t, "hello")
	r, err := s.recipe(t.Context(), widget())
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := s.lock(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.lock(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("the lock was got, or the error is %v", err)
	}
	if got := told.take(); !strings.Contains(got, "waiting: another call builds widget") {
		t.Errorf("told\n%s", got)
	}
}

func TestFailedBuildLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s, told := newShop(t, "hello")
	source := filepath.Join(s.modules, "widget", "main.go")
	good, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	write(t, source, "package main\n\nfunc main() { undefined() }\n")
	if err := s.make(t.Context(), widget()); err == nil || !strings.Contains(err.Error(), "build widget v1.2.3") {
		t.Fatalf("the error is %v", err)
	}
	if got := told.take(); !strings.Contains(got, "undefined: undefined") {
		t.Errorf("the compiler's words are lost:\n%s", got)
	}
	if _, err := os.Lstat(filepath.Join(s.bin, "widget")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a link to nothing (%v)", err)
	}
	write(t, source, string(good))
	if err := s.make(t.Context(), widget()); err != nil {
		t.Fatal(err)
	}
	if got := output(t, s, "widget"); got != "hello" {
		t.Errorf("the mended program prints %q", got)
	}
}

func TestLinkReplacesWhatIsThere(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(path string) error{
		"a dangling link": func(path string) error { return os.Symlink("/nowhere", path) },
		"a file":          func(path string) error { return os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newShop(t, "hello")
			if err := errors.Join(os.MkdirAll(s.bin, 0o755), before(filepath.Join(s.bin, "widget"))); err != nil {
				t.Fatal(err)
			}
			if err := s.make(t.Context(), widget()); err != nil {
				t.Fatal(err)
			}
			if got := output(t, s, "widget"); got != "hello" {
				t.Errorf("the link's program prints %q", got)
			}
		})
	}
}

func TestMissingCompilerComesWithARemedy(t *testing.T) {
	t.Parallel()
	r := recipe{tool: tool{name: "gitea", cgo: true}, env: goEnv{CC: "no-such-compiler -m64"}}
	err := r.compiler()
	if err == nil || !strings.Contains(err.Error(), `"no-such-compiler"`) || !strings.Contains(err.Error(), "apt-get install gcc") {
		t.Errorf("the error is %v", err)
	}
	r.cgo = false
	if err := r.compiler(); err != nil {
		t.Errorf("a build without C asks for a compiler: %v", err)
	}
}

func TestUnpinnedModuleIsAnError(t *testing.T) {
	t.Parallel()
	s, _ := newShop(t, "hello")
	w := widget()
	w.module = "example.com/unknown"
	if err := s.make(t.Context(), w); err == nil || !strings.Contains(err.Error(), "does not require example.com/unknown") {
		t.Errorf("the error is %v", err)
	}
}
