package main

import (
	"context"
	"fmt"
	"net"
	"slices"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// consoleOptions are where the pages are served.
type consoleOptions struct{ address string }

func (o *consoleOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.address, "console-address", "", `address of the pages, 0: off (default: 127.0.0.1:8082 in a cluster, else off); whoever reaches it sees everything, unless the Config's console limits that`)
}

// addConsole has the pages served, by every replica.
func (o *runOptions) addConsole(mgr ctrl.Manager, r *reconciler, term *tenure) error {
	if o.console.address == "0" {
		return nil
	}
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return fmt.Errorf("connect to the seed for the pages: %w", err)
	}
	by := &standby{r: r, store: apply.NewStore(direct, o.namespace, r.config.Seed)}
	handler := console.New(console.Options{Config: r.config, Stamp: func() any { return r.stamp(term.leads, by) }, World: func() console.World { return r.world(by) },
		Look: r.controller.Look, Git: mirrors{r}, Now: r.now, Log: r.log.WithName("console")})
	err = mgr.Add(everywhere(func(ctx context.Context) error { return serveConsole(ctx, o.console.address, handler, r.log) }))
	if err != nil {
		return fmt.Errorf("serve the pages: %w", err)
	}
	return nil
}

func serveConsole(ctx context.Context, address string, handler *console.Handler, log logr.Logger) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for the pages: %w", err)
	}
	log.Info("Serving the pages", "address", "http://"+listener.Addr().String())
	return console.Serve(ctx, listener, handler)
}

// stamp is the glance that the loop left last; where this replica does not lead,
// what it read of the state last, which a new leader shows too until its loop has
// been through. Nil where there is neither.
func (r *reconciler) stamp(leads func() error, s *standby) any {
	w := s.last.Load()
	if leads() != nil {
		w = s.current()
	} else if g := r.glance.Load(); g != nil {
		return g
	}
	if w == nil {
		return nil
	}
	return w
}

// world is the reconciler as the pages show it: after a stamp, there is one.
func (r *reconciler) world(s *standby) console.World {
	g := r.glance.Load()
	if g == nil {
		return *s.last.Load()
	}
	w := console.World{Version: version, Seed: r.config.Seed, Plan: g.plan, Policy: g.policy, Inventory: g.inventory,
		States: r.controller.States(), Notices: r.controller.Notices(), PolicyStale: g.stale}
	var files [][]render.File
	for i, f := range r.sources {
		w.Sources = append(w.Sources, console.Source{Conf: f.conf, State: g.sources[i].State, Head: g.sources[i].Head})
		files = append(files, g.files[i])
	}
	for _, s := range g.gone {
		w.Sources = append(w.Sources, console.Source{Conf: policy.Source{Name: s.Name}, State: s.State, Gone: true})
	}
	w.Files = slices.Concat(files...)
	return w
}
