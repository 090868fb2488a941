package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// pollsAtRest is how many polls the command is watched for with nothing
// changed, each time.
const pollsAtRest = 10

// atRest counts what the command asks of others while nothing changes.
func (b *bench) atRest(ctx context.Context, p *product) error {
	if err := b.settle(ctx, p); err != nil {
		return err
	}
	for i := range b.options.pace.repeats {
		if err := b.rest(ctx, p, i == b.options.pace.repeats-1); err != nil {
			return err
		}
	}
	return b.noteMemory(p) // half a minute after the last change
}

func (b *bench) rest(ctx context.Context, p *product, last bool) error {
	polls, err := p.awaitPolls(ctx, time.Now(), 1)
	if err != nil {
		return err
	}
	before, err := p.usage()
	if err != nil {
		return err
	}
	from, servers := polls[0].Time, serversProcessor()
	if polls, err = p.awaitPolls(ctx, from, pollsAtRest+1); err != nil {
		return err
	}
	spent := serversProcessor() - servers
	after, err := p.usage()
	if err != nil {
		return err
	}
	if after.known {
		b.series.add("idle processor", (after.processor-before.processor).Seconds()/pollsAtRest)
		b.series.add("idle servers", spent.Seconds()/pollsAtRest)
	}
	return b.tellRest(p, from, polls[pollsAtRest].Time, last)
}

// tellRest notes what was asked from one poll until another, and makes rows of
// the last.
func (b *bench) tellRest(p *product, from, until time.Time, last bool) error {
	events, err := b.trail.events(p.User, from, until)
	if err != nil {
		return err
	}
	b.series.add("idle requests", float64(len(events))/pollsAtRest)
	if !last {
		return nil
	}
	requests := slices.DeleteFunc(p.requests(from), func(r servers.Request) bool { return !r.Time.Before(until) })
	b.table.promise("unchanged, 10 polls: requests to Git", len(requests), pollsAtRest, gitKinds(requests))
	b.table.promise("unchanged, 10 polls: requests to the API server", len(events), 0, kinds(events))
	b.table.promise("unchanged, 10 polls: writes", len(writes(events)), 0, "")
	return nil
}

// restarts ends the command and starts it again, with its mirror and its state,
// and the bare informer beside it.
func (b *bench) restarts(ctx context.Context, p *product) error {
	for i := range b.options.pace.repeats {
		if err := b.bareInformer(ctx); err != nil {
			return err
		}
		if err := b.restart(ctx, p, i == b.options.pace.repeats-1); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) restart(ctx context.Context, p *product, last bool) error {
	if err := p.Run.Stop(ctx); err != nil {
		return err
	}
	began := time.Now()
	if err := p.Run.Start(); err != nil {
		return err
	}
	ready, err := p.awaitReady(ctx, began)
	if err != nil {
		return err
	}
	polls, err := p.awaitPolls(ctx, began, 1)
	if err != nil {
		return err
	}
	if err := b.settle(ctx, p); err != nil {
		return err
	}
	used, err := p.usage()
	if err != nil {
		return err
	}
	s := b.series
	s.add("restart ready", ready.Seconds())
	s.add("restart poll", polls[0].Time.Sub(began).Seconds())
	if used.known {
		s.add("restart resident", used.resident)
	}
	b.say("restart: %.2fs to ready, %.0f MiB", ready.Seconds(), used.resident)
	return b.tellWrites(p, began, last)
}

func (b *bench) tellWrites(p *product, began time.Time, last bool) error {
	events, err := b.trail.events(p.User, began, time.Time{})
	if err != nil || !last {
		return err
	}
	b.table.promise("restart: writes to the API server", len(writes(events)), 0, kinds(events))
	requests := p.requests(began)
	b.table.value("restart: requests to Git", "requests", []float64{float64(len(requests))}, gitKinds(requests))
	return nil
}

// asksReady is how often the command is asked whether it is ready.
const asksReady = 5 * time.Millisecond

// awaitReady waits until the probe says so, and answers how long that took.
func (p *product) awaitReady(ctx context.Context, began time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for again := time.NewTicker(asksReady); ; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.probes, nil)
		if err != nil {
			return 0, err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return time.Since(began), nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("portcullis did not become ready: %w", context.Cause(ctx))
		case <-again.C:
		}
	}
}

// bareInformer starts one, and looks at its memory once it has come to rest.
func (b *bench) bareInformer(ctx context.Context) error {
	kubeconfig, err := b.kubeconfig("informer")
	if err != nil {
		return err
	}
	watch := newStopwatch() // from the start, as the command's
	i, err := startPeer(ctx, "informer", kubeconfig)
	if err != nil {
		return err
	}
	synced, err := i.ask("sync")
	if err != nil {
		return err
	}
	b.series.add("informer synced", watch.seconds())
	select {
	case <-time.After(b.options.pace.rests):
	case <-ctx.Done():
		return ctx.Err()
	}
	a, err := i.ask("memory")
	if err != nil {
		return err
	}
	if a.Resident > 0 {
		b.series.add("informer anonymous", a.Anonymous)
	}
	b.say("bare informer: %d clusters, %.0f MiB", synced.Count, a.Resident)
	return i.end()
}
