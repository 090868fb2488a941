package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// reading is the repository whose reading is measured, apart from the one that
// the command follows: n files, and n commits each of which changed one.
type reading struct {
	b              *bench
	bare           string // its folder
	relay          *relay
	password       string // a file
	url, loginAs   string // for the command, and for the git program
	served         *servers.GitHTTP
	commits, clone int
}

// reading measures what it takes to read a repository, cold and one commit
// later, by the command's package source and by the git program.
func (b *bench) reading(ctx context.Context) (err error) {
	r, err := b.newReading(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.relay.close(), r.served.Stop()) }()
	b.say("a repository of %d files and as many commits is read", b.n)
	for i := range b.options.pace.repeats {
		if err := r.cold(ctx, i == b.options.pace.repeats-1); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) newReading(ctx context.Context) (*reading, error) {
	dir := filepath.Join(b.dir, "reading")
	r := &reading{b: b, bare: filepath.Join(dir, "allowlists.git"), password: filepath.Join(dir, "password")}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var err error
	if r.served, err = servers.StartGitHTTP(dir); err != nil {
		return nil, err
	}
	if err := errors.Join(r.served.Init(ctx, "allowlists.git"), os.WriteFile(r.password, []byte(servers.GitPassword), 0o600)); err != nil {
		return nil, err
	}
	if err := r.fill(ctx); err != nil {
		return nil, err
	}
	if r.relay, err = startRelay(r.served.URL); err != nil {
		return nil, err
	}
	r.url = r.relay.url() + "/allowlists.git"
	r.loginAs = strings.Replace(r.served.CloneURL("allowlists.git"), strings.TrimPrefix(r.served.URL, "http://"), strings.TrimPrefix(r.relay.url(), "http://"), 1)
	return r, nil
}

// fill makes the commits, and one pack of them.
func (r *reading) fill(ctx context.Context) error {
	var script bytes.Buffer
	w := bufio.NewWriter(&script)
	for i := range r.b.n {
		r.commit(w)
		if i == 0 {
			for f := range r.b.n {
				r.file(w, f, 0)
			}
		}
		r.file(w, i*7919%r.b.n, i%100)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := r.importInto(ctx, &script); err != nil {
		return err
	}
	return git(ctx, r.bare, "repack", "-q", "-a", "-d")
}

func (r *reading) commit(w *bufio.Writer) {
	const begins = 1_700_000_000
	fmt.Fprintf(w, "commit refs/heads/main\ncommitter A <a@tenant.example> %d +0000\ndata 1\nx\n", begins+60*r.commits)
	if r.commits++; r.commits > r.b.n {
		fmt.Fprintln(w, "from refs/heads/main^0")
	}
}

func (r *reading) file(w *bufio.Writer, i, edition int) {
	text := r.b.file(i, edition)
	fmt.Fprintf(w, "M 100644 inline tenants/%s\ndata %d\n%s\n", r.b.path(i), len(text), text)
}

func (r *reading) importInto(ctx context.Context, script *bytes.Buffer) error {
	cmd := exec.CommandContext(ctx, "git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = r.bare, script
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fill the repository: %w: %s", err, out)
	}
	return nil
}

// cold reads everything, with nothing on disk; thereafter, the last time, what
// one commit after the other changed.
func (r *reading) cold(ctx context.Context, last bool) error {
	r.clone++
	dir := filepath.Join(r.b.dir, fmt.Sprintf("read-%d", r.clone))
	p, err := startPeer(ctx, "reader", r.url, dir, r.password)
	if err != nil {
		return err
	}
	if err := r.byUs(p, "cold", r.b.n); err != nil {
		return err
	}
	mirror := dir + ".git"
	if err := r.byGit(ctx, "cold", r.b.dir, "clone", "--quiet", "--bare", r.loginAs, mirror); err != nil {
		return err
	}
	for i := 0; last && i < r.b.options.pace.changes; i++ {
		var script bytes.Buffer
		w := bufio.NewWriter(&script)
		r.commit(w)
		r.file(w, i, 100+i)
		if err := errors.Join(w.Flush(), r.importInto(ctx, &script), r.byUs(p, "later", 1)); err != nil {
			return err
		}
		if err := r.byGit(ctx, "later", mirror, "fetch", "--quiet", "origin", "refs/heads/main:refs/heads/main"); err != nil {
			return err
		}
	}
	return p.end()
}

func (r *reading) byUs(p *peer, when string, files int) error {
	sent := r.relay.bytes.Load()
	a, err := p.ask(when)
	if err != nil {
		return err
	}
	if a.Count != files {
		return fmt.Errorf("%d files were read, not %d", a.Count, files)
	}
	s := r.b.series
	s.add("read "+when+" seconds", a.Seconds)
	s.add("read "+when+" bytes", float64(r.relay.bytes.Load()-sent))
	s.add("read "+when+" highest", a.Highest)
	s.add("read "+when+" more", a.Highest-a.Before)
	return nil
}

func (r *reading) byGit(ctx context.Context, when, dir string, args ...string) error {
	sent, watch := r.relay.bytes.Load(), newStopwatch()
	cmd := gitCommand(ctx, dir, args...)
	used, err := runProgram(cmd)
	if err != nil {
		return err
	}
	s := r.b.series
	s.add("git "+when+" seconds", watch.seconds())
	s.add("git "+when+" bytes", float64(r.relay.bytes.Load()-sent))
	s.add("git "+when+" highest", used.highest)
	return nil
}
