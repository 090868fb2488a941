package schema

import (
	"bytes"
	"encoding/json"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// Dialect is the version of JSON Schema.
const Dialect = "https://json-schema.org/draft/2020-12/schema"

// Kind is one kind of document.
type Kind struct {
	Name  string
	Shape *Shape
}

// JSON is the schema of documents of one kind.
func JSON(k Kind) ([]byte, error) {
	return write(append(members{{"$schema", Dialect}, {"title", k.Name}}, k.document()...))
}

// Any is the schema of documents of any of the kinds: what their `kind` says
// decides. It is for files that hold several documents.
func Any(kinds []Kind) ([]byte, error) {
	var names []string
	var defs members
	var cases []any
	for _, k := range kinds {
		names = append(names, k.Name)
		defs = append(defs, member{k.Name, k.document()})
		is := members{{"properties", members{{"kind", members{{"const", k.Name}}}}}, {"required", []string{"kind"}}}
		cases = append(cases, members{{"if", is}, {"then", members{{"$ref", "#/$defs/" + k.Name}}}})
	}
	return write(members{{"$schema", Dialect}, {"title", "Portcullis"}, {"type", "object"}, {"required", []string{"apiVersion", "kind"}},
		{"properties", members{{"apiVersion", members{{"const", document.APIVersion}}}, {"kind", members{{"enum", names}}}}},
		{"allOf", cases}, {"$defs", defs}})
}

func write(schema members) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(schema)
	return b.Bytes(), err
}

// document is a document's schema: apiVersion and kind are what they must be.
func (k Kind) document() members {
	fixed := map[string]any{"apiVersion": document.APIVersion, "kind": k.Name}
	return k.Shape.object(fixed)
}

// members are an object's, in this order.
type members []member

type member struct {
	key   string
	value any
}

// MarshalJSON keeps the order, so that editors offer fields as they are read.
func (m members) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(e.key)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		e2 := json.NewEncoder(&b)
		e2.SetEscapeHTML(false)
		if err := e2.Encode(e.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// The patterns take all that is valid and leave the rest to `check`, which
// says what is wrong with it.
const (
	labelPattern    = `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	prefixPattern   = `^[0-9A-Fa-f:.]+(/(0|[1-9][0-9]{0,2}))?$`
	datePattern     = `^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+))?$`
	durationPattern = `^(0|([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+)$`
)

func (s *Shape) schema() members {
	switch s.Form {
	case Object:
		return s.object(nil)
	case Dictionary:
		return s.dictionary()
	case List:
		return members{{"type", "array"}, {"items", s.Item.schema()}}
	case Integer:
		return members{{"type", "integer"}}
	case Number:
		return members{{"type", "number"}}
	case Boolean:
		return members{{"type", "boolean"}}
	case Duration:
		return text("pattern", durationPattern)
	case Date:
		return text("pattern", datePattern)
	case Prefix:
		return text("pattern", prefixPattern)
	}
	return s.word()
}

func text(key string, value any) members { return members{{"type", "string"}, {key, value}} }

// word is a string, or the longer form in its place.
func (s *Shape) word() members {
	out := members{{"type", "string"}}
	switch {
	case s.Words != nil:
		out = append(out, member{"enum", s.Words})
	case s.Check == "name":
		out = append(out, member{"pattern", labelPattern}, member{"maxLength", 63})
	case s.Check == "cluster":
		out = append(out, member{"pattern", labelPattern}, member{"maxLength", 36})
	}
	if s.Either != nil {
		return members{{"anyOf", []any{out, s.Either.schema()}}}
	}
	return out
}

func (s *Shape) dictionary() members {
	out := members{{"type", "object"}}
	if s.Keys != nil {
		out = append(out, member{"propertyNames", members{{"enum", s.Keys}}})
	}
	return append(out, member{"additionalProperties", s.Item.schema()})
}

// object is a mapping's schema; fixed fields have one value only.
func (s *Shape) object(fixed map[string]any) members {
	var properties members
	var required []string
	for _, f := range s.Fields {
		properties = append(properties, member{f.Name, f.schema(fixed[f.Name])})
		if f.Required {
			required = append(required, f.Name)
		}
	}
	out := members{{"type", "object"}}
	if s.Doc != "" {
		out = append(out, member{"description", s.Doc})
	}
	out = append(out, member{"properties", properties}, member{"additionalProperties", false})
	if required != nil {
		out = append(out, member{"required", required})
	}
	if s.Choice != nil {
		out = append(out, member{"oneOf", s.choices()})
	}
	return out
}

func (s *Shape) choices() []any {
	var out []any
	for _, name := range s.Choice {
		out = append(out, members{{"required", []string{name}}})
	}
	return out
}

func (f Field) schema(fixed any) members {
	if fixed != nil {
		return members{{"const", fixed}}
	}
	out := f.Shape.schema()
	out = slices.DeleteFunc(out, func(m member) bool { return m.key == "description" && f.Doc != "" })
	if f.Doc != "" {
		out = append(members{{"description", f.Doc}}, out...)
	}
	if f.Default != "" {
		out = append(out, member{"default", f.value()})
	}
	return out
}

// value is the default as JSON. Words are words, whatever YAML makes of them.
func (f Field) value() any {
	if f.Shape.Form == String || f.Shape.Form == Duration {
		return f.Default
	}
	var v any
	if err := yaml.Unmarshal([]byte(f.Default), &v); err != nil {
		panic("schema: the default of " + f.Name + " is no YAML: " + err.Error()) // a fault of this program: a tag
	}
	return v
}
