package document

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"gopkg.in/yaml.v3"
)

// Parsed is what a tenant's file says. It depends on the file's bytes alone.
type Parsed struct {
	Allowlists []*Allowlist
	Groups     []*AddressGroup
	// Problems are the faults of form, sorted by place.
	Problems []Problem
	// Starts are where the documents begin, those that could not be told apart
	// included.
	Starts []Pos
	// Unread is set where some of the file could not be taken apart, so that
	// more documents may be in it than are seen here.
	Unread bool
	// Folder is set where it stands for a tenant's whole folder, which is not read.
	Folder bool
}

// Parse reads a tenant's file. Documents with faults are kept as far as they
// could be read, so that what they claim is known.
func Parse(content []byte) *Parsed {
	roots, problems := read(content)
	p := &Parsed{Problems: problems, Unread: len(problems) > 0}
	d := &decoder{}
	for _, root := range roots {
		if d.faults > mostFaults {
			d.report(position(root), "file-too-large", fmt.Sprintf("more than %d mistakes: the rest of the file is not read", mostFaults), "mend those first")
			p.Unread = true
			break
		}
		p.document(d, root)
	}
	p.Problems = append(p.Problems, d.told()...)
	sortProblems(p.Problems)
	return p
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
}

func (p *Parsed) document(d *decoder, root *yaml.Node) {
	p.Starts = append(p.Starts, position(root))
	if d.aliased(root, "write the value out, or use an AddressGroup") {
		p.Unread = true
		if !judgeable(root) {
			return
		}
	}
	switch d.kind(root) {
	case KindAllowlist:
		list := &Allowlist{}
		d.into(reflect.ValueOf(list).Elem(), root, Pos{}, field{})
		d.allowlist(list)
		p.Allowlists = append(p.Allowlists, list)
	case KindAddressGroup:
		group := &AddressGroup{}
		d.into(reflect.ValueOf(group).Elem(), root, Pos{}, field{})
		d.group(group)
		p.Groups = append(p.Groups, group)
	default:
		p.Unread = true
	}
}

// aliased reports anchors and aliases. They are refused, not resolved: a
// reviewer could not see what a line means where it stands. The rest of the
// document is read all the same, so that its other faults are told at once.
func (d *decoder) aliased(n *yaml.Node, fix string) bool {
	found := n.Anchor != "" || n.Kind == yaml.AliasNode
	if found {
		d.report(position(n), "yaml-alias", "anchors and aliases are not read here", fix)
	}
	for _, child := range n.Content {
		found = d.aliased(child, fix) || found
	}
	return found
}

// judgeable tells whether more can be said of a document with aliases than that
// it has some: it says what it is, and no mapping takes in another, as
// "<<: *base" does, by which it would not be known what is missing in it.
func judgeable(root *yaml.Node) bool {
	return root.Kind == yaml.MappingNode && scalarAt(root, "kind") != nil && !merges(root)
}

func merges(n *yaml.Node) bool {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Value == "<<" || merges(child) {
			return true
		}
	}
	return false
}

// kind finds out what a document is, and reports where that cannot be told.
func (d *decoder) kind(root *yaml.Node) string {
	if !d.wants(root, yaml.MappingNode, "a mapping") {
		return ""
	}
	version, kind := scalarAt(root, "apiVersion"), scalarAt(root, "kind")
	if version != nil && version.Value != APIVersion {
		d.report(position(version), "unsupported-version", fmt.Sprintf("%s is not a version this program reads", quote(version.Value)), APIVersion)
		return ""
	}
	if kind != nil && kind.Value != KindAllowlist && kind.Value != KindAddressGroup {
		d.report(position(kind), "unsupported-version", wrongKind(kind.Value), KindAllowlist+" or "+KindAddressGroup)
		return ""
	}
	if kind == nil {
		d.missing(root)
		return ""
	}
	return kind.Value
}

func wrongKind(kind string) string {
	if kind == "Config" || kind == "Policy" {
		return kind + " is the provider's: it does not belong below the tenants' folders"
	}
	return quote(kind) + " is no kind that a tenant's file can hold"
}

// missing reports which of apiVersion and kind do not say what the document is.
func (d *decoder) missing(root *yaml.Node) {
	for _, f := range []struct{ name, value string }{{"apiVersion", APIVersion}, {"kind", KindAllowlist}} {
		key, value := fieldAt(root, f.name)
		switch {
		case key == nil:
			d.report(position(root), "missing-field", f.name+" is missing", f.name+": "+f.value)
		case isNull(value):
			d.report(position(key), "missing-field", f.name+" has no value", f.name+": "+f.value)
		case value.Kind != yaml.ScalarNode:
			d.mistyped(value, "a string", f.value)
		}
	}
}

// fieldAt is a mapping's key with its value, nil if there is none.
func fieldAt(n *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Kind == yaml.ScalarNode && n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// scalarAt is the scalar that a mapping's key holds, nil if there is none.
func scalarAt(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if v := n.Content[i+1]; n.Content[i].Value == key && v.Kind == yaml.ScalarNode && !isNull(v) {
			return v
		}
	}
	return nil
}
