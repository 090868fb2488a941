package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// A peer is a reference in a process of its own, so that what it takes of the
// machine is its own: this program again, by another first argument. It does
// one piece of work for each line on its standard input, and answers each by
// a line of JSON.

// answer is what a piece of work took.
type answer struct {
	Error string `json:"error,omitempty"`
	// Seconds of the work; Processor those that this process computed
	// meanwhile.
	Seconds   float64 `json:"seconds"`
	Processor float64 `json:"processor"`
	// Resident is the process's memory after the work, Anonymous the part of it
	// that is no file's, Highest the most of it meanwhile, Before what it was
	// before, in MiB.
	Resident  float64 `json:"resident"`
	Anonymous float64 `json:"anonymous"`
	Highest   float64 `json:"highest"`
	Before    float64 `json:"before"`
	// Count is how many of what the work is about there were.
	Count int `json:"count"`
}

// job is a peer's work: the command is the line that it was asked by.
type job func(ctx context.Context, command string) (count int, err error)

// serve answers lines until there are no more.
func serve(ctx context.Context, in io.Reader, out io.Writer, do job) error {
	encoder := json.NewEncoder(out)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if err := encoder.Encode(measured(ctx, lines.Text(), do)); err != nil {
			return err
		}
	}
	return nil
}

// measured does a piece of work, and looks at this process before and after.
func measured(ctx context.Context, command string, do job) answer {
	forgetHighest()
	before, err := usageOf("self")
	if err != nil {
		return answer{Error: err.Error()}
	}
	watch := newStopwatch()
	count, err := do(ctx, command)
	a := answer{Seconds: watch.seconds(), Count: count, Before: before.resident}
	after, err2 := usageOf("self")
	if err := errors.Join(err, err2); err != nil {
		a.Error = err.Error()
	}
	a.Processor = (after.processor - before.processor).Seconds()
	a.Resident, a.Anonymous, a.Highest = after.resident, after.anonymous, after.highest
	return a
}

// peer is such a process, as the harness has it.
type peer struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
	words   strings.Builder // on standard error
}

// startPeer starts this program as a peer.
func startPeer(ctx context.Context, args ...string) (*peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	p := &peer{cmd: exec.CommandContext(ctx, self, args...)}
	p.cmd.Stderr = &p.words
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answers = json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the peer %s: %w", args[0], err)
	}
	return p, nil
}

// ask has a piece of work done.
func (p *peer) ask(command string) (answer, error) {
	var a answer
	_, err := fmt.Fprintln(p.in, command)
	if err == nil {
		err = p.answers.Decode(&a)
	}
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil {
		return a, fmt.Errorf("the peer %s, asked for %q: %w: %s", p.cmd.Args[1], command, err, strings.TrimSpace(p.words.String()))
	}
	return a, nil
}

// end ends it.
func (p *peer) end() error {
	err := p.in.Close()
	if err := errors.Join(err, p.cmd.Wait()); err != nil {
		return fmt.Errorf("end the peer %s: %w: %s", p.cmd.Args[1], err, strings.TrimSpace(p.words.String()))
	}
	return nil
}

// peers are what this program can be besides the harness.
var peers = map[string]func(ctx context.Context, args []string) (job, error){
	"flux":     fluxPeer,
	"informer": informerPeer,
	"nodes":    nodesPeer,
	"reader":   readerPeer,
}

// runPeer is the program as a peer.
func runPeer(ctx context.Context, name string, args []string) error {
	do, err := peers[name](ctx, args)
	if err != nil {
		return err
	}
	return serve(ctx, os.Stdin, os.Stdout, do)
}
