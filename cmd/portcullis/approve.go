package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portcullis-gitops/portcullis/apply"
)

type approveOptions struct{ kubeconfig, namespace, reason string }

func approveCommand() *cobra.Command {
	o := &approveOptions{}
	cmd := &cobra.Command{
		Use:   "approve SOURCE@SHA --reason TEXT",
		Short: "Let what is held up to a commit go ahead",
		Long: "Approve writes to the seed's state that a commit which is held may be followed.\n" +
			"Who did so, and why, is kept there.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the seed")
	f.StringVar(&o.namespace, "namespace", ownNamespace(), "namespace of the reconciler's state")
	f.StringVar(&o.reason, "reason", "", "why; kept with the approval (required)")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

var fullSHA = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

func (o *approveOptions) run(ctx context.Context, out io.Writer, what string) error {
	name, commit, _ := strings.Cut(what, "@")
	if name == "" || !fullSHA.MatchString(commit) {
		return fmt.Errorf("approve %q: want SOURCE@SHA with the commit's full SHA, as the check and `portcullis status` show it", what)
	}
	if strings.TrimSpace(o.reason) == "" {
		return errors.New("--reason is empty: say why, for those who come after")
	}
	c, err := seedClient(o.kubeconfig)
	if err != nil {
		return err
	}
	_, sources, err := apply.LoadAny(ctx, c, o.namespace)
	if err != nil {
		return err
	}
	if _, known := sources[name]; !known {
		return fmt.Errorf("no source %q in namespace %s: it has %s", name, o.namespace, strings.Join(sourceNames(sources), ", "))
	}
	who, err := apply.WhoAmI(ctx, c)
	if err != nil {
		return err
	}
	a := apply.Approval{Source: name, Commit: commit, Reason: o.reason, By: who, At: time.Now().UTC()}
	if err := apply.Approve(ctx, c, o.namespace, a); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "approved %s@%s as %s\n", name, commit, who)
	if s := sources[name]; err == nil && s.Held == nil && len(s.Holds) == 0 {
		_, err = fmt.Fprintf(out, "note: nothing of %s is held at the moment\n", name)
	}
	return err
}

func sourceNames(sources map[string]apply.SourceState) []string {
	var out []string
	for name := range sources {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
