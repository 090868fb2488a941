package schema

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestDescriptionsAreCurrent holds descriptions.json against the comments that
// it is made from; PORTCULLIS_REFERENCE=write writes it.
func TestDescriptionsAreCurrent(t *testing.T) {
	docs := map[string]string{}
	for _, dir := range []string{"../../../render/document/allowlist.go", "../../../render/policy/*_document.go"} {
		files, err := filepath.Glob(dir)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s: %v", dir, err)
		}
		for _, f := range files {
			comments(t, f, docs)
		}
	}
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(docs); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("PORTCULLIS_REFERENCE") == "write" {
		if err := os.WriteFile("descriptions.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(descriptions, want.Bytes()) {
		t.Error("descriptions.json is stale: make reference")
	}
}

// comments are those of a file's structs and of their fields.
func comments(t *testing.T, file string, docs map[string]string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range parsed.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			continue
		}
		spec := decl.Specs[0].(*ast.TypeSpec)
		if s, ok := spec.Type.(*ast.StructType); ok {
			describe(spec.Name.Name, decl.Doc.Text(), s, docs)
		}
	}
}

func describe(name, doc string, s *ast.StructType, docs map[string]string) {
	keys := map[string]string{} // by Go name
	for _, f := range s.Fields.List {
		if len(f.Names) == 1 && f.Tag != nil {
			keys[f.Names[0].Name] = reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
		}
	}
	docs[name] = sentence(name, doc, keys)
	for _, f := range s.Fields.List {
		if len(f.Names) == 1 {
			docs[name+"."+f.Names[0].Name] = sentence(f.Names[0].Name, f.Doc.Text(), keys)
		}
	}
}

// sentence is a comment for people who know the files and not the program:
// without the name that it begins with, and with the keys for fields' names.
func sentence(name, doc string, keys map[string]string) string {
	doc = strings.Join(strings.Fields(doc), " ")
	for _, field := range slices.Sorted(maps.Keys(keys)) {
		doc = regexp.MustCompile(`\b`+field+`\b`).ReplaceAllString(doc, keys[field])
	}
	if key := keys[name]; key != "" {
		name = key
	}
	doc = strings.TrimPrefix(strings.TrimPrefix(doc, name+" is "), name+" are ")
	doc = strings.Replace(doc, name, strings.TrimSuffix(name, "Document"), 1)
	if doc == "" {
		return ""
	}
	first := []rune(doc)
	if word, _, _ := strings.Cut(doc, " "); word != name {
		first[0] = unicode.ToUpper(first[0])
	}
	return string(first)
}

func TestSentence(t *testing.T) {
	keys := map[string]string{"Clusters": "clusters", "Selector": "clusterSelector", "Rate": "rate"}
	for _, c := range []struct{ name, doc, want string }{
		{"Clusters", "Clusters are KKP cluster IDs. Exactly one of Clusters and\nSelector.", "KKP cluster IDs. Exactly one of clusters and clusterSelector."},
		{"LimitsDocument", "LimitsDocument bound what a file can let in.", "Limits bound what a file can let in."},
		{"Rate", "Rate is how many writes a second.", "How many writes a second."},
		{"Selector", "Selector picks clusters.", "clusterSelector picks clusters."},
		{"Rate", "", ""},
	} {
		if got := sentence(c.name, c.doc, keys); got != c.want {
			t.Errorf("%q: got %q, want %q", c.doc, got, c.want)
		}
	}
}
