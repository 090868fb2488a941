package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// What a reconciler asks of the API for pull requests, a kind for each step.
const (
	listing    = "list the pull requests"
	looking    = "look one up"
	posting    = "post a status"
	reading    = "read the comments"
	commenting = "comment"
	editing    = "edit a comment"
)

func kindOf(r *http.Request) string {
	_, below, _ := strings.Cut(r.URL.Path, "/repos/")
	parts := strings.Split(below, "/") // owner, name, what, ...
	switch {
	case len(parts) < 3:
		return ""
	case parts[2] == "pulls" && len(parts) == 3:
		return listing
	case parts[2] == "pulls":
		return looking
	case parts[2] == "statuses" && r.Method == http.MethodPost:
		return posting
	case parts[2] == "issues" && r.Method == http.MethodGet:
		return reading
	case parts[2] == "issues" && r.Method == http.MethodPost:
		return commenting
	case parts[2] == "issues" && r.Method == http.MethodPatch:
		return editing
	}
	return ""
}

// strikes befall the first requests of each of some kinds.
type strikes struct {
	fault servers.Fault

	mu   sync.Mutex
	left map[string]int
	gone int // of those who asked, while they waited for an answer
}

func strike(times int, fault servers.Fault, kinds ...string) *strikes {
	s := &strikes{fault: fault, left: map[string]int{}}
	for _, kind := range kinds {
		s.left[kind] = times
	}
	return s
}

func (s *strikes) befall(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{}) {
	kind := kindOf(r)
	s.mu.Lock()
	hit := s.left[kind] > 0
	if hit {
		s.left[kind]--
	}
	s.mu.Unlock()
	if !hit {
		server.ServeHTTP(w, r)
		return
	}
	defer func() {
		if r.Context().Err() != nil {
			s.mu.Lock()
			s.gone++
			s.mu.Unlock()
		}
	}()
	s.fault(w, r, server, ended)
}

// done is a condition: all of them befell somebody.
func (s *strikes) done(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for kind, n := range s.left {
		if n > 0 {
			return fmt.Errorf("%d more are to befall who asks to %s", n, kind)
		}
	}
	return nil
}

// deserted is a condition: somebody waited no longer.
func (s *strikes) deserted(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone == 0 {
		return errors.New("everybody still waits")
	}
	return nil
}

// refuse answers so, with Retry-After where that is not zero.
func refuse(code, seconds int) servers.Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		if seconds > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(seconds))
		}
		http.Error(w, "<html>"+http.StatusText(code), code)
	}
}

func reset(http.ResponseWriter, *http.Request, http.Handler, <-chan struct{}) {
	panic(http.ErrAbortHandler)
}

// silent drains the request first: a server notices a caller that left only then.
func silent(w http.ResponseWriter, r *http.Request, server http.Handler, ended <-chan struct{}) {
	_, _ = io.Copy(io.Discard, r.Body)
	servers.Silent(w, r, server, ended)
}

// TestForgeFailsWhilePullRequestsAreJudged has Gitea's API, and not its Git,
// fare badly at each step while one pull request is opened, one updated and one
// merged: in the end the newest status of every commit is right, and each pull
// request has one comment, which is right too.
func TestForgeFailsWhilePullRequestsAreJudged(t *testing.T) {
	t.Parallel()
	var gate *stage.Gate
	p := onGiteaWithPullsBy(t, func(server string) (string, string) {
		gate = gateTo(t, server)
		return server, gate.URL
	})
	all := []string{listing, looking, posting, reading, commenting, editing}
	rounds := []struct {
		name    string
		strikes *strikes
		silence bool
	}{
		{"429 with Retry-After", strike(1, refuse(http.StatusTooManyRequests, 2), all...), false},
		{"429 without", strike(1, refuse(http.StatusTooManyRequests, 0), posting), false},
		{"502", strike(1, refuse(http.StatusBadGateway, 0), all...), false},
		{"reset", strike(1, reset, all...), false},
		{"done, and not heard of", strike(1, servers.Unheard, all...), false},
		{"cut short", strike(1, servers.Broken(20), all...), false},
		{"30 seconds of silence", strike(1000, silent, all...), true},
	}
	first := p.populate()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))
	want := map[string]string{first: stage.Failure}
	for i, round := range rounds {
		if !t.Run(round.name, func(t *testing.T) { p.in(t).fareBadly(gate, round.strikes, round.silence, i, want) }) {
			return // the rounds that follow go on from this one
		}
	}
	for sha, state := range want {
		p.holds(p.status(sha, state))
	}
}

// in is the same for a part of the test.
func (p *withPulls) in(t *testing.T) *withPulls {
	inner := *p.hosted.play
	inner.t, inner.ctx = t, t.Context()
	h := *p.hosted
	h.play = &inner
	part := *p
	part.hosted = &h
	return &part
}

func (p *withPulls) prodWith(cidr string) string {
	text, err := p.Read("acme/production.yaml")
	p.must(err)
	return strings.Replace(text, "  entries:\n", "  entries:\n    - {description: Linz office, cidr: "+cidr+"}\n", 1)
}

// fareBadly adds to want what commits say in the end.
func (p *withPulls) fareBadly(gate *stage.Gate, s *strikes, silence bool, i int, want map[string]string) {
	defer gate.Fault(nil)
	wrong := fmt.Sprintf("{description: Graz office, cidr: 192.0.2.%d/28}", 97+i)
	right := func(n int) string { return fmt.Sprintf("{description: Linz office, cidr: 192.0.2.%d/32}", n+i) }
	list := fmt.Sprintf("192.0.2.%d/32", 208+i)

	updated := p.propose(fmt.Sprint("updated-", i), "acme/staging.yaml", p.stagingWith(right(176)))
	merged := p.propose(fmt.Sprint("merged-", i), "acme/production.yaml", p.prodWith(list))
	p.await("what is said before", p.status(updated.Head.Sha, stage.Success), p.commented(updated.Index, "192.0.2."),
		p.status(merged.Head.Sha, stage.Success), p.commented(merged.Index, list))
	want[updated.Head.Sha], want[merged.Head.Sha] = stage.Success, stage.Success

	gate.Fault(s.befall)
	newer := p.change(fmt.Sprint("updated-", i), "acme/staging.yaml", p.stagingWith(wrong))
	opened := p.propose(fmt.Sprint("opened-", i), "acme/staging.yaml", p.stagingWith(right(192)))
	p.merge(merged.Index, sdk.MergeStyleMerge)
	want[newer], want[opened.Head.Sha] = stage.Failure, stage.Success
	if silence {
		p.await("somebody to give up", s.deserted)
		gate.Fault(nil)
	} else {
		p.await("the fault", s.done)
	}
	p.await("the list all the same", p.InForce(stage.ShopProd, append(stage.ProdList(), list)...))
	// A host that limits requests, and does not say until when, is left alone for a minute.
	p.must(p.Await(p.ctx, "what is said in the end", 3*patience, all(p.status(newer, stage.Failure, "host-bits"), p.commented(updated.Index, "error[host-bits]"),
		p.status(opened.Head.Sha, stage.Success), p.commented(opened.Index, "Linz office"), p.commented(merged.Index, "in force on `eu-west`"))))
	done, _, err := p.admin.GetPullRequest(p.server.Admin.Name, p.repo, merged.Index)
	p.must(err)
	want[*done.MergedCommitID] = stage.Success
	p.await("the merge commit's status", p.status(*done.MergedCommitID, stage.Success))
}
