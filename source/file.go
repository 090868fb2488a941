package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

var (
	errNoGit    = errors.New("file:// needs the git program, which is not there: install git, or use https or ssh")
	errBadProxy = errors.New("proxy: not a URL")
)

// openFile runs Git's own server program on a repository of this machine.
func openFile(ctx context.Context, e *transport.Endpoint, service string) (session, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, local{errNoGit}
	}
	ctx, stop := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, git, strings.TrimPrefix(service, "git-"), e.Path)
	cmd.Env = plainEnvironment(os.Environ())
	cmd.WaitDelay = 5 * time.Second
	s, err := startFile(cmd, stop)
	if err != nil {
		stop()
		return nil, local{fmt.Errorf("start %s: %w", git, err)}
	}
	return s, nil
}

func startFile(cmd *exec.Cmd, stop func()) (session, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	words := &said{}
	cmd.Stderr = words
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	end := sync.OnceFunc(func() {
		_ = in.Close()
		_ = out.Close() // unblocks a program that is still sending
		_ = cmd.Wait()  // its words, not its code, say what was wrong
		stop()
	})
	return &stream{in: in, out: newRation(out), said: words, end: end}, nil
}

// plainEnvironment leaves out what would make Git look elsewhere or speak
// another version of the protocol than the one understood here.
func plainEnvironment(env []string) []string {
	var out []string
	for _, kv := range env {
		if !strings.HasPrefix(kv, "GIT_") || strings.HasPrefix(kv, "GIT_CONFIG_") || strings.HasPrefix(kv, "GIT_EXEC_PATH=") {
			out = append(out, kv)
		}
	}
	return append(out, "LC_ALL=C")
}
