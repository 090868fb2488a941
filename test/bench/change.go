package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// changed is what several changes of one file each took, in milliseconds.
type changed struct{ fromPush, fromPoll, toNote, bare []float64 }

// fileChanges changes one file after the other, with the stand-in for KKP at
// work on their clusters.
func (b *bench) fileChanges(ctx context.Context, p *product) (err error) {
	end, err := b.standIn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	mirror := filepath.Join(b.dir, "mirror.git")
	if err := git(ctx, b.dir, "clone", "--quiet", "--mirror", p.HTTP.CloneURL("allowlists.git"), mirror); err != nil {
		return err
	}
	var took changed
	for i := range b.options.pace.changes {
		if err := b.fileChange(ctx, p, i, &took); err != nil {
			return err
		}
		bare, err := b.bareChange(ctx, mirror, i)
		if err != nil {
			return err
		}
		took.bare = append(took.bare, bare)
		b.say("file %d: %.0f ms from the push, %.0f ms from the poll; bare %.0f ms", i+1, took.fromPush[i], took.fromPoll[i], bare)
	}
	b.series["changed poll"] = took.fromPoll
	b.table.against("git fetch and one apply").compare("one file changed, poll to applied", "ms", took.fromPoll, took.bare)
	b.table.value("one file changed, push to applied", "ms", took.fromPush, "pushed after a poll, so the next one is awaited: a second")
	b.table.value("one file changed, push to check delivered", "ms", took.toNote, "with KKP's stand-in")
	return nil
}

// fileChange changes one file and waits for its commit's check.
func (b *bench) fileChange(ctx context.Context, p *product, i int, took *changed) error {
	if err := b.settle(ctx, p); err != nil {
		return err
	}
	from := time.Now()
	sha, err := p.Push(ctx, stage.Commit{Message: "Let another contractor in", Write: map[string]string{b.path(i): b.file(i, i+1)}})
	if err != nil {
		return err
	}
	pushed := time.Now()
	if err := p.Await(ctx, "the check", patience, p.Noted(sha, stage.Success)); err != nil {
		return err
	}
	if err := b.settle(ctx, p); err != nil {
		return err
	}
	events, err := b.trail.events(p.User, from, time.Time{})
	if err != nil {
		return err
	}
	applied := listWrites(events)
	poll, requests := sawIt(p.requests(from))
	if len(applied) == 0 || len(requests) == 0 {
		return fmt.Errorf("change %s: %s; %s", sha, kinds(events), gitKinds(requests))
	}
	last := applied[len(applied)-1].Time
	took.fromPush = append(took.fromPush, milliseconds(last.Sub(pushed)))
	took.fromPoll = append(took.fromPoll, milliseconds(last.Sub(poll)))
	b.series.add("changed requests", float64(len(events)))
	took.toNote = append(took.toNote, milliseconds(requests[len(requests)-1].Time.Sub(pushed)))
	if i == b.options.pace.changes-1 {
		b.tellChange(events, applied, requests)
	}
	return nil
}

// tellChange makes rows of what one changed file costs.
func (b *bench) tellChange(events, applied []servers.AuditEvent, requests []servers.Request) {
	state := slices.DeleteFunc(writes(events), func(e servers.AuditEvent) bool { return e.ObjectRef.Resource != "configmaps" })
	b.table.promise("one file changed: writes to Clusters", len(applied), 1, "")
	b.table.promise("one file changed: writes to the state", len(state), 3, "")
	b.table.promise("one file changed: all requests to the API server", len(events), 1+3, kinds(events))
	b.table.value("one file changed: requests to Git", "requests", []float64{float64(len(requests))}, gitKinds(requests))
}

// sawIt finds the poll that led to the first fetch, and the requests from it on
// to the last that was no poll.
func sawIt(requests []servers.Request) (poll time.Time, until []servers.Request) {
	fetch := slices.IndexFunc(requests, isFetch)
	first, last := -1, -1
	for i, r := range requests {
		if isPoll(r) && i < fetch {
			first = i
		}
		if !isPoll(r) {
			last = i
		}
	}
	if first < 0 {
		return time.Time{}, nil
	}
	return requests[first].Time, requests[first : last+1]
}

// bareChange fetches what was pushed last, by the git program, and applies to
// one cluster.
func (b *bench) bareChange(ctx context.Context, mirror string, i int) (float64, error) {
	began := time.Now()
	if err := git(ctx, mirror, "fetch", "--quiet", "origin", "refs/heads/main"); err != nil {
		return 0, err
	}
	c := b.spare()[0]
	err := b.bare.apply(ctx, b.cluster(c), b.bare.spare[i%editions][0])
	return milliseconds(time.Since(began)), err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// standIn runs the stand-in for KKP until the function that it answers is
// called; it is at work once each of its clusters has a Service.
func (b *bench) standIn(ctx context.Context) (end func() error, err error) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- kkp.Run(running, b.plane.Config, kkp.WithSeed(seedResource), kkp.WithWorker(worker)) }()
	end = func() error { stop(); return <-ended }
	err = stage.Await(ctx, "the stand-in for KKP", patience, func(ctx context.Context) error {
		var services corev1.ServiceList
		err := b.client.List(ctx, &services, client.MatchingFields{"metadata.name": "front-loadbalancer"})
		if err == nil && len(services.Items) < changes {
			err = fmt.Errorf("%d services are there", len(services.Items))
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return end, nil
}

// git runs the git program. Its words are not in the error: they may hold the
// URL's password.
func git(ctx context.Context, dir string, args ...string) error {
	if err := gitCommand(ctx, dir, args...).Run(); err != nil {
		return fmt.Errorf("git %s: %w", args[0], err)
	}
	return nil
}

// gitCommand is the git program without the settings of who runs this.
func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A tenant's admin", "GIT_AUTHOR_EMAIL=admin@tenant.example", "GIT_COMMITTER_NAME=A tenant's admin", "GIT_COMMITTER_EMAIL=admin@tenant.example")
	return cmd
}
