package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/report"
)

type explainOptions struct {
	offline
	dir, output string
}

func explainCommand() *cobra.Command {
	o := &explainOptions{}
	cmd := &cobra.Command{
		Use:     "explain CLUSTER ADDRESS",
		Aliases: []string{"why"},
		Short:   "Tell whether a cluster lets an address in, by which entry, until when",
		Long: "Explain tells whether the files let an address, or all of a prefix, in to the\n" +
			"cluster with that ID: by which entries, and until when; or which entry is nearest.\n" +
			"Without --live it contacts nothing, and knows neither which clusters a selector\n" +
			"picks nor the ranges that KKP adds. With it CLUSTER may be a name, too.\n\n" +
			"Exit code: 0 let in, 1 not let in, 2 cannot tell, or could not run.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			prefix, err := meaning.ParseAddress(args[1])
			if _, swapped := meaning.ParseAddress(args[0]); err != nil && swapped == nil {
				return fmt.Errorf("the cluster comes first: %s %s %s", cmd.CommandPath(), args[1], args[0])
			}
			if err != nil {
				return err
			}
			o.progress, o.said = newProgress(cmd.ErrOrStderr(), time.Now), cmd.ErrOrStderr()
			return o.run(cmd.Context(), args[0], prefix, cmd.OutOrStdout(), time.Now())
		},
	}
	o.bind(cmd)
	o.bindLive(cmd)
	cmd.Flags().StringVarP(&o.dir, "dir", "C", ".", "folder with the tenants' files")
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	offer(cmd, "output", "text", "json")
	return cmd
}

func (o *explainOptions) run(ctx context.Context, cluster string, prefix netip.Prefix, out io.Writer, now time.Time) error {
	if o.output != "text" && o.output != "json" {
		return fmt.Errorf("--output %s: text or json", o.output)
	}
	p, err := o.readPolicy()
	if err != nil {
		return err
	}
	defer o.progress.end()
	files, err := readTree(ctx, o.dir, o.tenant, o.progress)
	if err != nil {
		return err
	}
	inventory, seed, err := o.inventory(ctx, p, files)
	if err != nil {
		return err
	}
	o.progress.end()
	o.hintFolder(o.dir, files)
	if cluster, err = clusterOf(inventory, cluster); err != nil {
		return err
	}
	side := meaning.Alone(meaning.Trees{After: files, Policy: p, Inventory: inventory, Seed: seed, Now: now})
	answers := meaning.Explain(meaning.Question{Cluster: cluster, Prefix: prefix, Side: side, Policy: p, Inventory: inventory, Now: now})
	write := report.ExplainText
	if o.output == "json" {
		write = report.ExplainJSON
	}
	if err := write(out, answers); err != nil {
		return err
	}
	return exitOf(cluster, answers)
}

// clusterOf is the ID of the cluster that is meant: said is its ID, or, where a seed
// was asked, its name. Names are not unique, and an ID is nobody else's name.
func clusterOf(inventory render.Inventory, said string) (string, error) {
	if _, is := inventory.Clusters[said]; is {
		return said, nil
	}
	var named []string
	for id, c := range inventory.Clusters {
		if c.Name == said {
			named = append(named, id)
		}
	}
	switch len(named) {
	case 0:
		return said, nil // a list may name it all the same
	case 1:
		return named[0], nil
	}
	slices.Sort(named)
	return "", fmt.Errorf("%d clusters are called %q: say which by its ID, %s", len(named), said, strings.Join(named, ", "))
}

// exitOf is the answer as the command ends with it: one that cannot be told
// weighs more than one that is no, and that more than yes.
func exitOf(cluster string, answers []meaning.Answer) error {
	out := false
	for _, a := range answers {
		if a.Verdict == meaning.CannotTell {
			return fmt.Errorf("cannot tell of cluster %q", cluster)
		}
		out = out || a.Verdict == meaning.Out
	}
	if out {
		return errFindings
	}
	return nil
}
