package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// forAll is how long the command may take to write every cluster.
func (b *bench) forAll() time.Duration {
	return patience + time.Duration(b.n)*100*time.Millisecond
}

// firstSync starts the command where no cluster has a list.
func (b *bench) firstSync(ctx context.Context, p *product) error {
	if err := b.reset(ctx, b.all()); err != nil {
		return err
	}
	began, servers := time.Now(), serversProcessor()
	if err := p.Run.Start(); err != nil {
		return err
	}
	rate, span, err := b.writesAll(ctx, p, began, b.n)
	if err != nil {
		return err
	}
	servers = serversProcessor() - servers
	used, err := p.usage()
	if err != nil {
		return err
	}
	total, before := float64(b.n)/span.last.Sub(began).Seconds(), span.first.Sub(began).Seconds()
	b.say("first sync: %.0f clusters a second from the first write, %.0f from the start; %.1fs to the first write, %.1fs of processor time",
		rate, total, before, used.processor.Seconds())
	s := b.series
	s.add("first rate", rate)
	s.add("first total", total)
	s.add("first before", before)
	s.add("first processor", used.processor.Seconds())
	s.add("first servers", servers.Seconds())
	return errors.Join(b.settle(ctx, p), b.verify(ctx))
}

// verify fails unless each cluster has the list that the bare loop gave it, and
// the command owns it: both did the same work.
func (b *bench) verify(ctx context.Context) error {
	found, err := b.list(ctx)
	if err != nil {
		return err
	}
	lists := map[string][]string{}
	for _, c := range found {
		owned := slices.ContainsFunc(c.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool {
			return e.Manager == render.FieldManager && e.Operation == metav1.ManagedFieldsOperationApply
		})
		if owned {
			lists[c.GetName()], _ = kkp.List(&c)
		}
	}
	for i, want := range b.bare.lists {
		if got := lists[b.cluster(i)]; !slices.Equal(got, want) {
			return fmt.Errorf("portcullis wrote %q to %s, the bare loop %q", got, b.cluster(i), want)
		}
	}
	return nil
}

// policyChange gives every list another range of the provider's.
func (b *bench) policyChange(ctx context.Context, p *product) error {
	policy, err := p.ReadPolicy()
	if err != nil {
		return err
	}
	b.edit(policy, 1)
	written, began, other := p.written(), time.Now(), b.watchBystander(ctx)
	if err := p.WritePolicy(policy); err != nil {
		return err
	}
	rate, _, err := b.writesAll(ctx, p, began, written+b.n)
	p99, err2 := other.end()
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	b.say("policy change: %.0f clusters a second; another client waits up to %.1f ms", rate, p99)
	b.series.add("update rate", rate)
	b.series.add("update others", p99)
	return nil
}

// writesAll waits until the command has said that it wrote so many lists, and
// answers how fast it wrote each cluster's since a moment, and when.
func (b *bench) writesAll(ctx context.Context, p *product, since time.Time, said int) (rate float64, s span, err error) {
	if err := p.Await(ctx, "all lists", b.forAll(), p.wrote(said)); err != nil {
		return 0, s, err
	}
	events, err := b.trail.events(p.User, since, time.Time{})
	if err != nil {
		return 0, s, err
	}
	events = listWrites(events)
	if rate, err = perSecond(events, b.n); err != nil {
		return 0, s, err
	}
	return rate, span{events[0].Time, events[len(events)-1].Time}, nil
}

// span is from the first write to the last.
type span struct{ first, last time.Time }
