package main

import (
	"context"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// pollsAtRest is how many polls the command is watched for with nothing changed.
const pollsAtRest = 10

// atRest counts what the command asks of others while nothing changes.
func (b *bench) atRest(ctx context.Context, p *product) error {
	if err := b.settle(ctx, p); err != nil {
		return err
	}
	polls, err := p.awaitPolls(ctx, time.Now(), 1)
	if err != nil {
		return err
	}
	before, err := p.usage()
	if err != nil {
		return err
	}
	from := polls[0].Time
	if polls, err = p.awaitPolls(ctx, from, pollsAtRest+1); err != nil {
		return err
	}
	after, err := p.usage()
	if err != nil {
		return err
	}
	b.usage.add("at rest", after)
	if err := b.tellRest(p, from, polls[pollsAtRest].Time); err != nil || !after.known {
		return err
	}
	spent := milliseconds(after.processor-before.processor) / pollsAtRest
	b.table.value("unchanged: processor time a poll", "ms", []float64{spent}, "")
	return nil
}

// tellRest makes rows of what was asked from one poll until another.
func (b *bench) tellRest(p *product, from, until time.Time) error {
	events, err := b.trail.events(p.User, from, until)
	if err != nil {
		return err
	}
	requests := slices.DeleteFunc(p.requests(from), func(r servers.Request) bool { return !r.Time.Before(until) })
	b.table.promise("unchanged, 10 polls: requests to Git", len(requests), pollsAtRest, gitKinds(requests))
	b.table.promise("unchanged, 10 polls: requests to the API server", len(events), 0, kinds(events))
	b.table.promise("unchanged, 10 polls: writes", len(writes(events)), 0, "")
	return nil
}

// restart ends the command and starts it again, with its mirror and its state.
func (b *bench) restart(ctx context.Context, p *product) error {
	if err := p.Run.Stop(ctx); err != nil {
		return err
	}
	listed, err := b.bare.listAll(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := p.Run.Start(); err != nil {
		return err
	}
	polls, err := p.awaitPolls(ctx, began, 1)
	if err != nil {
		return err
	}
	if err := b.settle(ctx, p); err != nil {
		return err
	}
	events, err := b.trail.events(p.User, began, time.Time{})
	if err != nil {
		return err
	}
	ready := polls[0].Time.Sub(began)
	b.say("restart: %.1fs to the first poll", ready.Seconds())
	b.table.compare("restart: start to first poll", "s", []float64{ready.Seconds()}, []float64{listed.Seconds()})
	b.table.promise("restart: writes to the API server", len(writes(events)), 0, kinds(events))
	requests := p.requests(began)
	b.table.value("restart: requests to Git", "requests", []float64{float64(len(requests))}, gitKinds(requests))
	used, err := p.usage()
	b.usage.add("after a restart", used)
	return err
}
