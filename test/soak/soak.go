package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// soak is one run.
type soak struct {
	*stage.Stage
	*stage.Observer
	options options
	seed    *stage.Seed
	proxy   *servers.APIProxy
	pipe    *stage.Pipe // before the proxy
	metrics string      // address of the command's metrics
	ids     []string
	edition int
	hands   int
	gauge   gauge
}

// patience is how long a commit may take to be everywhere.
const patience = 2 * time.Minute

func newSoak(ctx context.Context, o options, dir string) (*soak, error) {
	seed, err := stage.StartSeed(ctx, servers.ControlPlaneOptions{Services: "10.0.0.0/16"})
	if err != nil {
		return nil, err
	}
	s := &soak{options: o, seed: seed}
	if err := s.furnish(ctx, dir); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *soak) furnish(ctx context.Context, dir string) error {
	var err error
	if s.metrics, err = freeAddress(); err != nil {
		return err
	}
	s.Stage, err = stage.New(ctx, s.seed, stage.Options{Dir: dir, Binary: s.options.binary, HTTP: true, Way: s.way,
		Config: func(d stage.Document) { d["apply"] = map[string]any{"rate": 0} },
		Policy: func(d stage.Document) { d["blastRadius"] = map[string]any{"clusters": 100000, "percent": 100} },
	})
	if err != nil {
		return err
	}
	for i := range s.options.clusters {
		s.ids = append(s.ids, fmt.Sprintf("soak%06d", i))
		if err := s.Create(ctx, stage.Cluster{ID: s.ids[i], Project: stage.AcmeProject}); err != nil {
			return err
		}
	}
	s.Observer, err = stage.Observe(ctx, s.seed.Plane.Config, func(*unstructured.Unstructured) bool { return true })
	return err
}

// way puts proxy and pipe between the command and the API server.
func (s *soak) way(user *rest.Config) (*rest.Config, error) {
	var err error
	if s.proxy, err = servers.StartAPIProxy(user); err != nil {
		return nil, err
	}
	if s.pipe, err = stage.NewPipe(s.proxy.Address()); err != nil {
		return nil, err
	}
	return &rest.Config{Host: "http://" + s.pipe.Address}, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// close ends what was started, and tells what the observer saw.
func (s *soak) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var errs []error
	if s.Observer != nil {
		errs = append(errs, s.Observer.Close(ctx))
	}
	if s.Stage != nil {
		errs = append(errs, s.Stage.Close(ctx))
	}
	if s.pipe != nil {
		errs = append(errs, s.pipe.Cut(), s.proxy.Stop())
	}
	return errors.Join(append(errs, s.seed.Stop())...)
}

// run does the same again and again until the time is up.
func (s *soak) run(ctx context.Context) error {
	if err := s.Run.Start("--metrics-address", s.metrics); err != nil {
		return err
	}
	if err := s.lap(ctx); err != nil { // with the first sync, which is no measure
		return err
	}
	const parts = 10
	var first, last sample
	for i := range parts {
		var err error
		if last, err = s.measure(ctx, time.Now().Add(s.options.duration/parts)); err != nil {
			return err
		}
		what := "between"
		switch i {
		case 0:
			what, first = "start", last
		case parts - 1:
			what = "end"
		}
		fmt.Fprintf(os.Stdout, "%-8s %s\n", what, last)
	}
	return last.grown(first)
}

// measure works until then, in whole laps, and answers what that took.
func (s *soak) measure(ctx context.Context, until time.Time) (sample, error) {
	s.gauge = gauge{}
	s.proxy.Meter.Reset()
	s.HTTP.Meter.Reset()
	for first := true; first || time.Now().Before(until); first = false {
		if err := s.lap(ctx); err != nil {
			return sample{}, err
		}
	}
	return s.sample(ctx)
}

// lap is what happens over and over: commits, drift, and one after the other
// both servers away.
func (s *soak) lap(ctx context.Context) error {
	for _, part := range []func(context.Context) error{
		s.commit, s.drift, s.commit, s.hostAway, s.commit, s.drift, s.commit, s.seedAway, s.commit, s.seed.Plane.Compact,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return s.Faults()
}

// list is that of an edition.
func list(edition int) []string {
	return []string{fmt.Sprintf("203.0.113.%d/32", edition%256), fmt.Sprintf("2001:db8:%x::/48", edition%60000+1), "192.0.2.0/28"}
}

// commit pushes another list for all clusters, and waits until it is there.
func (s *soak) commit(ctx context.Context) error {
	s.edition++
	l := list(s.edition)
	for _, id := range s.ids {
		s.Allow(id, l)
	}
	text := "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: soak}\nspec:\n  seed: eu-west\n  clusters: [" +
		strings.Join(s.ids, ", ") + "]\n  nodeEgress: none\n  entries: [{description: all, cidrs: [\"" + l[0] + "\", \"" + l[1] + "\"]}]\n"
	if _, err := s.Commit(ctx, stage.Commit{Message: fmt.Sprint("Edition ", s.edition), Write: map[string]string{"acme/soak.yaml": text}}); err != nil {
		return err
	}
	if err := s.PushLocally(ctx); err != nil {
		return err
	}
	pushed := time.Now()
	if err := s.everywhere(ctx); err != nil {
		return err
	}
	s.gauge.lags = append(s.gauge.lags, time.Since(pushed))
	only := map[string][][]string{}
	for _, id := range s.ids {
		only[id] = [][]string{l}
	}
	return s.Only(ctx, only)
}

// everywhere waits until all clusters carry the newest list.
func (s *soak) everywhere(ctx context.Context) error {
	return s.Await(ctx, fmt.Sprint("edition ", s.edition), patience, func(context.Context) error {
		if n := s.Carry(list(s.edition)); n < len(s.ids) {
			return fmt.Errorf("%d of %d clusters carry it", n, len(s.ids))
		}
		return nil
	})
}

// drift overwrites a list by hand: each time another cluster's, for more is a
// fight.
func (s *soak) drift(ctx context.Context) error {
	s.gauge.drifts++
	s.hands++
	id := s.ids[s.hands%len(s.ids)]
	s.Announce(id, []string{"0.0.0.0/0"})
	if err := s.Dashboard(ctx, id, "0.0.0.0/0"); err != nil {
		return err
	}
	if err := s.CatchUp(ctx); err != nil {
		return err
	}
	return s.everywhere(ctx)
}

// away is how long a server is.
const away = 3 * time.Second

// hostAway restarts the Git host: what goes through it is cut, and for a while
// it answers with errors.
func (s *soak) hostAway(ctx context.Context) error {
	s.HTTP.Meter.Away()
	defer s.HTTP.Meter.Answer(nil)
	return pause(ctx, away)
}

// seedAway closes the way to the API server for a while.
func (s *soak) seedAway(ctx context.Context) error {
	if err := s.pipe.Cut(); err != nil {
		return err
	}
	return errors.Join(pause(ctx, away), s.pipe.Mend(ctx))
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
