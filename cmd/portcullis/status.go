package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render/report"
)

type statusOptions struct {
	kubeconfig, namespace, output string
	watch, exitCode               bool
}

func statusCommand() *cobra.Command {
	o := &statusOptions{}
	cmd := &cobra.Command{
		Use:   "status [CLUSTER...]",
		Short: "Show how each cluster of the seed stands",
		Long: "Status reads the seed and the state that the reconciler keeps there, and writes\n" +
			"nothing. With --exit-code it ends with 1 when a cluster is neither Synced nor Waiting.\n" +
			"With --watch it goes on, and shows everything again whenever something is another.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the seed")
	f.StringVar(&o.namespace, "namespace", ownNamespace(), "namespace of the reconciler's state")
	f.StringVarP(&o.output, "output", "o", "", "json, yaml or wide; default: a table of 100 columns")
	f.BoolVarP(&o.watch, "watch", "w", false, "go on, and show everything again when something is another")
	f.BoolVar(&o.exitCode, "exit-code", false, "end with 1 when a cluster is neither Synced nor Waiting")
	return cmd
}

// status is what the command shows.
type status struct {
	Seed     string           `json:"seed"`
	Sources  []sourceStatus   `json:"sources"`
	Clusters []apply.Observed `json:"clusters"`
	Holds    []hold           `json:"holds"`
	// Notices are what is to be known of the seed as a whole.
	Notices []string `json:"notices"`
}

type sourceStatus struct {
	Name     string `json:"name"`
	Accepted string `json:"accepted"`
	Head     string `json:"head"`
	// Age is how long ago the accepted commit was taken up, in seconds.
	Age int64 `json:"age"`
}

type hold struct {
	Source  string `json:"source"`
	Tenant  string `json:"tenant,omitempty"` // where one tenant's lists are held
	Commit  string `json:"commit"`
	Reason  string `json:"reason"`
	Approve string `json:"approve"`
}

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
		return o.follow(ctx, out, only, s)
	}
	if o.exitCode && slices.ContainsFunc(s.Clusters, troubled) {
		return errFindings
	}
	return nil
}

// between is how long the seed is left alone between two looks.
const between = 2 * time.Second

// follow shows everything again whenever it is another, until it is
// interrupted: that is how one ends it, and no failure. A look that fails is
// said, and the next one may go well.
func (o *statusOptions) follow(ctx context.Context, out io.Writer, only []string, shown *status) error {
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	failed := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		next, err := o.gather(ctx, only, time.Now())
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && err.Error() != failed:
			failed = err.Error()
			fmt.Fprintf(out, "\n%s\n", failed)
		case err == nil && (failed != "" || !next.same(shown)):
			fmt.Fprintln(out)
			if err := o.print(out, next); err != nil {
				return err
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
	s := &status{Seed: seed, Sources: []sourceStatus{}, Clusters: []apply.Observed{}, Holds: []hold{}, Notices: []string{}}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		s.add(sources[name], now)
	}
	for _, cluster := range observed {
		if len(only) == 0 || slices.Contains(only, cluster.ID) {
			s.Clusters = append(s.Clusters, cluster)
		}
	}
	for _, id := range only {
		if !slices.ContainsFunc(s.Clusters, func(c apply.Observed) bool { return c.ID == id }) {
			return nil, fmt.Errorf("no list is kept for a cluster %q on seed %s", id, seed)
		}
	}
	return s, nil
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

func (s *status) add(state apply.SourceState, now time.Time) {
	entry := sourceStatus{Name: state.Name, Accepted: state.Accepted, Head: state.Accepted}
	if !state.Since.IsZero() {
		entry.Age = int64(now.Sub(state.Since).Seconds())
	}
	if h := state.Held; h != nil {
		entry.Head = h.Commit
		s.Holds = append(s.Holds, hold{Source: state.Name, Commit: h.Commit, Reason: h.Reason, Approve: approveLine(state.Name, h.Commit)})
	}
	for _, h := range state.Holds {
		s.Holds = append(s.Holds, hold{state.Name, h.Tenant, h.Commit, h.Reason, approveLine(state.Name, h.Commit)})
	}
	s.Sources = append(s.Sources, entry)
	for _, notice := range state.Notices { // the same ones of each source
		if !slices.Contains(s.Notices, notice) {
			s.Notices = append(s.Notices, notice)
		}
	}
}

// approveLine is what lifts a hold.
func approveLine(source, commit string) string {
	return fmt.Sprintf("portcullis approve %s@%s --reason ...", source, commit)
}

func (o *statusOptions) print(out io.Writer, s *status) error {
	switch o.output {
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(s)
	case "yaml":
		text, err := yaml.Marshal(s)
		if err == nil {
			_, err = out.Write(text)
		}
		return err
	}
	return s.table(out, o.output == "wide", time.Now())
}

// table shows the worst first.
func (s *status) table(out io.Writer, wide bool, now time.Time) error {
	for _, src := range s.Sources {
		fmt.Fprintf(out, "source %s at %s\n", src.Name, shown(src.Accepted, wide))
	}
	for _, h := range s.Holds {
		fmt.Fprintf(out, "HELD %s@%s: %s\n     %s\n", h.Source, shown(h.Commit, wide), report.Escape(h.Reason), h.Approve)
	}
	rows := slices.Clone(s.Clusters)
	slices.SortStableFunc(rows, func(a, b apply.Observed) int { return cmp.Compare(badness(a.State), badness(b.State)) })
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CLUSTER\tTENANT\tSTATE\tREVISION\tAGE\tMESSAGE")
	for _, c := range rows {
		title, message := c.ID, c.Message
		if c.Name != "" {
			title = c.Name + " (" + c.ID + ")"
		}
		if !wide {
			title, message = cut(title, 34), cut(message, 26)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", report.Escape(title), report.Escape(c.Tenant), c.State,
			shown(c.Revision, wide), age(c.Since, now), report.Escape(message))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, notice := range s.Notices {
		fmt.Fprintf(out, "note: %s\n", report.Escape(notice))
	}
	return nil
}

func shown(commit string, wide bool) string {
	if wide {
		return commit
	}
	return commit[:min(len(commit), 7)]
}

// badness orders states, the worst first.
func badness(s apply.State) int {
	order := []apply.State{apply.Contested, apply.Rejected, apply.Missing, apply.Held, apply.Pending, apply.Applied, apply.Waiting, apply.Synced}
	return slices.Index(order, s)
}

func age(since, now time.Time) string {
	if since.IsZero() {
		return "-"
	}
	d := now.Sub(since)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
