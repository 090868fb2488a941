package main

import (
	"context"
	"errors"
	"fmt"
)

// memory measures what the command holds while there is nothing to do, and
// nothing else: after a first sync and a change of one file, once it has done
// nothing but poll for half a minute, as in a whole run. The bare informer is
// measured beside it.
func (b *bench) memory(ctx context.Context) error {
	if err := b.bare.prepare(ctx, b); err != nil {
		return err
	}
	for round := range b.options.rounds {
		if err := errors.Join(b.memoryRound(ctx, round), b.bareInformer(ctx), b.plane.Compact(ctx)); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	b.tellMemory()
	return nil
}

// memoryRound is one life of an installation.
func (b *bench) memoryRound(ctx context.Context, round int) (err error) {
	p, err := b.newProduct(ctx, round)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := b.firstSync(ctx, p); err != nil {
		return fmt.Errorf("%w; the last that portcullis logged: %s", err, p.lastLines())
	}
	end, err := b.standIn(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(b.fileChange(ctx, p, 0, &changed{}), end()); err != nil {
		return err
	}
	if err := b.settle(ctx, p); err != nil {
		return err
	}
	for i := range b.options.pace.repeats {
		if err := b.rest(ctx, p, i == b.options.pace.repeats-1 && round == b.options.rounds-1); err != nil {
			return err
		}
	}
	return b.noteMemory(p)
}

// noteMemory notes what the command holds now.
func (b *bench) noteMemory(p *product) error {
	used, err := p.usage()
	if err != nil || !used.known {
		return err
	}
	b.series.add("steady resident", used.resident)
	b.series.add("steady anonymous", used.anonymous)
	b.say("at rest: %.0f MiB resident, %.0f anonymous", used.resident, used.anonymous)
	return nil
}
