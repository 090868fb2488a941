package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/test/servers"
)

// hostPolls is how many polls are made at a time: the system counts processor
// time in hundredths of a second.
const hostPolls = 20

// hostCosts measures what one poll costs the Git host with more and more closed
// pull requests, by the command's package source, and as a program on go-git
// polls that lists all refs.
func (b *bench) hostCosts(ctx context.Context, g *servers.Gitea, head string) (err error) {
	relay, err := startRelay(g.URL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, relay.close()) }()
	for i, closed := range b.closedSteps() {
		if err := b.addPulls(ctx, g, closed, head); err != nil {
			return err
		}
		h := &hostCost{b: b, relay: relay, closed: closed, dir: filepath.Join(b.dir, fmt.Sprintf("host-%d", i))}
		if err := h.measure(ctx, g); err != nil {
			return fmt.Errorf("polls with %d closed pull requests: %w", closed, err)
		}
	}
	return nil
}

// closedSteps are the numbers of closed pull requests: none, a tenth, and all.
func (b *bench) closedSteps() []int { return []int{0, b.closedPulls() / 10, b.closedPulls()} }

// addPulls leaves the refs of so many closed pull requests behind.
func (b *bench) addPulls(ctx context.Context, g *servers.Gitea, n int, head string) error {
	var script strings.Builder
	for i := range n {
		fmt.Fprintf(&script, "update refs/pull/%d/head %s\n", i+1, head)
	}
	folder := g.Folder(g.Admin.Name, together)
	cmd := gitCommand(ctx, folder, "update-ref", "--stdin")
	cmd.Stdin = strings.NewReader(script.String())
	if _, err := runProgram(cmd); err != nil {
		return err
	}
	return git(ctx, folder, "pack-refs", "--all")
}

// hostCost is that of polls beside so many closed pull requests.
type hostCost struct {
	b      *bench
	relay  *relay
	closed int
	dir    string
}

func (h *hostCost) measure(ctx context.Context, g *servers.Gitea) error {
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		return err
	}
	token := filepath.Join(h.dir, "token")
	if err := os.WriteFile(token, []byte(g.Admin.Token), 0o600); err != nil {
		return err
	}
	repo, err := source.Open(source.Options{Name: "bench", URL: h.relay.url() + "/" + g.Admin.Name + "/" + together + ".git",
		Dir: filepath.Join(h.dir, "mirror"), TokenFile: token, Path: "tenants", Pulls: source.PullRequests})
	if err != nil {
		return err
	}
	repo.Follow(nil)
	poll := func() error { _, err := repo.Poll(ctx); return err }
	list := func() error { _, err := repo.Remote().List(ctx); return err }
	err = errors.Join(poll(), poll()) // the clone, and what a first poll asks in addition
	for range h.b.options.pace.repeats {
		err = errors.Join(err, h.times(hostKey("poll", h.closed), poll), h.times(hostKey("listing", h.closed), list))
	}
	return errors.Join(err, repo.Close())
}

func hostKey(what string, closed int) string { return fmt.Sprintf("host %s %d", what, closed) }

// times does something so many times, and notes what that costs the host.
func (h *hostCost) times(key string, do func() error) error {
	sent, host, began := h.relay.bytes.Load(), hostProcessor(), time.Now()
	for range hostPolls {
		if err := do(); err != nil {
			return err
		}
	}
	s := h.b.series
	s.add(key+" bytes", float64(h.relay.bytes.Load()-sent)/hostPolls)
	s.add(key+" milliseconds", milliseconds(time.Since(began))/hostPolls)
	if spent := hostProcessor() - host; spent > 0 {
		s.add(key+" processor", milliseconds(spent)/hostPolls)
	}
	return nil
}

func (b *bench) tellSeeds() {
	s, t := b.series, b.table
	for _, closed := range b.closedSteps() {
		work := fmt.Sprintf("many seeds: a poll with %d closed pull requests", closed)
		listing := "a listing by go-git"
		ours, theirs := hostKey("poll", closed), hostKey("listing", closed)
		t.against(listing).compare(work+": on the wire", "KiB", times(1./1024, s[ours+" bytes"]), times(1./1024, s[theirs+" bytes"]))
		t.against(listing).note("Gitea with the git programs that it starts").
			compare(work+": processor time of the Git host", "ms", s[ours+" processor"], s[theirs+" processor"])
	}
	t.value("many seeds: a poll: processor time of a reconciler", "ms", s["seeds processor"], "")
	t.value("many seeds: a poll: processor time of the Git host", "ms", s["seeds host"], "")
	t.value("many seeds: first to last poll of one round", "s", s["seeds spread"], fmt.Sprintf("of %d reconcilers, started at once; every %s, and up to a tenth of that", seeds, b.options.pace.seedsPoll))
	t.value("many seeds: a push to the checks of all", "s", s["seeds checks"], "the next poll is awaited; a status of each seed, and nobody else's")
}
