package document

import (
	"fmt"
	"reflect"

	"gopkg.in/yaml.v3"
)

// DecodeKind reads a file that holds exactly one document, of the given kind,
// into T: a struct that embeds Node and has fields for apiVersion and kind. It
// answers as much of the document as could be read, and all that is wrong
// with it, sorted by place.
func DecodeKind[T any](content []byte, kind string) (T, []Problem) {
	var doc T
	roots, problems := read(content)
	d := &decoder{problems: problems}
	if root := d.only(roots, kind); root != nil {
		aliased := d.aliased(root, "write the value out")
		if (!aliased || judgeable(root)) && d.isKind(root, kind) {
			d.into(reflect.ValueOf(&doc).Elem(), root, Pos{}, field{})
		}
	}
	told := d.told()
	sortProblems(told)
	return doc, told
}

// only is the first document, and reports that there is none or another.
func (d *decoder) only(roots []*yaml.Node, kind string) *yaml.Node {
	if len(roots) == 0 {
		if len(d.problems) == 0 {
			d.report(Start, "missing-field", "the file holds no document", "apiVersion: "+APIVersion+" and kind: "+kind)
		}
		return nil
	}
	for _, extra := range roots[1:] {
		d.report(position(extra), "conflicting-fields", fmt.Sprintf(
			"a further document, where one of kind %s belongs alone", kind), "put it into a file of its own")
	}
	return roots[0]
}

// isKind holds apiVersion and kind against what is wanted. What is missing is
// left to the struct's tags.
func (d *decoder) isKind(root *yaml.Node, kind string) bool {
	if !d.wants(root, yaml.MappingNode, "a mapping") {
		return false
	}
	is := true
	for _, want := range []struct{ field, value string }{{"apiVersion", APIVersion}, {"kind", kind}} {
		if n := scalarAt(root, want.field); n != nil && n.Value != want.value {
			d.report(position(n), "unsupported-version", fmt.Sprintf(
				"%s is %s, where %s belongs", want.field, quote(n.Value), want.value), want.value)
			is = false
		}
	}
	return is
}
