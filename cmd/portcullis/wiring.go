package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/metrics"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/source/forge/github"
)

// seedConnection finds the seed as kubectl does.
func seedConnection(kubeconfig string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("find the seed (--kubeconfig, KUBECONFIG, in-cluster): %w", err)
	}
	return config, nil
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apply.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

// wire joins the parts: the seed, the sources, and the Git hosts.
func (o *runOptions) wire(ctx context.Context, seed *rest.Config, config *policy.Config, file *policyFile, dir string, log logr.Logger) (ctrl.Manager, *reconciler, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, nil, err
	}
	if err := o.admitted(ctx, seed, scheme); err != nil {
		return nil, nil, err
	}
	term := o.term()
	mgr, err := o.manager(seed, scheme, term, log)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the seed: %w", err)
	}
	if !o.dryRun && !inCluster() { // in a cluster it is there, and needs no right to make one
		if err := o.ensureNamespace(ctx, seed); err != nil {
			return nil, nil, err
		}
	}
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the seed: %w", err)
	}
	store := apply.NewStore(direct, o.namespace, config.Seed)
	r := &reconciler{config: config, policy: file, dryRun: o.dryRun, log: log, now: time.Now, memory: newCollector()}
	r.store, r.writes, r.recorder = store, store.Writes, metrics.NewRecorder()
	if o.dryRun {
		r.store = readOnly{r.store}
	}
	if r.approvals, err = apply.NewApprovals(ctx, mgr.GetCache(), o.namespace); err != nil {
		return nil, nil, err
	}
	for _, s := range config.Sources {
		f, err := newFollower(s, config, r.store, dir, term, r.recorder, log)
		if err != nil {
			return nil, nil, errors.Join(err, r.close())
		}
		r.sources = append(r.sources, f)
	}
	if r.controller, err = apply.Add(mgr, o.applyOptions(r)); err != nil {
		return nil, nil, errors.Join(err, r.close())
	}
	r.trials = apply.NewTrials(r.controller)
	return mgr, r, errors.Join(o.addOutboxes(mgr, r), o.addMetrics(r, term), o.addHooks(mgr, r, term), o.addConsole(mgr, r, term))
}

// addOutboxes has the checks posted, by the leader alone.
func (o *runOptions) addOutboxes(mgr ctrl.Manager, r *reconciler) error {
	for _, f := range r.sources {
		if f.outbox == nil || o.dryRun {
			continue
		}
		if err := mgr.Add(leading(f.outbox.Run)); err != nil {
			return err
		}
	}
	return nil
}

// ensureNamespace is done by a standby, too: the lease is kept there.
func (o *runOptions) ensureNamespace(ctx context.Context, seed *rest.Config) error {
	direct, err := client.New(seed, client.Options{})
	if err != nil {
		return fmt.Errorf("connect to the seed: %w", err)
	}
	return apply.NewStore(direct, o.namespace, "").EnsureNamespace(ctx)
}

// manager runs what is added to it. Its connection changes nothing on the seed
// but in the term.
func (o *runOptions) manager(seed *rest.Config, scheme *runtime.Scheme, term *tenure, log logr.Logger) (ctrl.Manager, error) {
	end := handover
	cached := apply.CacheOptions()
	apply.CacheApprovals(&cached, o.namespace)
	cached.DefaultWatchErrorHandler = (&refusals{log: log, now: time.Now}).missed
	options := ctrl.Options{
		Scheme: scheme, Cache: cached,
		Metrics:                metricsserver.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress: o.probeAddress, GracefulShutdownTimeout: &end,
		BaseContext: func() context.Context { return term.ctx },
	}
	heed, err := o.elect(&options, seed, term, log)
	if err != nil {
		return nil, err
	}
	connection := rest.CopyConfig(seed)
	connection.Wrap(term.transport)
	if err := apply.WatchQuickly(&options.Cache, connection); err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(connection, options)
	if err != nil {
		return nil, err
	}
	heed(mgr)
	return mgr, errors.Join(addProbes(mgr), keepServices(mgr))
}

