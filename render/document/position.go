package document

import "fmt"

// Pos is a place in a file: line and column, both from 1, the column counted
// in characters. The zero Pos is no place. It is small because there are two
// with each value, and all values of all files are kept.
type Pos struct{ Line, Column int32 }

// place is that of a file, which has a mebibyte at most.
func place(line, column int) Pos { return Pos{int32(line), int32(column)} }

// String is the place as it is written behind a path.
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// Start is where a finding about a whole file points.
var Start = Pos{Line: 1, Column: 1}

// Problem is a finding before its file's path and its severity are known.
type Problem struct {
	Pos
	Rule    string
	Message string
	Fix     string
}

// AndMore stands for n problems of the rule in the file, of which this is the first.
func (p Problem) AndMore(n int) Problem {
	if n > 1 {
		p.Message = fmt.Sprintf("%s; and %d more of this rule in the file", p.Message, n-1)
	}
	return p
}

// Value is a scalar with its place. T is string, int, float64, bool,
// time.Duration, Date or netip.Prefix.
type Value[T any] struct {
	V   T
	Pos Pos  // of the value; of the key where the value is null
	Key Pos  // of the key that holds it; zero in a list
	Set bool // present, not null, and valid
}

// Written is a Value of which it matters how it was put: the text is kept, too.
type Written[T any] struct {
	Value[T]
	Raw string // as it stands in the file
}

// Prose is a string that people read and no finding points at: its place is not
// kept.
type Prose struct{ V string }

// Node is embedded by structs that stand for a mapping and want its place.
type Node struct {
	Pos Pos // of the mapping's first key
	Key Pos // of the key that holds the mapping; zero in a list and at the root
	Set bool
	// Faulty is set where something below is wrong, or the key is there twice, so
	// that what it says is not all known. Faults of prose do not count.
	Faulty bool
}

// Or is the node's own key, or the given place where it has none: where to
// point at for something that the node should hold.
func (n Node) Or(other Pos) Pos {
	if n.Key != (Pos{}) {
		return n.Key
	}
	if n.Pos != (Pos{}) {
		return n.Pos
	}
	return other
}

// Place is where the mapping itself stands; its key, where it is null.
func (n Node) Place() Pos {
	if n.Pos != (Pos{}) {
		return n.Pos
	}
	return n.Key
}

// List is a sequence with its place.
type List[T any] struct {
	Node
	Items []T
}

// Dict is a mapping whose keys are not known beforehand, with its place. Each
// item knows the place of its own key.
type Dict[T any] struct {
	Node
	Items map[string]T
}

// Either is a single word or something longer, such as `nodeEgress: none`
// beside `nodeEgress: [198.51.100.40]`.
type Either[T any] struct {
	Node
	Word Value[string]
	Else T
}
