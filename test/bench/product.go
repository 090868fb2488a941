package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// product is the command at work on a repository of its own.
type product struct {
	*stage.Stage
	pidFile string
	probes  string // URL of its readiness
}

// writesItsPid is a shell's program: the command takes the shell's place, and
// with it its process ID.
const writesItsPid = `echo $$ > "$0" && exec "$@"`

// newProduct makes the repository with all files, and the Config; the command
// does not run yet.
func (b *bench) newProduct(ctx context.Context, round int) (*product, error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("round-%d", round))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	s, err := stage.New(ctx, &stage.Seed{Plane: b.plane, Client: b.client}, stage.Options{
		Dir: dir, Binary: b.options.binary, Suffix: fmt.Sprintf("b%02d", round), HTTP: true,
		Config: func(d stage.Document) { d["apply"] = map[string]any{"rate": 0} },
		Policy: func(d stage.Document) { b.edit(d, 0) },
	})
	if err != nil {
		return nil, err
	}
	p, err := producing(s, dir)
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	files := map[string]string{}
	for i := range b.n {
		files[b.path(i)] = b.file(i, 0)
	}
	if _, err := s.Push(ctx, stage.Commit{Message: "Keep our allowlists in Git", Write: files}); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// producing has the command of a stage tell its process ID and its readiness.
func producing(s *stage.Stage, dir string) (*product, error) {
	p := &product{Stage: s, pidFile: filepath.Join(dir, "pid")}
	address, err := freeAddress()
	p.probes = "http://" + address + "/readyz"
	args := append(s.Run.Args, "--probe-address", address)
	s.Run.Args = append([]string{"-c", writesItsPid, p.pidFile, s.Run.Binary}, args...)
	s.Run.Binary = "/bin/sh"
	return p, err
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// close ends the command; it takes its own time, the run's may be over.
func (p *product) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*stage.Exits)
	defer cancel()
	return p.Close(ctx)
}

// lastLines is the end of the command's log.
func (p *product) lastLines() string {
	const most = 2000
	log := p.Run.Log()
	return log[max(0, len(log)-most):]
}

// written is how many lists the command said that it wrote. It tells only when
// to look: what is measured is read off the audit log.
func (p *product) written() int { return strings.Count(p.Run.Log(), `"msg":"list written"`) }

// looksAgain is how often the log is looked at: each time it is copied.
const looksAgain = 300 * time.Millisecond

// wrote is a condition: so many lists were written.
func (p *product) wrote(lists int) func(context.Context) error {
	n, next := 0, time.Time{}
	return func(context.Context) error {
		if now := time.Now(); !now.Before(next) {
			n, next = p.written(), now.Add(looksAgain)
		}
		if n < lists {
			return fmt.Errorf("%d of %d lists were written", n, lists)
		}
		return nil
	}
}

// requests are those of the command to the Git host at or after a moment. The
// git program's are this program's own.
func (p *product) requests(since time.Time) []servers.Request {
	var out []servers.Request
	for _, r := range p.HTTP.Meter.Requests() {
		if !r.Time.Before(since) && !strings.HasPrefix(r.UserAgent, "git/2.") {
			out = append(out, r)
		}
	}
	return out
}

// isPoll tells the question where the branches are from what follows on it.
func isPoll(r servers.Request) bool {
	return r.Method == http.MethodGet && r.Service == "git-upload-pack"
}

func isFetch(r servers.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/git-upload-pack")
}

// polls are those since a moment.
func (p *product) polls(since time.Time) []servers.Request {
	var out []servers.Request
	for _, r := range p.requests(since) {
		if isPoll(r) {
			out = append(out, r)
		}
	}
	return out
}

// awaitPolls waits until so many polls were made since a moment, and answers
// them.
func (p *product) awaitPolls(ctx context.Context, since time.Time, n int) ([]servers.Request, error) {
	err := p.Await(ctx, "polls", patience, func(context.Context) error {
		if got := len(p.polls(since)); got < n {
			return fmt.Errorf("%d of %d were made", got, n)
		}
		return nil
	})
	return p.polls(since), err
}

// patience is how long the command may take to come to what does not depend on
// the number of clusters.
const patience = 5 * time.Minute

// settle waits until the command has done nothing but poll, three times over.
func (b *bench) settle(ctx context.Context, p *product) error {
	for deadline := time.Now().Add(patience); ; {
		from := time.Now()
		if _, err := p.awaitPolls(ctx, from, 3); err != nil {
			return err
		}
		events, err := b.trail.events(p.User, from, time.Time{})
		if err != nil {
			return err
		}
		requests := p.requests(from)
		if len(events) == 0 && len(requests) == len(p.polls(from)) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("portcullis did not come to rest: %s; %s", kinds(events), gitKinds(requests))
		}
	}
}

// gitKinds counts requests to the Git host, in words.
func gitKinds(requests []servers.Request) string {
	counts := map[string]int{}
	for _, r := range requests {
		what := strings.TrimPrefix(r.Path, "/allowlists.git/")
		if r.Service != "" {
			what += "?" + r.Service
		}
		counts[r.Method+" "+what]++
	}
	return counted(counts)
}
