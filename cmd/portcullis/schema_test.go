package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml3 "gopkg.in/yaml.v3"
	"sigs.k8s.io/yaml"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/schema"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// compiled is the schema as the command prints it.
func compiled(t *testing.T, args ...string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(command(t, 0, append([]string{"schema"}, args...)...)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("portcullis.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("portcullis.json") // checks it against its own schema
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// documents are those of a file, as an editor sees them: by YAML 1.2, where
// off is a word.
func documents(t *testing.T, text string) []any {
	t.Helper()
	var out []any
	for d := yaml3.NewDecoder(strings.NewReader(text)); ; {
		var doc any
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		again, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, again)
	}
}

func TestExamplesAgreeWithTheSchema(t *testing.T) {
	t.Parallel()
	every := compiled(t)
	of := map[any]*jsonschema.Schema{}
	for _, kind := range []string{"Allowlist", "AddressGroup", "Config", "Policy"} {
		of[kind] = compiled(t, kind)
	}
	seen := map[any]int{}
	for _, pattern := range []string{"../../examples/seed/*.yaml", "../../examples/tenants/*/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, doc := range documents(t, string(text)) {
				kind := doc.(map[string]any)["kind"]
				seen[kind]++
				if err := every.Validate(doc); err != nil {
					t.Errorf("%s: %v", f, err)
				}
				if err := of[kind].Validate(doc); err != nil {
					t.Errorf("%s: %v", f, err)
				}
			}
		}
	}
	for kind := range of {
		if seen[kind] == 0 {
			t.Errorf("no example of %s", kind)
		}
	}
}

const (
	listHead = "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: a}\n"
	listBody = "entries: [{cidr: 192.0.2.1}]"
)

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"a list":                      {listHead + "spec: {clusters: [c], " + listBody + "}", true},
		"a node's way out, none":      {listHead + "spec: {clusters: [c], nodeEgress: none, " + listBody + "}", true},
		"a node's ways out":           {listHead + "spec: {clusters: [c], nodeEgress: [192.0.2.1], " + listBody + "}", true},
		"an expiry":                   {listHead + "spec: {clusters: [c], entries: [{cidr: 192.0.2.1, expires: 2026-12-31}]}", true},
		"an unknown field":            {listHead + "spec: {clusters: [c], entrys: []}", false},
		"both of two":                 {listHead + "spec: {clusters: [c], clusterSelector: {}, " + listBody + "}", false},
		"neither of two":              {listHead + "spec: {" + listBody + "}", false},
		"two kinds of prefixes":       {listHead + "spec: {clusters: [c], entries: [{cidr: 192.0.2.1, group: vpn}]}", false},
		"an unknown word":             {listHead + "spec: {clusters: [c], access: closed}", false},
		"another word than none":      {listHead + "spec: {clusters: [c], nodeEgress: some, " + listBody + "}", false},
		"no name":                     {"apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nspec: {clusters: [c]}", false},
		"a name that is no label":     {strings.Replace(listHead, "name: a", "name: A", 1) + "spec: {clusters: [c], " + listBody + "}", false},
		"a host name":                 {listHead + "spec: {clusters: [c], entries: [{cidr: vpn.example}]}", false},
		"another version":             {strings.Replace(listHead, "v1alpha1", "v1", 1) + "spec: {clusters: [c], " + listBody + "}", false},
		"another kind":                {strings.Replace(listHead, "Allowlist", "Denylist", 1) + "spec: {clusters: [c], " + listBody + "}", false},
		"a rule that can change":      {"apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {a: {}}\nrules: {stray-file: error}", true},
		"a rule that cannot":          {"apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {a: {}}\nrules: {host-bits: warning}", false},
		"a load balancer":             {"apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {a: {loadBalancer: azure}}", true},
		"a load balancer of nobody's": {"apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {a: {loadBalancer: azur}}", false},
		"a load balancer described":   {"apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {a: {loadBalancer: {ipv6: dual-stack}}}", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := s.Validate(documents(t, c.text)[0]); (err == nil) != c.ok {
				t.Errorf("valid: %v, want %v: %v", err == nil, c.ok, err)
			}
		})
	}
}

// TestFieldsAreDescribed: what has no words is no reference.
func TestFieldsAreDescribed(t *testing.T) {
	t.Parallel()
	kinds, err := documentKinds()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		undescribed(t, k.Name, k.Shape)
	}
}

func undescribed(t *testing.T, at string, s *schema.Shape) {
	if s == nil {
		return
	}
	for _, f := range s.Fields {
		if f.Doc == "" {
			t.Errorf("%s.%s has no description", at, f.Name)
		}
		undescribed(t, at+"."+f.Name, f.Shape)
	}
	undescribed(t, at+"[]", s.Item)
	undescribed(t, at, s.Either)
}

