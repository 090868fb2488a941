// Package schema says what the files look like, as the Go types do that they
// are read into: as a shape, from which the reference is written, and as JSON
// Schema, for editors.
//
// Nothing is said twice. The types' tags are
//
//	yaml:"name"          the key
//	required:"true"      the field must be there
//	oneof:"a b"          the words that a string, or an Either's single one, may be
//	check:"name"         a DNS label; check:"cluster" a cluster's ID
//	choice:"a b"         on the embedded Node: exactly one of these fields
//	default:"x"          what holds without the field, as it would be written
//	known:"rules"        the words are those that the caller knows by that name
//
// and descriptions are the types' comments, kept in descriptions.json by
// `make reference`.
package schema

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// Form is what a value is written as.
type Form string

// The forms.
const (
	Object     Form = "mapping"
	Dictionary Form = "mapping by name" // keys are not known beforehand
	List       Form = "list"
	String     Form = "string"
	Integer    Form = "whole number"
	Number     Form = "number"
	Boolean    Form = "true or false"
	Duration   Form = "duration"
	Date       Form = "date"
	Prefix     Form = "address or prefix"
)

// Shape is what a value may be.
type Shape struct {
	Form   Form
	Type   string   // name of the Go type of an Object
	Doc    string   // of the type
	Fields []Field  // of an Object, in the order of the type
	Choice []string // of an Object: exactly one of these fields
	Item   *Shape   // of a List or a Dictionary
	Keys   []string // of a Dictionary: those there are; nil for any
	Words  []string // that a String may be; nil for any
	Check  string   // of a String: name, cluster
	Either *Shape   // a String that may be a longer form instead
}

// Field is one field of an Object.
type Field struct {
	Name     string
	Required bool
	Default  string // as written; empty for none
	Doc      string
	Shape    *Shape
}

// Known are the words that are not in the tags, by the name that is.
type Known map[string][]string

//go:embed descriptions.json
var descriptions []byte

// Of is the shape of a type of documents.
func Of[T any](known Known) (*Shape, error) {
	docs := map[string]string{}
	if err := json.Unmarshal(descriptions, &docs); err != nil {
		return nil, fmt.Errorf("read the descriptions: %w", err)
	}
	b := builder{docs, known}
	return b.shape(reflect.TypeFor[T](), ""), nil
}

type builder struct {
	docs  map[string]string
	known Known
}

var scalars = map[reflect.Type]Form{
	reflect.TypeFor[string](): String, reflect.TypeFor[int](): Integer, reflect.TypeFor[float64](): Number,
	reflect.TypeFor[bool](): Boolean, reflect.TypeFor[time.Duration](): Duration,
	reflect.TypeFor[document.Date](): Date, reflect.TypeFor[netip.Prefix](): Prefix,
}

func (b builder) shape(t reflect.Type, tag reflect.StructTag) *Shape {
	generic, _, _ := strings.Cut(t.Name(), "[")
	switch {
	case generic == "Value", generic == "Written", generic == "Prose":
		v, _ := t.FieldByName("V")
		return &Shape{Form: scalars[v.Type], Words: words(tag.Get("oneof")), Check: tag.Get("check")}
	case generic == "List":
		items, _ := t.FieldByName("Items")
		return &Shape{Form: List, Item: b.shape(items.Type.Elem(), tag)}
	case generic == "Dict":
		items, _ := t.FieldByName("Items")
		return &Shape{Form: Dictionary, Item: b.shape(items.Type.Elem(), tag), Keys: b.known[tag.Get("known")]}
	case generic == "Either":
		other, _ := t.FieldByName("Else")
		w := words(tag.Get("oneof"))
		if w == nil {
			w = b.known[tag.Get("known")]
		}
		return &Shape{Form: String, Words: w, Either: b.shape(other.Type, "")}
	case t.Kind() == reflect.Pointer:
		return b.shape(t.Elem(), tag)
	case t.Kind() == reflect.Map:
		return &Shape{Form: Dictionary, Item: b.shape(t.Elem(), tag)}
	}
	return b.object(t)
}

// words are those of a tag; nil for none.
func words(tag string) []string {
	if tag == "" {
		return nil
	}
	return strings.Fields(tag)
}

func (b builder) object(t reflect.Type) *Shape {
	s := &Shape{Form: Object, Type: t.Name(), Doc: b.docs[t.Name()]}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			s.Choice = words(f.Tag.Get("choice"))
			continue
		}
		s.Fields = append(s.Fields, Field{Name: f.Tag.Get("yaml"), Required: f.Tag.Get("required") == "true",
			Default: f.Tag.Get("default"), Doc: b.docs[t.Name()+"."+f.Name], Shape: b.shape(f.Type, f.Tag)})
	}
	return s
}
