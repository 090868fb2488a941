package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render/report"
)

type statusOptions struct {
	kubeconfig, namespace, output string
	watch, exitCode               bool
	name                          string // what the command is called
}

func statusCommand() *cobra.Command {
	o := &statusOptions{}
	cmd := &cobra.Command{
		Use:        "status [CLUSTER...]",
		SuggestFor: []string{"list", "get", "ls"},
		Short:      "Show how each cluster of the seed stands",
		Long: "Status reads the seed and the state that the reconciler keeps there, and writes\n" +
			"nothing. A CLUSTER is an ID or a name; without any it shows all that carry a list of\n" +
			"ours, the worst first. With --exit-code it ends with 1 when a cluster is neither Synced\n" +
			"nor Waiting. With --watch it goes on, and shows everything again whenever something is\n" +
			"another, until it is interrupted; what it showed last is what --exit-code then tells.",
		ValidArgsFunction: o.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = cmd.Root().CommandPath()
			return o.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the seed")
	f.StringVar(&o.namespace, "namespace", ownNamespace(), "namespace of the reconciler's state")
	f.StringVarP(&o.output, "output", "o", "", "json, yaml or wide; default: a table of 100 columns")
	offer(cmd, "output", "json", "yaml", "wide")
	f.BoolVarP(&o.watch, "watch", "w", false, "go on, and show everything again when something is another")
	f.BoolVar(&o.exitCode, "exit-code", false, "end with 1 when a cluster is neither Synced nor Waiting")
	return cmd
}

// status is what the command shows, and the pages' API.
type status struct{ console.Status }

type (
	sourceStatus = console.SourceStatus
	hold         = console.Hold
)

func (o *statusOptions) run(ctx context.Context, out io.Writer, only []string) error {
	if !slices.Contains([]string{"", "json", "yaml", "wide"}, o.output) {
		return fmt.Errorf("--output %s: json, yaml or wide", o.output)
	}
	s, err := o.gather(ctx, only, time.Now())
	if err != nil {
		return err
	}
	if err := o.print(out, s); err != nil {
		return err
	}
	if o.watch {
		if s, err = o.follow(ctx, out, only, s); err != nil {
			return err
		}
	}
	if o.exitCode && slices.ContainsFunc(s.Clusters, troubled) {
		return errFindings
	}
	return nil
}

const (
	// between is how long the seed is left alone between two looks, at least.
	between = 2 * time.Second
	// share is how much longer a look has to be away than it took: of a seed with
	// thousands of Clusters it is work.
	share = 10
)

// follow shows everything again whenever it is another, until it is
// interrupted: that is how one ends it, and no failure. A look that fails is
// said, and the next one may go well. It answers what was shown last.
func (o *statusOptions) follow(ctx context.Context, out io.Writer, only []string, shown *status) (*status, error) {
	failed, pause := "", between
	for {
		select {
		case <-ctx.Done():
			return shown, nil
		case <-time.After(pause):
		}
		began := time.Now()
		next, err := o.gather(ctx, only, began)
		pause = max(between, share*time.Since(began))
		switch {
		case ctx.Err() != nil:
			return shown, nil
		case err != nil && err.Error() != failed:
			failed = err.Error()
			fmt.Fprintf(out, "\n%s\n", report.Escape(failed))
		case err == nil && (failed != "" || !next.same(shown)):
			fmt.Fprintln(out)
			if err := o.print(out, next); err != nil {
				return shown, err
			}
			shown, failed = next, ""
		}
	}
}

// same tells whether two looks say the same, age aside.
func (s *status) same(other *status) bool {
	ageless := func(s *status) []sourceStatus {
		out := slices.Clone(s.Sources)
		for i := range out {
			out[i].Age = 0
		}
		return out
	}
	return s.Seed == other.Seed && slices.Equal(ageless(s), ageless(other)) && slices.Equal(s.Clusters, other.Clusters) &&
		slices.Equal(s.Holds, other.Holds) && slices.Equal(s.Notices, other.Notices)
}

func troubled(c apply.Observed) bool { return c.State != apply.Synced && c.State != apply.Waiting }

func (o *statusOptions) gather(ctx context.Context, only []string, now time.Time) (*status, error) {
	c, err := seedClient(o.kubeconfig)
	if err != nil {
		return nil, err
	}
	seed, sources, err := apply.LoadAny(ctx, c, o.namespace)
	if err != nil {
		return nil, err
	}
	observed, err := apply.Observe(ctx, c, sources)
	if err != nil {
		return nil, err
	}
	s := &status{console.NewStatus(seed)}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		s.Add(sources[name], now)
	}
	return s, s.pick(observed, only)
}

// pick takes the clusters that are asked for, by ID or by name; all where none is.
func (s *status) pick(observed []apply.Observed, only []string) error {
	for _, cluster := range observed {
		if len(only) == 0 || slices.Contains(only, cluster.ID) || cluster.Name != "" && slices.Contains(only, cluster.Name) {
			s.Clusters = append(s.Clusters, cluster)
		}
	}
	for _, name := range only {
		if !slices.ContainsFunc(s.Clusters, func(c apply.Observed) bool { return c.ID == name || c.Name == name }) {
			return fmt.Errorf("no list is kept for a cluster %q on seed %s", name, s.Seed)
		}
	}
	return nil
}

func seedClient(kubeconfig string) (client.Client, error) {
	config, err := seedConnection(kubeconfig)
	if err != nil {
		return nil, err
	}
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	return client.New(config, client.Options{Scheme: scheme})
}

// approveLine is what lifts a hold.
func approveLine(source, commit string) string { return console.ApproveLine(source, commit) }

func (o *statusOptions) print(out io.Writer, s *status) error {
	switch o.output {
	case "json":
		return report.WriteJSON(out, s)
	case "yaml":
		return writeYAML(out, s)
	}
	return s.table(out, tableOptions{wide: o.output == "wide", name: o.name}, time.Now())
}

// writeYAML writes a value as YAML. What a terminal may act on and the library
// leaves as it is, such as what turns the direction of text, is escaped: within
// double quotes it is read as it was, in a plain value as it is shown.
func writeYAML(out io.Writer, doc any) error {
	var b bytes.Buffer
	if err := report.WriteJSON(&b, doc); err != nil {
		return err
	}
	text, err := yaml.JSONToYAML(b.Bytes()) // of escaped text: yaml.Marshal fails at the rest of the control characters
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Fprintln(out, report.Escape(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}

// complete offers the clusters that are shown, with their names. A seed that does
// not answer offers none.
func (o *statusOptions) complete(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	s, err := o.gather(cmd.Context(), nil, time.Now())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, c := range s.Clusters {
		if !slices.Contains(args, c.ID) {
			out = append(out, cobra.CompletionWithDesc(report.Escape(c.ID), report.Escape(c.Name)))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
