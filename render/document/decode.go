package document

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// decoder fills structs from nodes and gathers problems on the way.
type decoder struct {
	problems []Problem
	items    int            // of all lists
	of       map[string]int // the problems by rule, those not kept included
	beyond   []Problem      // the first of each rule that is not kept
	faults   int            // the problems that leave something unknown: all but those of prose
	prose    Value[string]  // the last, before its place is dropped
}

// Bounds on what is made of a file of 1 MiB: what stands in it as "{}," takes
// seventy times as much in memory.
const (
	mostItems  = 100_000 // of all its lists together
	mostFaults = 10_000
)

// MostOfARule is how many problems of one rule are told of a file: who has more
// mends those first, and a file of 1 MiB can hold hundreds of thousands.
const MostOfARule = 1000

func (d *decoder) report(pos Pos, rule, message, fix string) {
	d.faults++
	if d.of == nil {
		d.of = map[string]int{}
	}
	p := Problem{Pos: pos, Rule: rule, Message: message, Fix: fix}
	switch d.of[rule]++; {
	case d.of[rule] <= MostOfARule:
		d.problems = append(d.problems, p)
	case d.of[rule] == MostOfARule+1:
		d.beyond = append(d.beyond, p)
	}
}

// told are the problems, and of each rule with more than are kept how many more.
func (d *decoder) told() []Problem {
	out := d.problems
	for _, first := range d.beyond {
		out = append(out, first.AndMore(d.of[first.Rule]-MostOfARule))
	}
	return out
}

func position(n *yaml.Node) Pos { return place(n.Line, n.Column) }

// filler is a type that fills itself from a node.
type filler interface {
	fill(d *decoder, n *yaml.Node, key Pos, f field)
}

// into fills target, a settable value, from n.
func (d *decoder) into(target reflect.Value, n *yaml.Node, key Pos, f field) {
	if own, ok := target.Addr().Interface().(filler); ok {
		own.fill(d, n, key, f)
		return
	}
	switch target.Kind() {
	case reflect.Struct:
		d.mapping(target, n, key)
	case reflect.Map:
		d.dictionary(target, n, f)
	case reflect.Pointer:
		target.Set(reflect.New(target.Type().Elem()))
		d.into(target.Elem(), n, key, f)
	default:
		panic("document: no way to fill a " + target.Type().String()) // a fault of this program, not of a file
	}
}

// wants reports a node of another kind than the one wanted.
func (d *decoder) wants(n *yaml.Node, kind yaml.Kind, what string) bool {
	if n.Kind == kind && plainTag(n) {
		return true
	}
	d.mistyped(n, what, tagFix(n))
	return false
}

// mistyped reports a node of another type than belongs there. Of an alias it
// is said already that none is read.
func (d *decoder) mistyped(n *yaml.Node, belongs, fix string) {
	if n.Kind == yaml.AliasNode {
		d.faults++ // what is meant is not known
		return
	}
	d.report(position(n), "wrong-type", fmt.Sprintf("%s, where %s belongs", describe(n), belongs), fix)
}

// plainTag refuses tags such as !!binary or !local: no reader agrees on them.
func plainTag(n *yaml.Node) bool {
	return n.Style&yaml.TaggedStyle == 0
}

func tagFix(n *yaml.Node) string {
	if plainTag(n) {
		return ""
	}
	return "remove the tag"
}

func (d *decoder) mapping(target reflect.Value, n *yaml.Node, key Pos) {
	node := Node{Pos: position(n), Key: key, Set: d.wants(n, yaml.MappingNode, "a mapping")}
	if !node.Set {
		settle(target, node)
		return
	}
	form := formOf(target.Type())
	if form.node >= 0 {
		target.Field(form.node).Set(reflect.ValueOf(node))
	}
	values := d.values(n, form)
	for i, f := range form.fields {
		d.field(target.Field(f.index), f, values[i], node)
	}
}

