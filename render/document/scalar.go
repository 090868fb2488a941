package document

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

func (w *Written[T]) fill(d *decoder, n *yaml.Node, key Pos, f field) {
	w.Raw = n.Value
	w.Value.fill(d, n, key, f)
}

func (p *Prose) fill(d *decoder, n *yaml.Node, key Pos, f field) {
	d.prose = Value[string]{}
	d.prose.fill(d, n, key, f)
	p.V = d.prose.V
}

func (v *Value[T]) fill(d *decoder, n *yaml.Node, key Pos, f field) {
	v.Pos, v.Key = position(n), key
	if n.Kind != yaml.ScalarNode || !plainTag(n) {
		d.mistyped(n, wanted(&v.V), kindFix(n, f))
		return
	}
	if r, bad := unsafeRune(n.Value); bad {
		d.report(v.Pos, "unsafe-text", fmt.Sprintf(
			"the value holds the invisible character %U, which can make it show as something else", r), "remove it")
	}
	if p := scalar(&v.V, n); p != nil {
		d.report(v.Pos, p.Rule, p.Message, p.Fix)
		return
	}
	v.Set = d.checked(n, f)
}

// kindFix is the way to what was meant by a list or a mapping in the place of a
// value.
func kindFix(n *yaml.Node, f field) string {
	if n.Kind == yaml.MappingNode && plainTag(n) {
		return colonFix(n)
	}
	return listFix(n, f)
}

// colonFix quotes an address that ends in a colon: YAML reads it as a key
// without a value.
func colonFix(n *yaml.Node) string {
	if len(n.Content) != 2 || !isNull(n.Content[1]) {
		return ""
	}
	address := n.Content[0].Value + ":"
	if _, err := netip.ParseAddr(address); err != nil {
		return ""
	}
	return fmt.Sprintf("an address that ends in a colon reads as a key: put it in quotes: %q", address)
}

// listFix is the field that takes a list, where one was given to its singular;
// without the tag, where there is one.
func listFix(n *yaml.Node, f field) string {
	if !plainTag(n) {
		return tagFix(n)
	}
	if n.Kind != yaml.SequenceNode || f.plural == "" {
		return ""
	}
	return f.plural + ": [...]"
}

// plainNumber is a decimal number that every reader of YAML reads alike.
var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// wanted names the type that a value should have.
func wanted(target any) string {
	switch target.(type) {
	case *string:
		return "a string"
	case *int:
		return "a whole number"
	case *float64:
		return "a number"
	case *bool:
		return "true or false"
	case *time.Duration:
		return "a duration such as 15m"
	case *Date:
		return "a date"
	}
	return "an address"
}

// scalar reads one value. Strings are strings only: an unquoted 017 or true is
// something else to other readers of YAML.
func scalar(target any, n *yaml.Node) *Problem {
	switch t := target.(type) {
	case *string:
		if tag := n.ShortTag(); tag != "!!str" && tag != "!!timestamp" {
			return mismatch(target, n, "put it in quotes: "+strconv.Quote(n.Value))
		}
		*t = n.Value
	case *int:
		v, err := strconv.Atoi(n.Value)
		if err != nil || n.ShortTag() != "!!int" || strconv.Itoa(v) != n.Value { // 010 is 8 to some readers
			return mismatch(target, n, "")
		}
		*t = v
	case *float64:
		v, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || !plainNumber.MatchString(n.Value) {
			return mismatch(target, n, "")
		}
		*t = v
	case *bool:
		if n.ShortTag() != "!!bool" {
			return mismatch(target, n, "")
		}
		*t = strings.EqualFold(n.Value, "true")
	case *time.Duration:
		v, err := time.ParseDuration(n.Value)
		if err != nil || v < 0 {
			return mismatch(target, n, "")
		}
		*t = v
	case *Date:
		v, p := ParseDate(n.Value)
		*t = v
		return p
	case *netip.Prefix:
		v, p := ParsePrefix(n.Value)
		*t = v
		return p
	default:
		panic(fmt.Sprintf("document: no way to read a %T", target)) // a fault of this program, not of a file
	}
	return nil
}

func mismatch(target any, n *yaml.Node, fix string) *Problem {
	return &Problem{Rule: "wrong-type", Message: fmt.Sprintf("%s, where %s belongs", describe(n), wanted(target)), Fix: fix}
}

// checked holds a string against its field's tags.
func (d *decoder) checked(n *yaml.Node, f field) bool {
	if f.oneof != "" && !slices.Contains(strings.Fields(f.oneof), n.Value) {
		words := strings.Join(strings.Fields(f.oneof), ", ")
		d.report(position(n), "wrong-type", fmt.Sprintf("%s is none of: %s", quote(n.Value), words), nearestFix(n.Value, f.oneof))
		return false
	}
	var p *Problem
	switch f.check {
	case "name":
		p = nameProblem(n.Value, named(f), longestName)
	case "cluster":
		p = nameProblem(n.Value, "cluster", longestClusterID)
	}
	if p != nil {
		d.report(position(n), p.Rule, p.Message, p.Fix)
	}
	return p == nil
}

// named is what has the name that a field holds: seed names one, metadata.name
// the document itself.
func named(f field) string {
	if f.name == "name" {
		return "document"
	}
	return f.name
}

func nearestFix(word, oneof string) string {
	best, _ := Nearest(word, strings.Fields(oneof))
	if best == "open" {
		return "" // nobody is to open a cluster by taking a hint
	}
	return best
}
