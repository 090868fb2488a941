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
			"Who did so, and why, is kept there. A commit that will be held once it is merged,\n" +
			"as its pull request says, can be approved up to an hour ahead. Of one that is\n" +
			"accepted already nothing is written.",
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
	state, known := sources[name]
	if !known {
		return fmt.Errorf("no source %q in namespace %s: it has %s", name, o.namespace, strings.Join(sourceNames(sources), ", "))
	}
	done, note := standingOf(state, commit)
	if done {
		_, err = fmt.Fprintf(out, "%s@%s %s\n", name, commit, note)
		return err
	}
	who, err := apply.WhoAmI(ctx, c)
	if err != nil {
		return err
	}
	a := apply.Approval{Source: name, Commit: commit, Reason: o.reason, By: who, At: time.Now().UTC()}
	if why := tooEarly(state, a); why != "" {
		return fmt.Errorf("approve %s: %s", what, why)
	}
	if err := apply.Approve(ctx, c, o.namespace, a); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "approved %s@%s as %s\n", name, commit, who)
	if err == nil && note != "" {
		_, err = fmt.Fprintf(out, "note: it %s\n", note)
	}
	return err
}

// standingOf says of a commit that is to be approved, as far as the state knows
// it, why that is of no use now: for good where nothing of it is left to approve;
// "" where it is of use. What is held instead is named.
func standingOf(s apply.SourceState, commit string) (done bool, why string) {
	for _, h := range s.Holds {
		if h.Commit == commit || s.Accepted == commit { // which goes beyond what the hold is of
			return false, ""
		}
	}
	if s.Held != nil && s.Held.Commit == commit {
		return false, ""
	}
	if s.Held != nil && slices.ContainsFunc(s.Commits, func(r apply.CommitRecord) bool { return r.SHA == commit && r.Held != "" }) {
		return false, "is not the head of the branch any more: what came after it is judged by itself" + instead(s)
	}
	accepted := commit == s.Accepted || slices.ContainsFunc(s.Commits, func(r apply.CommitRecord) bool {
		return r.SHA == commit && r.Held == "" && r.Superseded == ""
	})
	if accepted && len(s.Holds) == 0 {
		return true, "is accepted already, and nothing of it is held" + instead(s)
	}
	return false, "is not held now: the approval counts if it comes to be held within the hour" + instead(s)
}

// tooEarly says why an approval would not count of anything that is held now:
// the clock that dates it is behind. "" where it would.
func tooEarly(s apply.SourceState, a apply.Approval) string {
	var began []time.Time
	if s.Held != nil && s.Held.Commit == a.Commit {
		began = append(began, s.Held.Since)
	}
	for _, h := range s.Holds {
		if h.Commit == a.Commit || s.Accepted == a.Commit {
			began = append(began, h.Since)
		}
	}
	if len(began) == 0 || slices.ContainsFunc(began, func(since time.Time) bool { return timely(a, since) }) {
		return ""
	}
	return fmt.Sprintf("this machine's clock says %s, and the hold began at %s: an approval dated more than an hour before its hold does not count; set the clock right",
		a.At.Format(time.RFC3339), slices.MaxFunc(began, time.Time.Compare).UTC().Format(time.RFC3339))
}

// instead are the lines that approve what is held of a source.
func instead(s apply.SourceState) string {
	var out []string
	if s.Held != nil {
		out = append(out, approveLine(s.Name, s.Held.Commit)+"   # "+s.Held.Reason)
	}
	for _, h := range s.Holds {
		if line := approveLine(s.Name, h.Commit) + "   # " + h.Reason; !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "; what is held:\n  " + strings.Join(out, "\n  ")
}

func sourceNames(sources map[string]apply.SourceState) []string {
	var out []string
	for name := range sources {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