// settle gives a struct its place alone, where it is not the mapping it should
// be: it is there, and must not count as missing as well.
func settle(target reflect.Value, node Node) {
	if f := target.FieldByName("Node"); f.IsValid() {
		f.Set(reflect.ValueOf(node))
	}
}

// versionFix offers the one value that there is for an apiVersion.
func versionFix(f field) string {
	if f.name == "apiVersion" {
		return "apiVersion: " + APIVersion
	}
	return ""
}

func (d *decoder) field(target reflect.Value, f field, p pair, parent Node) {
	switch {
	case p.value != nil && isNull(p.value):
		remember(target, position(p.key))
		if f.required || f.blank == "no" {
			d.report(position(p.key), "missing-field", f.name+" has no value", versionFix(f))
		}
	case p.value != nil:
		before := d.faults
		d.into(target, p.value, position(p.key), f)
		if f.prose {
			d.faults = before
		}
		markFaulty(target, p.twice || d.faults > before)
	case f.required:
		d.report(parent.Or(parent.Pos), "missing-field", f.name+" is missing", versionFix(f))
	}
}

// markFaulty notes on a mapping or a list that not all of it is known.
func markFaulty(target reflect.Value, faulty bool) {
	if target.Kind() != reflect.Struct || !faulty {
		return
	}
	if f := target.FieldByName("Faulty"); f.IsValid() {
		f.SetBool(true)
	}
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && plainTag(n)
}

// remember keeps the key of a null, where findings about it point.
func remember(target reflect.Value, key Pos) {
	if target.Kind() != reflect.Struct {
		return
	}
	if f := target.FieldByName("Key"); f.IsValid() {
		f.Set(reflect.ValueOf(key))
	}
}

type pair struct {
	key, value *yaml.Node
	twice      bool
}

// values are what a mapping has for each field of a form; of a key that is
// there twice, the first. Keys that no field has are reported.
func (d *decoder) values(n *yaml.Node, form *form) []pair {
	out := make([]pair, len(form.fields))
	var unknown map[string]pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if !d.isKey(key) {
			continue
		}
		if at := form.find(key.Value); at >= 0 {
			d.keep(&out[at], key, n.Content[i+1])
			continue
		}
		p := unknown[key.Value]
		if d.keep(&p, key, n.Content[i+1]) {
			d.report(position(key), "unknown-field", quote(key.Value)+" is not known here", suggest(key.Value, form))
		}
		if unknown == nil {
			unknown = map[string]pair{}
		}
		unknown[key.Value] = p
	}
	return out
}

// pairs are a mapping's keys and values; of a key that is there twice, the
// first.
func (d *decoder) pairs(n *yaml.Node) map[string]pair {
	out := make(map[string]pair, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; d.isKey(key) {
			p := out[key.Value]
			d.keep(&p, key, n.Content[i+1])
			out[key.Value] = p
		}
	}
	return out
}

func (d *decoder) isKey(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		d.mistyped(n, "a key", "")
	}
	return n.Kind == yaml.ScalarNode
}

// keep fills a pair, or reports that it is there already.
func (d *decoder) keep(p *pair, key, value *yaml.Node) bool {
	if p.key != nil {
		d.report(position(key), "duplicate-key", fmt.Sprintf("%s is there already, at %s",
			quote(key.Value), position(p.key)), "remove one of the two")
		p.twice = true
		return false
	}
	p.key, p.value = key, value
	return true
}

// suggest offers the known field that is most like the unknown one.
func suggest(name string, form *form) string {
	var known []string
	for _, f := range form.fields {
		known = append(known, f.name)
	}
	if best, ok := Nearest(name, known); ok {
		return best
	}
	return "one of " + strings.Join(known, ", ")
}

