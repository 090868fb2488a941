package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// gitFault is one of the Git host.
type gitFault struct {
	name  string
	fault servers.Fault
	// passes says that the commit can be told all the same, while the fault
	// lasts.
	passes bool
}

func gitFaults() []gitFault {
	packs := func(f servers.Fault) servers.Fault { return servers.On(asksForPack, f) }
	refs := func(change func([]byte) []byte) servers.Fault { return servers.On(asksForRefs, servers.Bent(change)) }
	return []gitFault{
		{name: "hangs up", fault: hangUp},
		{name: "silent", fault: servers.Silent},
		{name: "503", fault: answer(http.StatusServiceUnavailable, "away")},
		{name: "404", fault: answer(http.StatusNotFound, "no such repository")},
		{name: "401", fault: answer(http.StatusUnauthorized, "who are you")},
		{name: "garbage", fault: answer(http.StatusOK, "<html>please log in</html>")},
		{name: "slow", fault: servers.Late(700 * time.Millisecond), passes: true},
		{name: "refs that are not there", fault: refs(otherRefs)},
		{name: "refs cut short", fault: refs(func(b []byte) []byte { return b[:len(b)*2/3] })},
		{name: "an empty repository", fault: refs(noRefs)},
		{name: "a pack that breaks off", fault: packs(servers.Broken(120))},
		{name: "a pack cut short", fault: packs(servers.Bent(func(b []byte) []byte { return b[:len(b)-len(b)/3] }))},
		{name: "a pack with other bytes", fault: packs(servers.Bent(flip))},
		{name: "no pack at all", fault: packs(answer(http.StatusOK, ""))},
		{name: "pushes refused", fault: servers.On(pushes, answer(http.StatusServiceUnavailable, "read only")), passes: true},
	}
}

func asksForRefs(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/info/refs") }
func asksForPack(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/git-upload-pack") }

func pushes(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/git-receive-pack") || r.URL.Query().Get("service") == "git-receive-pack"
}

func hangUp(http.ResponseWriter, *http.Request, http.Handler, <-chan struct{}) {
	panic(http.ErrAbortHandler)
}

func answer(code int, text string) servers.Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		w.WriteHeader(code)
		fmt.Fprint(w, text)
	}
}

// otherRefs names objects that nobody has.
func otherRefs(b []byte) []byte {
	lines := bytes.SplitAfter(b, []byte("\n"))
	for _, line := range lines {
		if at := bytes.IndexByte(line, ' '); at >= 40 && !bytes.Contains(line, []byte("service=")) {
			copy(line[at-20:at], "0123456789abcdef0123")
		}
	}
	return bytes.Join(lines, nil)
}

// noRefs is what a server says of a repository that was made anew.
func noRefs([]byte) []byte {
	return []byte("001e# service=git-upload-pack\n0000" +
		"0000000000000000000000000000000000000000 capabilities^{}\x00 agent=git/2\n0000")
}

// flip turns some bits in the middle.
func flip(b []byte) []byte {
	if len(b) > 0 {
		b[len(b)/2] ^= 0x55
	}
	return b
}

// TestGitHostFails while a commit comes in, and while somebody opens a cluster
// by hand: drift is put right without it.
func TestGitHostFails(t *testing.T) {
	t.Parallel()
	p := set(t, 5, 0, stage.Options{})
	p.begin()
	for i, f := range gitFaults() {
		t.Run(f.name, func(t *testing.T) {
			p := p.in(t)
			p.gitFails(f, i+1)
		})
	}
}

// in is the play as one of its parts has it.
func (p *play) in(t *testing.T) *play {
	part := *p
	part.t, part.ctx = t, t.Context()
	return &part
}

func (p *play) gitFails(f gitFault, edition int) {
	p.t.Helper()
	before := p.writes()
	var met atomic.Int64
	p.HTTP.Meter.Fault(servers.On(ofTheCommand, func(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{}) {
		met.Add(1)
		f.fault(w, r, server, ended)
	}))
	defer p.HTTP.Meter.Fault(nil)
	sha := p.push(edition)
	p.await("the fault", func(context.Context) error {
		if met.Load() == 0 {
			return errors.New("it has befallen nobody")
		}
		return nil
	})
	drifted := p.drift(edition)
	p.await("drift to be put right", func(ctx context.Context) error {
		return errors.Join(p.announcedIsGone(ctx, drifted), p.Run.Running())
	})
	if long() {
		p.lasts(outage())
	}
	if !f.passes && p.Carry(list(edition)) > 0 {
		p.t.Error("the commit came through")
	}
	p.HTTP.Meter.Fault(nil)
	p.await("the commit", p.everywhere(edition), p.noted(sha))
	p.needed(before, map[string]int{p.Own(drifted): 2}, 0)
	p.settle(edition)
}

// ofTheCommand picks requests that are not the git program's, which pushes for
// the tests.
func ofTheCommand(r *http.Request) bool { return !strings.HasPrefix(r.UserAgent(), "git/2.") }

// announcedIsGone fails while a cluster is as drift left it.
func (p *play) announcedIsGone(ctx context.Context, id string) error {
	list, _, err := p.List(ctx, id)
	if err == nil && len(list) == 1 && list[0] == "0.0.0.0/0" {
		err = fmt.Errorf("%s is still open", id)
	}
	return err
}
