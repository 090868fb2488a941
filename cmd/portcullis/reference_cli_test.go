package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// cliPage is what the commands say of themselves.
func cliPage(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	root := rootCommand()
	fmt.Fprintf(&b, "# Commands\n\n%s\n\n", root.Long)
	b.WriteString("Exit codes: 0 fine; 1 findings of severity error, or the answer is no; 2 it could not run, usage included.\n\n")
	b.WriteString("A seed is found as kubectl does: `--kubeconfig`, `KUBECONFIG`, in-cluster. Colour is for terminals, without `NO_COLOR`.\n")
	for _, c := range root.Commands() {
		if !c.Hidden && c.Name() != "help" {
			commandText(&b, c)
		}
	}
	return b.String()
}

func commandText(b *strings.Builder, c *cobra.Command) {
	about := c.Long
	if about == "" {
		about = c.Short + "."
	}
	fmt.Fprintf(b, "\n## portcullis %s\n\n```console\nportcullis %s\n```\n\n%s\n", c.Name(), c.Use, paragraphs(about))
	if len(c.Aliases) > 0 {
		fmt.Fprintf(b, "\nAlso: `portcullis %s`.\n", strings.Join(c.Aliases, "`, `portcullis "))
	}
	if !c.LocalFlags().HasAvailableFlags() {
		return
	}
	b.WriteString("\n| flag | default | |\n|---|---|---|\n")
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", strings.TrimSpace(name+" "+kind), code(plainDefault(f)), cell(usage))
	})
}

var indented = regexp.MustCompile(`(?m)^  (\S)`)

// paragraphs puts indented lines, which are examples, into a block of code.
func paragraphs(text string) string {
	parts := strings.Split(cellText(text), "\n\n")
	for i, p := range parts {
		if indented.MatchString(p) && strings.HasPrefix(p, "  ") {
			parts[i] = "```\n" + p + "\n```"
		}
	}
	return strings.Join(parts, "\n\n")
}

func cellText(s string) string { return strings.TrimRight(s, "\n") }

// plainDefault is a flag's default where it says something, and does not
// depend on the machine.
func plainDefault(f *pflag.Flag) string {
	switch f.DefValue {
	case "false", "", "[]", "0", "0s":
		return ""
	}
	if f.Name == "namespace" {
		return "portcullis"
	}
	return f.DefValue
}
