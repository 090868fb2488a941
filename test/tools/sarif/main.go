// Command sarif holds a document on its standard input against the schema of
// SARIF 2.1.0, as the module go-sarif has it from OASIS, and prints what is
// wrong. It is a module of its own so that the project's stays small.
package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // whose source holds the schema
	"github.com/xeipuuv/gojsonschema"
)

const pkg = "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

func main() {
	if err := validate(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("valid")
}

func validate(in io.Reader) error {
	document, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	schema, err := schemaText()
	if err != nil {
		return fmt.Errorf("find the schema: %w", err)
	}
	result, err := gojsonschema.Validate(gojsonschema.NewStringLoader(schema), gojsonschema.NewBytesLoader(document))
	if err != nil {
		return err
	}
	var faults []error
	for _, f := range result.Errors() {
		faults = append(faults, errors.New(f.String()))
	}
	return errors.Join(faults...)
}

// schemaText is the constant that the module keeps to itself.
func schemaText() (string, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", pkg).Output()
	if err != nil {
		return "", err
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(out)), "schema.go"), nil, 0)
	if err != nil {
		return "", err
	}
	var text string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING && len(s.Value) > len(text) {
			text = s.Value
		}
		return true
	})
	return strconv.Unquote(text)
}
