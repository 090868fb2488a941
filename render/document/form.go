package document

import "reflect"

// field is what a struct's tags say of one of its fields.
type field struct {
	index    int // in its struct
	name     string
	required bool
	oneof    string
	blank    string // "no": a key without a value would mean more than it seems
	check    string
	plural   string // the field that takes several of what this one takes
	prose    bool   // nothing but people reads it
}

func fieldOf(f reflect.StructField) field {
	tag := f.Tag
	return field{f.Index[0], tag.Get("yaml"), tag.Get("required") == "true", tag.Get("oneof"), tag.Get("blank"), tag.Get("check"),
		tag.Get("plural"), tag.Get("prose") == "true"}
}

// form is what a struct's tags say of a mapping.
type form struct {
	node   int // index of the embedded Node; -1 without one
	fields []field
}

func newForm(t reflect.Type) *form {
	f := &form{node: -1}
	for i := range t.NumField() {
		switch sf := t.Field(i); {
		case sf.Type == reflect.TypeFor[Node]():
			f.node = i
		case sf.Tag.Get("yaml") != "":
			f.fields = append(f.fields, fieldOf(sf))
		}
	}
	return f
}

// find is the index of the field with that name, -1 if there is none.
func (f *form) find(name string) int {
	for i := range f.fields {
		if f.fields[i].name == name {
			return i
		}
	}
	return -1
}

// forms are those of the tenants' documents. They are read off the tags once:
// there are as many mappings as entries in all files.
var forms = formsIn(map[reflect.Type]*form{}, reflect.TypeFor[Allowlist](), reflect.TypeFor[AddressGroup]())

func formsIn(out map[reflect.Type]*form, types ...reflect.Type) map[reflect.Type]*form {
	for _, t := range types {
		switch {
		case t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer:
			formsIn(out, t.Elem())
		case t.Kind() == reflect.Struct && out[t] == nil && t.PkgPath() == reflect.TypeFor[Node]().PkgPath():
			out[t] = newForm(t)
			for i := range t.NumField() {
				formsIn(out, t.Field(i).Type)
			}
		}
	}
	return out
}

func formOf(t reflect.Type) *form {
	if f := forms[t]; f != nil {
		return f
	}
	return newForm(t)
}
