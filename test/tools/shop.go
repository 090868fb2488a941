package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stillBuilding is how often a build that takes long says that it goes on.
const stillBuilding = 2 * time.Minute

// shop builds tools and keeps them.
type shop struct {
	modules string    // has a folder, with a module in it, for each tool
	bin     string    // gets a link to each tool
	cache   string    // keeps what was built, for all clones
	log     io.Writer // is told what happens
}

// makeAll makes each tool, in order. The first failure ends it.
func (s *shop) makeAll(ctx context.Context, tools []tool) error {
	for _, t := range tools {
		if err := s.make(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// make sees to it that the tool is built and that bin links to it.
func (s *shop) make(ctx context.Context, t tool) error {
	r, err := s.recipe(ctx, t)
	if err != nil {
		return err
	}
	if err := s.keepOrBuild(ctx, r); err != nil {
		return err
	}
	if err := s.fetchSource(ctx, r); err != nil {
		return err
	}
	return s.link(r)
}

// linkKept makes the tools that are built already, and leaves out the others.
func (s *shop) linkKept(ctx context.Context, tools []tool) error {
	for _, t := range tools {
		r, err := s.recipe(ctx, t)
		if err != nil {
			return err
		}
		if !isProgram(s.kept(r)) {
			continue
		}
		if err := s.make(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// kept is where the built program is, or will be.
func (s *shop) kept(r recipe) string {
	return filepath.Join(s.cache, fmt.Sprintf("%s-%s-%s", r.name, r.version, r.key), r.name)
}

// keepOrBuild builds once, however many ask at the same time: who finds the
// lock taken waits, and then finds the program.
func (s *shop) keepOrBuild(ctx context.Context, r recipe) error {
	if isProgram(s.kept(r)) {
		s.say("kept: %s %s (%s)", r.name, r.version, s.kept(r))
		return nil
	}
	if err := r.compiler(); err != nil {
		return err
	}
	unlock, err := s.lock(ctx, r)
	if err != nil {
		return err
	}
	defer unlock()
	if isProgram(s.kept(r)) {
		s.say("kept: %s %s, built meanwhile by another call (%s)", r.name, r.version, s.kept(r))
		return nil
	}
	return s.build(ctx, r)
}

// build builds beside the final place and renames: a program that is there is
// whole. What an earlier call left half done is removed, for the lock is ours.
func (s *shop) build(ctx context.Context, r recipe) error {
	final := s.kept(r)
	folder := filepath.Dir(final)
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755)); err != nil {
		return fmt.Errorf("make room for %s: %w", r.name, err)
	}
	s.say("building: %s %s from source; usually %s on two cores, seconds if Go's build cache has it", r.name, r.version, r.usual)
	began := time.Now()
	defer s.every(stillBuilding, func() {
		s.say("building: %s, %s so far", r.name, time.Since(began).Round(time.Second))
	})()
	cmd := s.command(ctx, r, r.args(final+".partial", r.pkg)...)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s %s: %w", r.name, r.version, errors.Join(ctx.Err(), err))
	}
	if err := os.Rename(final+".partial", final); err != nil {
		return fmt.Errorf("keep %s: %w", r.name, err)
	}
	s.say("built: %s %s in %s (%s)", r.name, r.version, time.Since(began).Round(time.Second), final)
	return nil
}

// fetchSource puts the tool's own module into the module cache, in the
// version of the program. Go has it from the build, but a kept program may
// come without it.
func (s *shop) fetchSource(ctx context.Context, r recipe) error {
	if !r.source {
		return nil
	}
	var got struct{ Dir, Error string }
	if err := s.goJSON(ctx, r, &got, "mod", "download", "-json", r.module+"@"+r.version); err != nil {
		return fmt.Errorf("fetch the files that %s reads at run time: %w", r.name, err)
	}
	if got.Error != "" || got.Dir == "" {
		return fmt.Errorf("fetch the files that %s reads at run time: %s", r.name, got.Error)
	}
	s.say("kept: files of %s %s (%s)", r.name, r.version, got.Dir)
	return nil
}

// command is go in the tool's module. An interrupt is passed on as one, so
// that go ends its compilers too.
func (s *shop) command(ctx context.Context, r recipe, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), r.environ()...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// every calls tell at an interval until the function it returns is called,
// which returns when no further call can happen.
func (s *shop) every(interval time.Duration, tell func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				tell()
			}
		}
	}()
	return func() { close(done); <-ended }
}

func (s *shop) say(format string, args ...any) {
	fmt.Fprintf(s.log, format+"\n", args...)
}

// isProgram says whether a file that can be run is there.
func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
