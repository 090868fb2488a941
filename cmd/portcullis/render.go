package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/report"
)

func renderCommand() *cobra.Command {
	o := &offline{}
	var dir string
	cmd := &cobra.Command{
		Use:   "render [CLUSTER...]",
		Short: "Print the patches that the files mean, one YAML document a cluster",
		Long: "Render prints what would be applied to each cluster that the files name, or to the\n" +
			"given ones. It contacts nothing: clusters that only a selector picks are not known\n" +
			"to it, nor platform ranges that hold in some datacenters only. Without --policy no\n" +
			"platform range and no provider's group is known: then the patches say what they lack.",
		RunE: func(cmd *cobra.Command, clusters []string) error {
			o.progress, o.said = newProgress(cmd.ErrOrStderr(), time.Now), cmd.ErrOrStderr()
			plan, files, p, err := o.load(cmd.Context(), dir, time.Now())
			if err != nil {
				return err
			}
			o.hintFolder(dir, files)
			if seeds := p.SeedNames(); o.seed == "" && len(seeds) > 1 {
				return fmt.Errorf("the policy knows several seeds: choose with --seed %s", strings.Join(seeds, "|"))
			}
			patches := patches{out: cmd.OutOrStdout(), errs: cmd.ErrOrStderr(), platform: p.SeedNames() != nil}
			return patches.print(plan, clusters)
		},
	}
	o.bind(cmd)
	cmd.Flags().StringVarP(&dir, "dir", "C", ".", "folder with the tenants' files")
	return cmd
}

type patches struct {
	out, errs io.Writer
	platform  bool // whether the platform's ranges are known
}

func (p patches) print(plan *render.Plan, only []string) error {
	found := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(plan.Clusters)) {
		w := plan.Clusters[key]
		if len(only) > 0 && !slices.Contains(only, w.Cluster) {
			continue
		}
		found[w.Cluster] = true
		if err := p.one(w); err != nil {
			return err
		}
	}
	for _, id := range only {
		if !found[id] {
			return fmt.Errorf("no file names the cluster %q", id)
		}
	}
	return printErrors(p.errs, plan.Findings)
}

func (p patches) one(w *render.Wanted) error {
	from := fmt.Sprintf("# %s:%d, allowlist %s\n", report.Escape(w.Claim.Path), w.Claim.Line, report.Escape(w.Claim.Name))
	switch {
	case w.Held != nil:
		_, err := fmt.Fprintf(p.out, "---\n%s# %s: nothing new is written: %s\n", from, w.Cluster, report.Escape(w.Held.Message))
		return err
	case w.Access != render.Restricted:
		_, err := fmt.Fprintf(p.out, "---\n%s# %s: access: %s\n", from, w.Cluster, w.Access)
		return err
	}
	if lacks := p.lacks(w); lacks != "" {
		from += "# lacks " + report.Escape(lacks) + ": not known without --policy\n"
	}
	body, err := render.Patch(w.Cluster, w.UID, w.List)
	if err != nil {
		return err
	}
	text, err := yaml.JSONToYAML(body)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "---\n%s%s", from, text)
	return err
}

// lacks says what of the list is the provider's, and known by the policy alone:
// a patch that locks the provider out must not read as if it were whole.
func (p patches) lacks(w *render.Wanted) string {
	var out []string
	for _, e := range w.Unresolved {
		out = append(out, e.Group)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if !p.platform {
		out = append(out, "platform ranges")
	}
	return strings.Join(out, ", ")
}

func printErrors(errs io.Writer, findings []lint.Finding) error {
	failed := false
	for _, f := range findings {
		if f.Severity == lint.Error {
			fmt.Fprint(errs, report.Finding(f, false))
			failed = true
		}
	}
	if failed {
		return errFindings
	}
	return nil
}
