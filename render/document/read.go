package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

var byteOrderMark = []byte("\uFEFF")

// read takes content apart into its documents' nodes. Documents without
// content are left out; documents behind a syntax error are not seen.
func read(content []byte) ([]*yaml.Node, []Problem) {
	content = bytes.TrimPrefix(content, byteOrderMark)
	if p := encodingProblem(content); p != nil {
		return nil, []Problem{*p}
	}
	var roots []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var doc yaml.Node
		err := decode(decoder, &doc)
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return roots, []Problem{syntaxProblem(content, err)}
		}
		if root := content0(&doc); root != nil {
			roots = append(roots, root)
		}
	}
}

// decode turns a panic of the library, which a hostile file might provoke,
// into an error of that file.
func decode(d *yaml.Decoder, doc *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: cannot be read: %v", r)
		}
	}()
	return d.Decode(doc)
}

// content0 is a document's root, nil where the document says nothing.
func content0(doc *yaml.Node) *yaml.Node {
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" && root.Value == "" && root.Anchor == "" {
		return nil
	}
	return root
}

// encodingProblem finds the first byte that is not UTF-8, and the first
// character that YAML does not allow, before the library loses their place.
func encodingProblem(content []byte) *Problem {
	pos := Start
	for rest := content; len(rest) > 0; {
		r, size := rune(rest[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(rest)
		}
		if r == utf8.RuneError && size == 1 {
			return &Problem{Pos: pos, Rule: "yaml-syntax", Message: "the file is not UTF-8", Fix: "save it as UTF-8"}
		}
		if !allowedInYAML(r) {
			return &Problem{Pos: pos, Rule: "yaml-syntax", Message: fmt.Sprintf("the character %U is not allowed in YAML", r), Fix: "remove it"}
		}
		if hiddenBreak(r, rest[size:]) {
			return &Problem{Pos: pos, Rule: "yaml-syntax", Message: fmt.Sprintf(
				"the character %U ends a line for YAML and for no one who looks at the file: what reads as a comment could be in force", r),
				Fix: "end the line as the others, or remove it"}
		}
		if r == '\n' {
			pos = Pos{Line: pos.Line + 1, Column: 1}
		} else {
			pos.Column++
		}
		rest = rest[size:]
	}
	return nil
}

// hiddenBreak tells of the line breaks of YAML 1.1 that Git, forges and most
// editors do not show as such. They would shift all positions below, too.
func hiddenBreak(r rune, rest []byte) bool {
	return r == 0x85 || r == 0x2028 || r == 0x2029 || r == '\r' && !bytes.HasPrefix(rest, []byte("\n"))
}

// allowedInYAML is YAML's c-printable (YAML 1.2, 5.1), with DEL left out as
// the library does.
func allowedInYAML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r == 0x85 ||
		r >= 0x20 && r <= 0x7E || r >= 0xA0 && r <= 0xFFFD && r != 0xFEFF || r > 0xFFFF
}
