package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/schema"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// fieldsPage has a table for each kind, a row a field.
func fieldsPage(t *testing.T) string {
	t.Helper()
	kinds, err := documentKinds()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Fields\n\nOf all kinds of documents, all with `apiVersion: portcullis.dev/v1alpha1`. The same as JSON Schema, for editors:\n`portcullis schema`. `[]` stands for each item of a list, `<name>` for a name of your own.\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| field | value | default | |\n|---|---|---|---|\n", k.Name, k.Shape.Doc)
		rows(&b, "", k.Shape)
	}
	balancers(&b)
	return b.String()
}

// balancers has a row for each profile that seeds.<name>.loadBalancer can name.
func balancers(b *strings.Builder) {
	b.WriteString("\n## Load balancers\n\nWhat `seeds.<name>.loadBalancer` of the Policy can name, and what is known of each: read in the sources of the\n" +
		"cloud controllers in August 2026. What a field means: `seeds.<name>.loadBalancer.*` above.\n\n" +
		"| profile | enforces | ipv6 | absentFamily | budget | |\n|---|---|---|---|---|---|\n")
	for _, name := range profile.Names() {
		p, _ := profile.Get(name)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s |\n", name, p.Enforces, p.IPv6, p.AbsentFamily, budgetText(p.Budget), cell(p.Note))
	}
}

func budgetText(b profile.Budget) string {
	if b.Rules == 0 {
		return ""
	}
	return fmt.Sprintf("%d rules, %d an entry, for each %s", b.Rules, b.PerEntry, b.SharedBy)
}

func rows(b *strings.Builder, at string, s *schema.Shape) {
	switch {
	case s.Either != nil:
		rows(b, at, s.Either)
	case s.Item != nil && s.Form == schema.List:
		rows(b, at+"[]", s.Item)
	case s.Item != nil:
		rows(b, at+".<name>", s.Item)
	}
	for _, f := range s.Fields {
		path := strings.TrimPrefix(at+"."+f.Name, ".")
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", path, cell(valueText(f.Shape)), code(f.Default), cell(fieldNotes(s, f)))
		rows(b, path, f.Shape)
	}
}

// value is what belongs there, in a few words.
func valueText(s *schema.Shape) string {
	out := string(s.Form)
	switch {
	case len(s.Words) > 12:
		out = "a word, see below"
	case s.Words != nil:
		out = "`" + strings.Join(s.Words, "`, `") + "`"
	case s.Check == "name":
		out = "DNS label"
	case s.Check == "cluster":
		out = "cluster ID"
	}
	if s.Either != nil {
		return out + ", or a " + valueText(s.Either)
	}
	if s.Item != nil {
		return out + ": " + valueText(s.Item)
	}
	return out
}

func fieldNotes(s *schema.Shape, f schema.Field) string {
	out := f.Doc
	if f.Required {
		out = "**Required.** " + out
	}
	for _, c := range s.Choice {
		if c == f.Name {
			return out + " (Exactly one of `" + strings.Join(s.Choice, "`, `") + "`.)"
		}
	}
	return out
}
