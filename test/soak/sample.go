package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// gauge gathers what is seen from outside while work goes on.
type gauge struct {
	lags   []time.Duration
	drifts int
}

// sample is how the command stands after a while of work.
type sample struct {
	memory, heap float64 // MiB
	goroutines   float64
	// requests are a commit's, over all that happened besides it.
	toSeed, toGit float64
	commits       int
	lag, longest  time.Duration // median, and the longest
}

func (s sample) String() string {
	return fmt.Sprintf("%d commits: memory %.1f MiB, heap %.1f MiB, %.0f goroutines, %.1f requests a commit to the API server, %.1f to Git, lag %.2fs (longest %.2fs)",
		s.commits, s.memory, s.heap, s.goroutines, s.toSeed, s.toGit, s.lag.Seconds(), s.longest.Seconds())
}

// grown fails where the command has become larger than the work can explain.
func (s sample) grown(from sample) error {
	var errs []error
	if limit := from.memory*1.5 + moreMemory; s.memory > limit {
		errs = append(errs, fmt.Errorf("memory went from %.1f to %.1f MiB, beyond %.1f", from.memory, s.memory, limit))
	}
	if limit := from.goroutines + moreGoroutines; s.goroutines > limit {
		errs = append(errs, fmt.Errorf("goroutines went from %.0f to %.0f, beyond %.0f", from.goroutines, s.goroutines, limit))
	}
	return errors.Join(errs...)
}

func (s *soak) sample(ctx context.Context) (sample, error) {
	values, err := scrape(ctx, "http://"+s.metrics+"/metrics")
	if err != nil {
		return sample{}, err
	}
	const mebi = 1 << 20
	commits := float64(len(s.gauge.lags))
	lags := slices.Sorted(slices.Values(s.gauge.lags))
	notOurs := func(r servers.Request) bool { return !strings.HasPrefix(r.UserAgent, "git/2.") }
	return sample{
		memory: values["process_resident_memory_bytes"] / mebi, heap: values["go_memstats_heap_inuse_bytes"] / mebi,
		goroutines: values["go_goroutines"],
		toSeed:     float64(s.proxy.Meter.Count(nil)) / commits, toGit: float64(s.HTTP.Meter.Count(notOurs)) / commits,
		commits: len(lags), lag: lags[len(lags)/2], longest: lags[len(lags)-1],
	}, nil
}

// scrape reads metrics without labels.
func scrape(ctx context.Context, url string) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read the metrics: %w", err)
	}
	defer response.Body.Close()
	values := parse(response.Body)
	for _, name := range []string{"process_resident_memory_bytes", "go_memstats_heap_inuse_bytes", "go_goroutines"} {
		if values[name] == 0 {
			return nil, fmt.Errorf("read the metrics: there is no %s", name)
		}
	}
	return values, nil
}

// parse reads the text format of Prometheus, as far as lines have no labels.
func parse(r io.Reader) map[string]float64 {
	out := map[string]float64{}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		name, value, found := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); found && err == nil {
			out[name] = n
		}
	}
	return out
}
