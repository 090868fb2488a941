// Command portcullis keeps the API-server allowlists of KKP user clusters in
// Git. `portcullis run` is the reconciler of one seed; the other subcommands
// are for people and their pipelines.
//
// Exit codes: 0 fine; 1 findings of severity error, or the answer is no; 2 it
// could not run, usage included.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/portcullis-gitops/portcullis/render/report"
)

// version is set by the linker.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	name, args := invoked(os.Args)
	os.Exit(executeAs(ctx, name, args, os.Stdout, os.Stderr))
}

// errFindings ends a command whose answer is no. What there is to say has been
// said by then.
var errFindings = errors.New("findings of severity error")

// execute runs the command under its own name and answers its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return executeAs(ctx, ownName, args, stdout, stderr)
}

// executeAs runs the command, as it is called, and answers its exit code.
func executeAs(ctx context.Context, name string, args []string, stdout, stderr io.Writer) int {
	root, called := rootCommand(), false
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: name}
	for _, c := range root.Commands() {
		run := c.RunE
		c.RunE = func(cmd *cobra.Command, args []string) error {
			called = true
			return run(cmd, args)
		}
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFindings):
		return 1
	}
	fmt.Fprintf(stderr, "portcullis: %s\n", printable(err))
	next := hint(err)
	if !called { // flags or arguments are wrong
		next = usageHint(cmd)
	}
	if next != "" {
		fmt.Fprintf(stderr, "hint: %s\n", next)
	}
	return 2
}

// printable is an error without what a terminal would act on: names of files are
// in it. What is several errors is a line each.
func printable(err error) string {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, e := range several.Unwrap() {
			lines = append(lines, printable(e))
		}
		return strings.Join(lines, "\n")
	}
	if c := (*configError)(nil); errors.As(err, &c) { // lines, escaped one by one
		return err.Error()
	}
	return report.Escape(err.Error())
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           ownName,
		Short:         "API-server allowlists of KKP user clusters, from Git",
		Long:          "Portcullis keeps the API-server allowlists of KKP user clusters in Git: files are\nchecked, their meaning is shown, and a reconciler in each seed applies them.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		Version:       version,

		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate(ownName + " {{.Version}}\n") // as `version` says it
	root.AddCommand(importCommand(), schemaCommand(), completionCommand())
	root.AddCommand(diffCommand(), explainCommand())
	root.AddCommand(checkCommand(), renderCommand(), runCommand(), statusCommand(), approveCommand(), versionCommand(), applyCommand())
	return root
}

// noSuchCommand says what is meant instead of what was typed, where that is
// known.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	near := ""
	if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
		near = fmt.Sprintf("; did you mean %s?", names[0])
	}
	return fmt.Errorf("unknown command %q%s", args[0], near)
}

// applyCommand is what hands that know kubectl will type.
func applyCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "apply",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("there is nothing to apply by hand: the files are not objects of Kubernetes; push them, and the seed's `portcullis run` applies what they mean")
		},
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "portcullis", version)
			return err
		},
	}
}
