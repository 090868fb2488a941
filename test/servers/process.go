package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// tailSize is how much of a server's output is kept, in bytes, to tell why it
// ended.
const tailSize = 8 << 10

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if over := len(t.end) - tailSize; over > 0 {
		t.end = append([]byte(nil), t.end[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.end))
}

// process is a server that runs, in a process group of its own with all that
// it starts.
type process struct {
	cmd   *exec.Cmd
	out   *tail
	ended chan struct{} // closed when it has ended
	err   error         // how, once ended is closed
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, out: &tail{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.err = cmd.Wait()
	}()
	return p, nil
}

// until waits for the condition, and fails with the server's last words where
// it ends before or ctx is done.
func (p *process) until(ctx context.Context, condition func(context.Context) error) error {
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("it ended (%w): %s", errors.Join(p.err, err), p.out)
		case <-ctx.Done():
			return fmt.Errorf("%w (%w): %s", ctx.Err(), err, p.out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// kill ends the process and all that it started, and waits until it is gone.
// There is no asking first: what a server here has written is thrown away.
func (p *process) kill() error {
	err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end process %d: %w", p.cmd.Process.Pid, err)
	}
	return nil
}

// answers says whether someone listens.
func answers(hostPort string) bool {
	conn, err := net.DialTimeout("tcp", hostPort, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
