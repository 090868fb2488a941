package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/schema"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [Allowlist|AddressGroup|Config|Policy]",
		Short: "Print the files' JSON Schema, for editors",
		Long: "Schema prints the JSON Schema (2020-12) of one kind of document or, without a name, of\n" +
			"all of them: what a document's kind says decides. Editors complete and explain by it;\n" +
			"`check` knows more, above all of addresses.",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: []string{document.KindAllowlist, document.KindAddressGroup, policy.KindConfig, policy.KindPolicy},
		RunE: func(cmd *cobra.Command, args []string) error {
			kinds, err := documentKinds()
			if err != nil {
				return err
			}
			text, err := schemaOf(kinds, args)
			if err == nil {
				_, err = cmd.OutOrStdout().Write(text)
			}
			return err
		},
	}
}

func schemaOf(kinds []schema.Kind, args []string) ([]byte, error) {
	if len(args) == 0 {
		return schema.Any(kinds)
	}
	var names []string
	for _, k := range kinds {
		if strings.EqualFold(k.Name, args[0]) {
			return schema.JSON(k)
		}
		names = append(names, k.Name)
	}
	return nil, fmt.Errorf("there is no kind %q: it is one of %s", args[0], strings.Join(names, ", "))
}

// documentKinds are all kinds of documents.
func documentKinds() ([]schema.Kind, error) {
	known := schema.Known{"loadBalancers": profile.Names()}
	for _, r := range lint.Rules {
		if _, can := lint.Changeable(r.Name); can {
			known["rules"] = append(known["rules"], r.Name)
		}
	}
	var out []schema.Kind
	for _, k := range []struct {
		name string
		of   func(schema.Known) (*schema.Shape, error)
	}{
		{document.KindAllowlist, schema.Of[document.Allowlist]},
		{document.KindAddressGroup, schema.Of[document.AddressGroup]},
		{policy.KindConfig, schema.Of[policy.ConfigDocument]},
		{policy.KindPolicy, schema.Of[policy.PolicyDocument]},
	} {
		shape, err := k.of(known)
		if err != nil {
			return nil, err
		}
		out = append(out, schema.Kind{Name: k.name, Shape: shape})
	}
	return out, nil
}