// dictionary fills a Go map, and tells whether the node is a mapping at all.
func (d *decoder) dictionary(target reflect.Value, n *yaml.Node, f field) bool {
	if !d.wants(n, yaml.MappingNode, "a mapping") {
		return false
	}
	target.Set(reflect.MakeMap(target.Type()))
	for name, p := range d.pairs(n) {
		value := reflect.New(target.Type().Elem()).Elem()
		if isNull(p.value) {
			d.nothing(value, p.key)
		} else {
			d.into(value, p.value, position(p.key), f)
		}
		target.SetMapIndex(reflect.ValueOf(name), value)
	}
	return true
}

// nothing is a key of a dictionary without a value. A mapping or a list may be
// empty by that; a scalar is missing, and must not pass for the empty string.
func (d *decoder) nothing(value reflect.Value, key *yaml.Node) {
	remember(value, position(key))
	if value.FieldByName("V").IsValid() {
		d.report(position(key), "missing-field", quote(key.Value)+" has no value", "")
	}
}

func (m *Dict[T]) fill(d *decoder, n *yaml.Node, key Pos, f field) {
	m.Node = Node{Pos: position(n), Key: key}
	m.Set = d.dictionary(reflect.ValueOf(&m.Items).Elem(), n, f)
}

func (l *List[T]) fill(d *decoder, n *yaml.Node, key Pos, f field) {
	l.Node = Node{Pos: position(n), Key: key, Set: n.Kind == yaml.SequenceNode && plainTag(n)}
	if !l.Set {
		d.mistyped(n, "a list", bracketFix(n))
		return
	}
	if before := d.items; !d.fits(len(n.Content)) {
		l.Set = false // it is not known what is in it
		if d.faults++; before <= mostItems {
			d.report(l.Pos, "file-too-large", fmt.Sprintf("the lists of the file have more than %d items", mostItems), "split it into several files")
		}
		return
	}
	l.Items = make([]T, len(n.Content))
	for i, item := range n.Content {
		if isNull(item) {
			d.report(position(item), "wrong-type", "an item without a value", "")
			continue
		}
		d.into(reflect.ValueOf(&l.Items[i]).Elem(), item, Pos{}, f)
	}
}

// fits counts the items of a list, and tells whether they are read.
func (d *decoder) fits(items int) bool {
	d.items += items
	return d.items <= mostItems
}

// bracketFix makes a list of the single word that stands where one belongs.
func bracketFix(n *yaml.Node) string {
	if !plainTag(n) {
		return tagFix(n)
	}
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Style != 0 || strings.ContainsAny(n.Value, " ,\n") {
		return ""
	}
	return "[" + n.Value + "]"
}

func (e *Either[T]) fill(d *decoder, n *yaml.Node, key Pos, f field) {
	e.Node = Node{Pos: position(n), Key: key, Set: true}
	if n.Kind == yaml.ScalarNode {
		if d.oneOfList(&e.Else, n, f) {
			return
		}
		e.Word.fill(d, n, key, f)
		return
	}
	f.oneof = "" // the words are those of the single one
	d.into(reflect.ValueOf(&e.Else).Elem(), n, key, f)
}

// oneOfList reports a single address where a word or a list of addresses
// belongs.
func (d *decoder) oneOfList(other any, n *yaml.Node, f field) bool {
	if _, list := other.(*List[Value[netip.Prefix]]); !list || bracketFix(n) == "" || !plainTag(n) {
		return false
	}
	if _, p := ParsePrefix(n.Value); p != nil && p.Fix == "" {
		return false
	}
	d.report(position(n), "wrong-type", fmt.Sprintf("%s, where a list or one of these belongs: %s", describe(n), f.oneof), bracketFix(n))
	return true
}

func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode && !plainTag(n):
		return "a mapping with the tag " + quote(n.Tag)
	case n.Kind == yaml.SequenceNode && !plainTag(n):
		return "a list with the tag " + quote(n.Tag)
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case !plainTag(n):
		return "a value with the tag " + quote(n.Tag)
	case isNull(n):
		return "no value"
	}
	return quote(n.Value)
}
