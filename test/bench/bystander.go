package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// asksEvery is how often the other client asks, if it is answered by then.
const asksEvery = 20 * time.Millisecond

// bystander is another client of the API server, who reads one Cluster again
// and again; what is measured is how long it waits.
type bystander struct {
	stop  chan struct{}
	done  sync.WaitGroup
	waits []float64 // milliseconds
	err   error
}

// watchBystander starts one.
func (b *bench) watchBystander(ctx context.Context) *bystander {
	other := &bystander{stop: make(chan struct{})}
	other.done.Go(func() { other.ask(ctx, b.client, b.cluster(b.spare()[1]-1)) })
	return other
}

func (o *bystander) ask(ctx context.Context, c client.Client, name string) {
	again := time.NewTicker(asksEvery)
	defer again.Stop()
	for {
		cluster := &unstructured.Unstructured{}
		cluster.SetAPIVersion("kubermatic.k8c.io/v1")
		cluster.SetKind("Cluster")
		began := time.Now()
		err := c.Get(ctx, client.ObjectKey{Name: name}, cluster)
		if ctx.Err() != nil {
			return
		}
		o.waits, o.err = append(o.waits, milliseconds(time.Since(began))), errors.Join(o.err, err)
		select {
		case <-ctx.Done():
			return
		case <-o.stop:
			return
		case <-again.C:
		}
	}
}

// end is the 99th percentile of its waits, in milliseconds.
func (o *bystander) end() (float64, error) {
	close(o.stop)
	o.done.Wait()
	if len(o.waits) == 0 {
		return 0, errors.Join(o.err, errors.New("the other client was never answered"))
	}
	slices.Sort(o.waits)
	return o.waits[len(o.waits)*99/100], o.err
}

// idleBystander measures another client with nobody else there, several times.
func (b *bench) idleBystander(ctx context.Context) (err error) {
	for range b.options.pace.repeats {
		err = errors.Join(err, b.idleOnce(ctx))
	}
	return err
}

func (b *bench) idleOnce(ctx context.Context) error {
	other := b.watchBystander(ctx)
	select {
	case <-time.After(3 * time.Second):
	case <-ctx.Done():
	}
	p99, err := other.end()
	b.series.add("idle others", p99)
	return errors.Join(err, ctx.Err())
}
