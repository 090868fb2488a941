package docs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// lookAgain is how long to wait before what was printed is looked at again.
const lookAgain = 100 * time.Millisecond

// endPatience is how long a terminal's programs may take to end.
const endPatience = 30 * time.Second

// Terminal is a bash of its own, to which commands are typed one after the
// other. What they print to either stream is in one text, as it is for people.
type Terminal struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	ended chan struct{}
	count int // of commands
	stays bool

	mu  sync.Mutex
	out bytes.Buffer
}

// Open starts a terminal in a folder.
func Open(dir string, env []string) (*Terminal, error) {
	t := &Terminal{ended: make(chan struct{})}
	t.cmd = exec.Command("bash", "--noprofile", "--norc")
	t.cmd.Dir, t.cmd.Env = dir, env
	t.cmd.Stdout, t.cmd.Stderr = t, t
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // all that it starts ends with it
	var err error
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	if err := t.cmd.Start(); err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	go func() {
		defer close(t.ended)
		_ = t.cmd.Wait() // a command's exit code is printed
	}()
	return t, nil
}

// Write takes what the commands print.
func (t *Terminal) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.Write(b)
}

func (t *Terminal) printed() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.String()
}

// Type runs a command of a page and compares what it prints. The end of ctx is
// that of the patience with it.
func (t *Terminal) Type(ctx context.Context, c Command) error {
	if t.stays {
		return fmt.Errorf("line %d: a command goes on in this terminal: %s", c.Line, c.Text)
	}
	if c.Stays {
		t.stays = true
		return t.start(ctx, c)
	}
	for {
		err := t.once(ctx, c)
		if err == nil || !c.Again || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(lookAgain):
		}
	}
}

// once runs a command to its end, which a line of ours tells.
func (t *Terminal) once(ctx context.Context, c Command) error {
	t.count++
	mark := fmt.Sprintf("---- %d of %d: ", t.count, os.Getpid())
	from := len(t.printed())
	if _, err := fmt.Fprintf(t.in, "%s\nprintf '\\n%s%%d\\n' $?\n", c.Text, mark); err != nil {
		return fmt.Errorf("type %q: %w", c.Text, err)
	}
	for {
		text, after, done := strings.Cut(t.printed()[from:], "\n"+mark)
		if done && strings.Contains(after, "\n") {
			return c.compare(text, strings.TrimSpace(after))
		}
		if err := t.wait(ctx); err != nil {
			return fmt.Errorf("line %d: %q does not end: %w\n%s", c.Line, c.Text, err, text)
		}
	}
}

// start runs a command that goes on, until it has printed what is shown.
func (t *Terminal) start(ctx context.Context, c Command) error {
	from := len(t.printed())
	if _, err := fmt.Fprintln(t.in, c.Text); err != nil {
		return fmt.Errorf("type %q: %w", c.Text, err)
	}
	for {
		got := t.printed()[from:]
		if Begins(c.Want, lines(got)) {
			return nil
		}
		if err := t.wait(ctx); err != nil {
			return fmt.Errorf("line %d: %q does not print what is shown: %w\n%s", c.Line, c.Text, err, got)
		}
	}
}

// Await waits until these lines were printed, one after the other.
func (t *Terminal) Await(ctx context.Context, want []string) error {
	sought := append(append([]string{elision}, want...), elision)
	for {
		got := t.printed()
		if Prints(sought, lines(got)) {
			return nil
		}
		if err := t.wait(ctx); err != nil {
			return fmt.Errorf("%q is not printed: %w\n%s", want, err, got)
		}
	}
}

// wait returns nil when it is worth to look again.
func (t *Terminal) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.ended:
		return errors.New("the terminal ended")
	case <-time.After(lookAgain):
		return nil
	}
}

func (c Command) compare(text, code string) error {
	if code != fmt.Sprint(c.Exit) {
		return fmt.Errorf("line %d: %q ended with %s, want %d\n%s", c.Line, c.Text, code, c.Exit, text)
	}
	if c.Want != nil && !Prints(c.Want, lines(text)) {
		return fmt.Errorf("line %d: %q prints\n%s\nand not\n%s", c.Line, c.Text, text, strings.Join(c.Want, "\n"))
	}
	return nil
}

func lines(text string) []string {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// Interrupt is Ctrl-C. A command that went on ends by it.
func (t *Terminal) Interrupt() error { return syscall.Kill(-t.cmd.Process.Pid, syscall.SIGINT) }

// Close ends the terminal and all that runs in it.
func (t *Terminal) Close() error {
	_ = t.in.Close()
	if t.stays {
		_ = t.Interrupt() // bash itself ends, too: there is nothing more to read
	}
	select {
	case <-t.ended:
		return nil
	case <-time.After(endPatience):
		err := syscall.Kill(-t.cmd.Process.Pid, syscall.SIGKILL)
		<-t.ended
		return errors.Join(errors.New("a terminal's programs did not end when asked to"), err)
	}
}