const (
	bareConfig = `{apiVersion: portcullis.dev/v1alpha1, kind: Config, seed: eu-west, policyFile: policy.yaml,
sources: [{name: customers, url: "https://git.example.com/a.git", path: tenants, checks: {forge: gitea, url: "https://git.example.com", repository: a/b, tokenFile: token}}]}`
	barePolicy = `{apiVersion: portcullis.dev/v1alpha1, kind: Policy, seeds: {eu-west: {platform: [{cidr: 192.0.2.0/28}]}, us-east: {loadBalancer: {budget: {rules: 60}}}}}`
)

// TestDefaultsAreTrue spells out every default that the tags know of, and wants
// the file to mean what it means without.
func TestDefaultsAreTrue(t *testing.T) {
	t.Parallel()
	kinds, err := documentKinds()
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string]*schema.Shape{}
	for _, k := range kinds {
		shapes[k.Name] = k.Shape
	}
	spelt, n := spellOut(t, barePolicy, shapes["Policy"])
	a, b := parsedPolicy(t, []byte(barePolicy)), parsedPolicy(t, spelt)
	if a.Hash() != b.Hash() || n < 18 {
		t.Errorf("%d defaults; without them\n%+v\nwith them\n%+v", n, a, b)
	}
	spelt, n = spellOut(t, bareConfig, shapes["Config"])
	if a, b := parsedConfig(t, []byte(bareConfig)), parsedConfig(t, spelt); !reflect.DeepEqual(a, b) || n < 6 {
		t.Errorf("%d defaults; without them\n%+v\nwith them\n%+v", n, a, b)
	}
}

func parsedPolicy(t *testing.T, text []byte) *policy.Policy {
	t.Helper()
	p, problems := policy.ParsePolicy(text, lint.Changeable)
	if len(problems) > 0 {
		t.Fatalf("%v\n%s", problems, text)
	}
	return p
}

func parsedConfig(t *testing.T, text []byte) *policy.Config {
	t.Helper()
	c, problems := policy.ParseConfig(text)
	if len(problems) > 0 {
		t.Fatalf("%v\n%s", problems, text)
	}
	return c
}

// spellOut adds the defaults of all that a file leaves out.
func spellOut(t *testing.T, text string, s *schema.Shape) ([]byte, int) {
	t.Helper()
	var doc any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	n := fill(t, doc, s)
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out, n
}

func fill(t *testing.T, value any, s *schema.Shape) (n int) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			n += fill(t, item, s.Item)
		}
	case map[string]any:
		if s.Either != nil {
			return fill(t, v, s.Either)
		}
		if s.Item != nil {
			for _, key := range slices.Sorted(maps.Keys(v)) {
				n += fill(t, v[key], s.Item)
			}
			return n
		}
		for _, f := range s.Fields {
			n += fillField(t, v, f)
		}
	}
	return n
}

func fillField(t *testing.T, in map[string]any, f schema.Field) int {
	if _, there := in[f.Name]; there {
		return fill(t, in[f.Name], f.Shape)
	}
	needs := func(f schema.Field) bool { return f.Required }
	switch {
	case f.Default != "" && (f.Shape.Form == schema.String || f.Shape.Form == schema.Duration):
		in[f.Name] = f.Default
		return 1
	case f.Default != "":
		var v any
		if err := yaml.Unmarshal([]byte(f.Default), &v); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		in[f.Name] = v
		return 1
	case f.Shape.Form == schema.Object && f.Shape.Choice == nil && !slices.ContainsFunc(f.Shape.Fields, needs):
		below := map[string]any{}
		if n := fill(t, below, f.Shape); n > 0 {
			in[f.Name] = below
			return n
		}
	}
	return 0
}

// TestChoicesAreTheParsers: of the fields that exclude each other, the parser
// refuses two and none.
func TestChoicesAreTheParsers(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"spec: {clusters: [c], clusterSelector: {}, " + listBody + "}", "spec: {" + listBody + "}",
		"spec: {clusters: [c], entries: [{cidr: 192.0.2.1, cidrs: [192.0.2.1]}]}", "spec: {clusters: [c], entries: [{}]}",
		"spec: {clusters: [c], " + listBody + ", tests: [{}]}", "spec: {clusters: [c], " + listBody + ", tests: [{allow: 192.0.2.1, deny: 192.0.2.1}]}",
	} {
		if p := document.Parse([]byte(listHead + text)); len(p.Problems) == 0 {
			t.Errorf("the parser takes %s", text)
		}
		if err := compiled(t).Validate(documents(t, listHead+text)[0]); err == nil {
			t.Errorf("the schema takes %s", text)
		}
	}
}
