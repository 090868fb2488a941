package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"time"

	"github.com/spf13/cobra"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/report"
)

type checkOptions struct {
	offline
	strict bool
	output string
	dir    string
}

func checkCommand() *cobra.Command {
	o := &checkOptions{}
	cmd := &cobra.Command{
		Use:        "check [DIR]",
		SuggestFor: []string{"validate", "lint", "verify", "test"},
		Short:      "Validate a folder of tenants' files",
		Long: "Check validates the files below DIR (default: the current folder), in which each\n" +
			"folder is a tenant, or all of it one tenant's with --tenant. It contacts nothing\n" +
			"but, with --live, a seed, which it reads; and ends with what could not be checked.\n\n" +
			"Exit code: 0 fine, 1 findings of severity error (with --strict: any), 2 could not run.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.progress, o.said = newProgress(cmd.ErrOrStderr(), time.Now), cmd.ErrOrStderr()
			dir, err := folder(args, o.dir)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), dir, cmd.OutOrStdout())
		},
	}
	o.bind(cmd)
	o.bindLive(cmd)
	cmd.Flags().StringVarP(&o.dir, "dir", "C", "", "the same as DIR")
	cmd.Flags().BoolVar(&o.strict, "strict", false, "let warnings fail the check")
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text, json or sarif")
	offer(cmd, "output", "text", "json", "sarif")
	return cmd
}

// folder is DIR, said in either way.
func folder(args []string, flag string) (string, error) {
	switch {
	case len(args) > 0 && flag != "":
		return "", errors.New("DIR and -C are the same: give one of them")
	case len(args) > 0:
		return args[0], nil
	case flag != "":
		return flag, nil
	}
	return ".", nil
}

func (o *checkOptions) run(ctx context.Context, dir string, out io.Writer) error {
	if o.output != "text" && o.output != "json" && o.output != "sarif" {
		return fmt.Errorf("--output %s: text, json or sarif", o.output)
	}
	plan, files, _, err := o.load(ctx, dir, time.Now())
	if err != nil {
		return err
	}
	result := report.Result{Findings: plan.Findings, NotChecked: o.notChecked(), Summary: summarize(files)}
	result.Count()
	err = o.print(out, result)
	o.hintFolder(dir, files)
	if err == nil && (result.Summary.Errors > 0 || o.strict && result.Summary.Warnings > 0) {
		return errFindings
	}
	return err
}

// print writes the result as it was asked for; to a terminal with the lines
// that findings point at.
func (o *checkOptions) print(out io.Writer, result report.Result) error {
	switch {
	case o.output == "json":
		return report.JSON(out, result)
	case o.output == "sarif":
		return report.SARIF(out, result, version)
	case terminal(out):
		return report.Terminal(out, result, colourful(out), newExcerpts().line)
	}
	return report.Text(out, result, colourful(out))
}

// summarize counts. What stands in a stray file, which is not read, is no list.
func summarize(files []render.File) report.Summary {
	s := report.Summary{Files: len(files)}
	clusters := map[string]bool{}
	for _, f := range files {
		if ext := path.Ext(f.Path); f.Tenant == "" || ext != ".yaml" && ext != ".yml" {
			continue
		}
		s.Allowlists += len(f.Parsed.Allowlists)
		for _, a := range f.Parsed.Allowlists {
			for _, c := range a.Spec.Clusters.Items {
				name := c.V
				if name == "" { // no string: its place stands for it
					name = f.Path + ":" + c.Pos.String()
				}
				clusters[name] = true
			}
		}
	}
	s.Clusters = len(clusters)
	return s
}

// colourful tells whether out is a terminal whose user has nothing against
// colour (no-color.org).
func colourful(out io.Writer) bool {
	return terminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func terminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
