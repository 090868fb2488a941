// Command mutants breaks the code on purpose, one way at a time, in a copy of
// the work tree, and runs the tests on it: `make mutants`, or
// `make mutants ONLY=rewind` for those whose name, or file, holds that word.
//
// Each mutant is a mistake that somebody might make, and must be caught: by
// TestModel, which knows the promises only, else by the unit tests of the
// package. It tells which did, and after how long. A mutant that survives, and one whose line is not in the code
// any more, make the exit code 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// steps are enough for the model to come across what each mutant breaks.
const steps = "800"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	model := flag.Bool("model", true, "run what needs etcd and kube-apiserver as well, TestModel above all")
	flag.Parse()
	if err := run(ctx, flag.Arg(0), *model); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, model bool) (err error) {
	dir, err := os.MkdirTemp("", "portcullis-mutants-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := copyTree(ctx, dir); err != nil {
		return err
	}
	var chosen []mutant
	for _, m := range mutants() {
		if strings.Contains(m.name+" "+m.file, only) {
			chosen = append(chosen, m)
		}
	}
	if err := sound(ctx, dir, chosen, model); err != nil {
		return err
	}
	var survivors []error
	for _, m := range chosen {
		began := time.Now()
		by, err := m.caught(ctx, dir, model)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Printf("%-56s %4.0fs  %s\n", m.name, time.Since(began).Seconds(), by)
		if err != nil {
			survivors = append(survivors, fmt.Errorf("%s: %w", m.name, err))
		}
	}
	return errors.Join(survivors...)
}

// sound fails where the tests fail on the code as it is: they would catch
// everything.
func sound(ctx context.Context, dir string, chosen []mutant, model bool) error {
	packages := map[string]bool{}
	for _, m := range chosen {
		packages[m.tests()] = true
	}
	for p := range packages {
		if by, err := test(ctx, dir, unitEnv(), unitArgs(p)...); by != "" || err != nil {
			return errors.Join(fmt.Errorf("%s fails on the code as it is: %s", p, by), err)
		}
	}
	if !model {
		return nil
	}
	by, err := test(ctx, dir, modelEnv(), modelArgs()...)
	if by != "" {
		err = errors.Join(fmt.Errorf("%s fails on the code as it is", by), err)
	}
	return err
}

func (m mutant) tests() string { return "./" + filepath.Dir(m.file) }

func unitEnv() []string { return []string{"PORTCULLIS_TEST_SERVERS=none"} }

func modelEnv() []string {
	return []string{"PORTCULLIS_TEST_SERVERS=required", "PORTCULLIS_STEPS=" + steps}
}

func modelArgs() []string { return []string{"-run", "^TestModel$", "./cmd/portcullis"} }

func unitArgs(pkg string) []string { return []string{"-short", pkg} }

// copyTree copies the files that Git knows of, as they are on disk.
func copyTree(ctx context.Context, to string) error {
	out, err := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("list the work tree: %w", err)
	}
	for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if err := copyFile(path, filepath.Join(to, path)); err != nil {
			return fmt.Errorf("copy the work tree: %w", err)
		}
	}
	return nil
}

func copyFile(from, to string) error {
	info, err := os.Lstat(from)
	if errors.Is(err, os.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil // removed, or a link: no code
	}
	if err != nil {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, content, info.Mode()))
}

// caught breaks the copy, runs the tests and mends it again. It tells who
// noticed; nobody is an error.
func (m mutant) caught(ctx context.Context, dir string, model bool) (by string, err error) {
	path := filepath.Join(dir, m.file)
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	broken, err := m.breaks(string(content))
	if err != nil {
		return "STALE", err
	}
	if err := os.WriteFile(path, []byte(broken), 0o644); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.WriteFile(path, content, 0o644)) }()
	if by, err = m.noticed(ctx, dir, model); by == "" && err == nil {
		return "SURVIVED", errors.New("no test caught it")
	}
	return by, err
}

// breaks is the file with the mistake in it.
func (m mutant) breaks(content string) (string, error) {
	if n := strings.Count(content, m.old); n != 1 {
		return "", fmt.Errorf("%s holds %q %d times, not once", m.file, m.old, n)
	}
	return strings.Replace(content, m.old, m.new, 1), nil
}

// noticed asks the model first, which knows the promises only: what it does not
// come across is for the tests that are there for it.
func (m mutant) noticed(ctx context.Context, dir string, model bool) (by string, err error) {
	if model {
		by, err = test(ctx, dir, modelEnv(), modelArgs()...)
	}
	if by == "" && err == nil {
		by, err = test(ctx, dir, unitEnv(), unitArgs(m.tests())...)
	}
	if by == "" && err == nil && m.named != "" && model {
		by, err = test(ctx, dir, []string{"PORTCULLIS_TEST_SERVERS=required"}, "-run", "^"+m.named+"$", "./apply")
	}
	return by, err
}

var failed = regexp.MustCompile(`--- FAIL: (Test\w+)`)

// test runs tests in the copy, and answers the first that failed; empty where
// none did. Code that cannot be built is an error: that would catch everything.
func test(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1", "-failfast", "-vet=off"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return "", nil
	}
	if found := failed.FindSubmatch(out); found != nil {
		return string(found[1]), nil
	}
	if strings.Contains(string(out), "panic: ") {
		return "a panic", nil
	}
	return "BROKEN", fmt.Errorf("%w: %s", err, out[max(0, len(out)-2000):])
}
