package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/portcullis-gitops/portcullis/render/policy"
)

type runOptions struct {
	configFile, kubeconfig, namespace, dataDir string
	leaderElect, dryRun                        bool
	lease                                      time.Duration
	metricsAddress, probeAddress               string
	hooks                                      hookOptions
	console                                    consoleOptions
	registry                                   prometheus.Registerer // that the metrics server shows; nil: nothing of ours is shown
}

func runCommand() *cobra.Command {
	o := &runOptions{registry: ctrlmetrics.Registry}
	cmd := &cobra.Command{
		Use:        "run --config FILE",
		SuggestFor: []string{"sync", "reconcile", "start", "serve"},
		Short:      "Run the reconciler of one seed",
		Long: "Run polls the sources of its Config, applies what their files mean to the seed's\n" +
			"Clusters, sees to it that it stays, and tells each commit how that went. The seed\n" +
			"is found as kubectl does: --kubeconfig, KUBECONFIG, in-cluster. With --dry-run it\n" +
			"says what it would do and writes nothing, neither to the seed nor to Git.\n\n" +
			"With --leader-elect there can be several replicas, each with a --data-dir of its\n" +
			"own. One leads; the others know the seed's clusters and stand by, and one of them\n" +
			"takes over at once from a leader that ends, and when the lease has run out from\n" +
			"one that is lost. The lease is of the namespace: an installation in another one is\n" +
			"noticed by the lists that the two take from each other.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.adapt(cmd)
			return o.run(cmd.Context(), logr.FromSlogHandler(slog.NewJSONHandler(cmd.ErrOrStderr(), nil)))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.configFile, "config", "", "file with the seed's Config (required)")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the seed")
	f.StringVar(&o.namespace, "namespace", "", `namespace of state and lease (default: its own in a cluster, else "portcullis", made if missing)`)
	f.StringVar(&o.dataDir, "data-dir", "", "folder of the mirrors (default: a temporary one)")
	f.BoolVar(&o.leaderElect, "leader-elect", inCluster(), "elect a leader among several replicas (default: in a cluster)")
	f.DurationVar(&o.lease, "leader-elect-lease-duration", usualLease, "how long another replica waits for a leader that is lost: whole seconds")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be done, and write nothing")
	f.StringVar(&o.metricsAddress, "metrics-address", "", `address of the metrics, 0: off (default: :8080 in a cluster, else off)`)
	f.StringVar(&o.probeAddress, "probe-address", "", `address of the probes, 0: off (default: :8081 in a cluster, else off)`)
	o.hooks.flags(f)
	o.console.flags(f)
	_ = cmd.MarkFlagRequired("config")
	return cmd
}

// adapt fills in what depends on where the command runs.
func (o *runOptions) adapt(_ *cobra.Command) {
	inside := inCluster()
	o.metricsAddress = address(o.metricsAddress, inside, ":8080")
	o.probeAddress = address(o.probeAddress, inside, ":8081")
	o.hooks.address = address(o.hooks.address, inside, ":9443")
	o.console.address = address(o.console.address, inside, "127.0.0.1:8082")
	if o.namespace == "" {
		o.namespace = ownNamespace()
	}
}

func address(given string, inside bool, usual string) string {
	switch {
	case given != "":
		return given
	case inside:
		return usual
	}
	return "0"
}

// ownNamespaceFile is where Kubernetes tells a pod its namespace.
const ownNamespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

func inCluster() bool {
	_, err := os.Stat(ownNamespaceFile)
	return err == nil
}

func ownNamespace() string {
	if b, err := os.ReadFile(ownNamespaceFile); err == nil && len(b) > 0 {
		return string(b)
	}
	return "portcullis"
}

// run reads both files, and contacts nobody before they are without fault.
func (o *runOptions) run(ctx context.Context, log logr.Logger) error {
	ctrl.SetLogger(log)
	if err := errors.Join(leaseOf(o.lease).usable(), o.hooks.check()); err != nil {
		return err
	}
	config, file, err := readConfig(o.configFile)
	if err != nil {
		return err
	}
	if err := readableKeys(config); err != nil {
		return err
	}
	for _, what := range o.idle(config) {
		log.Info("This version does not carry out all that was asked for", "setting", what)
	}
	seed, err := o.connection()
	if err != nil {
		return err
	}
	dir, cleanup, err := o.folder()
	if err != nil {
		return err
	}
	defer cleanup()
	mgr, r, err := o.wire(ctx, seed, config, file, dir, log)
	switch {
	case toldToEnd(ctx, err):
		log.Info("Ended while it began")
		return nil
	case err != nil:
		return err
	}
	defer r.close()
	if err := errors.Join(mgr.Add(leading(r.run)), mgr.Add(everywhere(r.memory.giveBack))); err != nil {
		return err
	}
	log.Info("Starting", "version", version, "seed", config.Seed, "sources", len(config.Sources), "dryRun", o.dryRun)
	if err := mgr.Start(ctx); err != nil && !toldToEnd(ctx, err) {
		return fmt.Errorf("reconciler of seed %s: %w", config.Seed, err)
	}
	log.Info("Ended")
	return nil
}

// toldToEnd tells of an error that is no more than a signal, and so a clean end:
// what was under way then was given up.
func toldToEnd(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

// readConfig reads the Config and the Policy that it names, and answers the
// faults of both at once.
func readConfig(path string) (*policy.Config, *policyFile, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("--config: %w", err)
	}
	config, problems := policy.ParseConfig(content)
	if len(problems) > 0 {
		err = &configError{path, problems}
	}
	if config.PolicyFile == "" {
		return nil, nil, err
	}
	config.Resolve(filepath.Dir(path))
	file, policyErr := openPolicy(config.PolicyFile, config)
	if err := errors.Join(err, policyErr); err != nil {
		return nil, nil, err
	}
	return config, file, nil
}

// idle are the settings that this version reads and does not act upon, where
// going on without them is no less safe than not to start.
func (o *runOptions) idle(c *policy.Config) []string {
	var out []string
	add := func(set bool, what string) {
		if set {
			out = append(out, what)
		}
	}
	for _, s := range c.Sources {
		add(s.Checks.PullRequests && !hasPulls(s.Checks.Forge), "Config: sources["+s.Name+"].checks.pullRequests")
		add(s.Checks.WebhookSecretFile != "" && o.hooks.address == "0", "--webhook-address is off; Config: sources["+s.Name+"].checks.webhookSecretFile")
	}
	return out
}

// hasPulls tells whether a kind of Git host has pull requests.
func hasPulls(kind string) bool {
	return kind == policy.ForgeGitea || kind == policy.ForgeGithub || kind == policy.ForgeGitlab
}

func (o *runOptions) connection() (*rest.Config, error) {
	seed, err := seedConnection(o.kubeconfig)
	if err != nil {
		return nil, err
	}
	// Writes to Clusters have a limit of their own, apply.rate; the client's
	// would only make it wait twice.
	seed.QPS, seed.Burst = -1, -1
	seed.UserAgent = "portcullis/" + version
	return seed, nil
}

// folder is where the mirrors are kept; a temporary one goes with the process.
func (o *runOptions) folder() (string, func(), error) {
	if o.dataDir != "" {
		return o.dataDir, func() {}, os.MkdirAll(o.dataDir, 0o700)
	}
	dir, err := os.MkdirTemp("", "portcullis-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// handover is how long a clean end may take.
const handover = 10 * time.Second
