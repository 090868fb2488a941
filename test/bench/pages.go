package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// readers are how many read the pages while all lists change.
const readers = 20

// habit is how readers ask.
type habit struct {
	name string
	wait time.Duration // between an answer and the next question; below zero: nobody asks
}

// alone is without readers. Those who are patient ask again a moment after they
// had their answer, as a page that somebody keeps fresh, or a program that
// watches. Those who are restless ask again at once, which no page does: the
// more they are given, the more they ask for, on the same machine.
var (
	alone    = habit{"alone", -1}
	patient  = habit{"beside readers", time.Second}
	restless = habit{"beside readers without a pause", 0}
)

// readPaths are what readers ask for, in turn: the fleet's first page, what
// somebody looks for in it, and all of it as JSON; and a file that takes no time
// to make, which tells how long the machine lets anybody wait.
var readPaths = []struct{ what, path string }{
	{"fleet page", "/"}, {"fleet as JSON", "/api/v1/status"}, {"fleet page, filtered", "/?state=Synced&q=production-7"}, {"fleet as JSON", "/api/v1/status"}, {"static file", "/static/icon.svg"},
}

// pages changes all lists, again and again: alone, and beside readers of the
// pages. All of a round are close to each other in time, and in turn the first.
func (b *bench) pages(ctx context.Context) (err error) {
	p, err := b.newProduct(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	address, err := freeAddress()
	if err != nil {
		return err
	}
	p.Run.Args = append(p.Run.Args, "--console-address", address)
	if err := b.firstSync(ctx, p); err != nil {
		return fmt.Errorf("%w; the last that portcullis logged: %s", err, p.lastLines())
	}
	edition := 0
	for round := range b.options.rounds {
		habits := []habit{alone, patient, restless}
		for i := range habits {
			edition++
			if err := b.pagesPass(ctx, p, edition, habits[(i+round)%len(habits)], "http://"+address); err != nil {
				return err
			}
		}
		if err := b.plane.Compact(ctx); err != nil {
			return err
		}
	}
	b.tellPages()
	return nil
}

// pagesPass is one change of all lists.
func (b *bench) pagesPass(ctx context.Context, p *product, edition int, h habit, url string) error {
	if err := b.settle(ctx, p); err != nil {
		return err
	}
	policy, err := p.ReadPolicy()
	if err != nil {
		return err
	}
	b.edit(policy, edition)
	end := func() (map[string][]float64, error) { return nil, nil }
	if h.wait >= 0 {
		end = startReaders(ctx, url, h.wait)
	}
	written, began := p.written(), time.Now()
	if err := p.WritePolicy(policy); err != nil {
		_, stopped := end()
		return errors.Join(err, stopped)
	}
	rate, _, err := b.writesAll(ctx, p, began, written+b.n)
	took, err2 := end()
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	b.series.add("lists "+h.name, rate)
	for what, ms := range took {
		name := h.read(what)
		b.series[name] = append(b.series[name], ms...)
	}
	b.say("all lists changed %s: %.0f clusters a second", h.name, rate)
	return nil
}

// read is the series of what one kind of answer took.
func (h habit) read(what string) string { return "read " + what + " " + h.name }

// startReaders has readers ask until the function that it answers is called,
// which answers what each kind of answer took, in milliseconds.
func startReaders(ctx context.Context, url string, wait time.Duration) (end func() (map[string][]float64, error)) {
	ctx, stop := context.WithCancel(ctx)
	var mu sync.Mutex
	took, errs := map[string][]float64{}, []error{}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: readers}}
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				r := readPaths[n%len(readPaths)]
				began := time.Now()
				err := readOnce(ctx, client, url+r.path)
				ms := milliseconds(time.Since(began))
				mu.Lock()
				switch {
				case err == nil:
					took[r.what] = append(took[r.what], ms)
				case ctx.Err() == nil:
					errs = append(errs, err)
				}
				mu.Unlock()
				select {
				case <-time.After(wait):
				case <-ctx.Done():
				}
			}
		})
	}
	return func() (map[string][]float64, error) {
		stop()
		all.Wait()
		client.CloseIdleConnections()
		return took, errors.Join(errs...)
	}
}

// readOnce reads all of an answer.
func readOnce(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("read %s: %w", url, err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return fmt.Errorf("read %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("read %s: %s", url, response.Status)
	}
	return nil
}

// slowest is how long the most patient 5 % had to wait at least.
func slowest(ms []float64) float64 {
	sorted := slices.Sorted(slices.Values(ms))
	return sorted[min(len(sorted)-1, len(sorted)*95/100)]
}

// tellPages makes the rows.
func (b *bench) tellPages() {
	b.tellReaders(patient, "", fmt.Sprintf("%d readers on the same machine, each a second after its last answer", readers))
	b.tellReaders(restless, ", without a pause", fmt.Sprintf("%d readers on the same machine, each as soon as it has its answer: they take what they can get", readers))
}

func (b *bench) tellReaders(h habit, words, note string) {
	b.table.against("the same without readers").atLeast(0.9).note(note).compare("all lists changed beside readers of the pages"+words, "clusters/s", b.series["lists "+h.name], b.series["lists "+alone.name])
	for _, what := range []string{"fleet page", "fleet page, filtered", "fleet as JSON", "static file"} {
		ms := b.series[h.read(what)]
		if len(ms) == 0 {
			continue
		}
		e := b.table.against("")
		if what != "static file" {
			e = b.table.most(200)
		}
		e.value(what+words+" while all lists change: 95 % within", "ms", []float64{slowest(ms)}, fmt.Sprintf("%d answers, half of them within %.1f", len(ms), median(ms)))
	}
}