func (o *runOptions) applyOptions(r *reconciler) apply.Options {
	return apply.Options{
		Rate: r.config.ApplyRate, DryRun: o.dryRun, Log: r.log.WithName("apply"),
		SeedResource: namespacedName(r.config.SeedResource), Where: whereabouts(r.sources),
		Balancer: r.policy.balancer(),
	}
}

// lastRanges are the Seed's ranges as an earlier process knew them.
func lastRanges(states map[string]apply.SourceState) render.SeedRanges {
	for _, s := range states {
		if s.SeedRanges.Known {
			return s.SeedRanges
		}
	}
	return render.SeedRanges{}
}

func namespacedName(s string) types.NamespacedName {
	namespace, name, _ := strings.Cut(s, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// whereabouts says where a list is kept, for Events that a tenant reads.
func whereabouts(sources []*follower) func(render.Claim) string {
	kept := map[string]string{}
	for _, f := range sources {
		kept[f.conf.Name] = fmt.Sprintf("of %s, branch %s", f.repo.Remote().URL(), f.conf.Branch)
	}
	return func(c render.Claim) string { return c.Path + " " + kept[c.Source] }
}

func newFollower(s policy.Source, config *policy.Config, store stateStore, dir string, term *tenure, recorder *metrics.Recorder, log logr.Logger) (*follower, error) {
	schedule, err := policy.ParseSchedule(config.Schedule)
	if err != nil {
		return nil, err
	}
	verifier, err := newVerifier(s)
	if err != nil {
		return nil, err
	}
	observe := recorder.Requests(s.Name, s.Checks.Forge)
	app, err := newApp(s, observe)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	repo, err := source.Open(sourceOptions(s, app, filepath.Join(dir, s.Name), log.WithName("mirror")))
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	log = log.WithName("source").WithValues("source", s.Name)
	f := &follower{conf: s, cache: render.NewCache(), repo: repo, pacer: source.NewPacer(schedule, rand.Float64), verifier: verifier, log: log, save: store.SaveSource,
		context: "portcullis/" + config.Seed, hooked: make(chan struct{}, 1),
		console: config.Console.URL, detailed: detailed(s),
		judged: map[string]outcome.Judgement{}, waiting: map[string]int{}, between: map[string][]string{},
		owed: map[string][]string{}, arrived: map[string]string{}, said: map[string]outcome.State{}, offered: map[string][]string{}, early: map[string]bool{}, verdicts: map[string]outcome.Verdict{}}
	host, err := newForge(s, app, observe, repo, config, dir, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("source %s: %w", s.Name, err), repo.Close())
	}
	if host != nil {
		if with, able := host.(forge.PullRequests); able {
			f.host = term.comments(with)
		}
		f.outbox = forge.NewOutbox(term.posts(host), f, forge.Options{Log: log.WithName("checks")})
	}
	return f, nil
}

func sourceOptions(s policy.Source, app *github.App, dir string, log logr.Logger) source.Options {
	c := s.Credentials
	return source.Options{Name: s.Name, URL: s.URL, Branch: s.Branch, Path: s.Path, Tenant: s.Tenant, Dir: dir,
		TokenFile: c.TokenFile, Username: c.Username, PasswordFile: c.PasswordFile, Login: login(app),
		SSHKeyFile: c.SSHKeyFile, KnownHostsFile: c.KnownHostsFile, CAFile: c.CAFile, Proxy: c.Proxy,
		InsecureHTTP: s.InsecureHTTP, Pulls: pullRefs(s), Log: log}
}

// pullRefs is where the source's Git host shows pull requests; nowhere if none
// are looked at.
func pullRefs(s policy.Source) source.PullRefs {
	switch {
	case !s.Checks.PullRequests:
		return ""
	case s.Checks.Forge == policy.ForgeGitlab:
		return source.MergeRequests
	}
	return source.PullRequests
}

// close gives back what the reconciler holds.
func (r *reconciler) close() error {
	var errs []error
	for _, f := range r.sources {
		errs = append(errs, f.repo.Close())
	}
	return errors.Join(errs...)
}

// readOnly is the state of a dry run: read, and never written.
type readOnly struct{ stateStore }

func (readOnly) SaveSource(context.Context, apply.SourceState) error            { return nil }
func (readOnly) SaveRetained(context.Context, map[string]render.Retained) error { return nil }
