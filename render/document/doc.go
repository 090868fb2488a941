// Package document reads the YAML that people write, strictly, and keeps the
// place of everything it reads.
//
// It is the only importer of gopkg.in/yaml.v3, of which it uses the nodes and
// nothing else. What that library lets pass is seen to here: duplicate keys,
// unknown fields, anchors and aliases, values of another type, and the column
// of a syntax error. Nothing is decoded by guess: a document is a Go struct
// whose fields are Value, Written, Prose, List, Either or a struct that embeds
// Node, each with the tags
//
//	yaml:"name"        the key
//	required:"true"    missing-field where it is absent or null
//	blank:"no"         missing-field where it is null: a key without a value
//	                   would let more in than it seems to
//	oneof:"a b"        the words a string may be
//	check:"name"       the string is a DNS label; check:"cluster" a cluster ID
//
// Reading never stops at the first fault of a document: all of them are
// problems, each with the position of the offending value. A file's Parsed
// depends on its bytes alone, so that it can be kept by their hash.
package document
