package servers

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

var errNotYet = errors.New("not yet")

func never(context.Context) error { return errNotYet }

func TestProcessThatEndsTellsWhy(t *testing.T) {
	t.Parallel()
	p, err := startProcess(exec.CommandContext(t.Context(), "sh", "-c", "echo the last words; exit 3"))
	if err != nil {
		t.Fatal(err)
	}
	err = p.until(t.Context(), never)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "the last words") {
		t.Errorf("the error is %v", err)
	}
	if err := p.kill(); err != nil {
		t.Errorf("a process that has ended cannot be killed: %v", err)
	}
}

// TestKillTakesTheChildrenToo gives a pipe to a child: it ends for the reader
// when nobody who could write is left.
func TestKillTakesTheChildrenToo(t *testing.T) {
	t.Parallel()
	alive, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sleep 1000 & echo ready; wait")
	cmd.ExtraFiles = []*os.File{held}
	p, err := startProcess(cmd)
	held.Close()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ready := func(context.Context) error {
		if p.out.String() != "ready" {
			return errNotYet
		}
		return nil
	}
	if err := errors.Join(p.until(ctx, ready), p.kill()); err != nil {
		t.Fatal(err)
	}
	if err := alive.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := alive.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a child outlived the kill (%v)", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var out tail
	for range 3 {
		if _, err := out.Write([]byte(strings.Repeat("x", tailSize-10))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := out.Write([]byte("the end")); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); len(got) != tailSize || !strings.HasSuffix(got, "xthe end") {
		t.Errorf("kept %d bytes that end in %q", len(got), got[len(got)-10:])
	}
}
