package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Exits is how long `portcullis run` may take to end once it is asked to.
const Exits = 30 * time.Second

// Process is one `portcullis run` after another, with the same arguments.
type Process struct {
	// Binary is the command's path, Args what it is called with.
	Binary string
	Args   []string

	mu    sync.Mutex
	log   bytes.Buffer
	cmd   *exec.Cmd
	ended chan struct{}
}

// Write takes what the command prints.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

// Log is what all of them have printed so far.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Start starts the command. More arguments count for this time only.
func (p *Process) Start(more ...string) error {
	if p.cmd != nil {
		return errors.New("start portcullis: it runs already")
	}
	cmd := exec.Command(p.Binary, append(append([]string{}, p.Args...), more...)...)
	cmd.Stdout, cmd.Stderr, cmd.Env = p, p, gitEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us to pass on
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start portcullis: %w", err)
	}
	p.cmd, p.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		defer close(ended)
		_ = cmd.Wait() // how it ended is in ProcessState
	}(p.ended)
	return nil
}

// Running fails once the command has ended by itself.
func (p *Process) Running() error {
	if p.cmd == nil {
		return errors.New("portcullis does not run")
	}
	select {
	case <-p.ended:
		return fmt.Errorf("portcullis ended by itself: %s: %s", p.cmd.ProcessState, p.lastWords())
	default:
		return nil
	}
}

// Stop asks the command to end by SIGTERM; anything but exit code 0 in time is
// an error. Where none runs there is nothing to do.
func (p *Process) Stop(ctx context.Context) error {
	if p.cmd == nil {
		return nil
	}
	signalled := p.cmd.Process.Signal(syscall.SIGTERM)
	code, err := p.Wait(ctx, Exits)
	if err != nil {
		return errors.Join(err, p.Kill())
	}
	if signalled != nil || code != 0 {
		return fmt.Errorf("portcullis ended with code %d: %s", code, p.lastWords())
	}
	return nil
}

// Wait waits for the command to end, and answers its exit code; -1 where a
// signal ended it.
func (p *Process) Wait(ctx context.Context, patience time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-p.ended:
	case <-ctx.Done():
		return 0, fmt.Errorf("portcullis did not end: %w", ctx.Err())
	}
	code := p.cmd.ProcessState.ExitCode()
	p.cmd = nil
	return code, nil
}

// Pause stops the command in its tracks, as a machine that hangs would, and
// Resume has it go on.
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume has a command that was paused go on.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// Kill ends the command by SIGKILL, as a lost machine would.
func (p *Process) Kill() error {
	if p.cmd == nil {
		return nil
	}
	err := p.cmd.Process.Kill()
	<-p.ended
	p.cmd = nil
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill portcullis: %w", err)
	}
	return nil
}

// lastWords is the end of the log, or the first race in it.
func (p *Process) lastWords() string {
	const most = 6000
	log := p.Log()
	if race := strings.Index(log, "WARNING: DATA RACE"); race >= 0 {
		return log[race:min(len(log), race+most)]
	}
	return log[max(0, len(log)-most):]
}
