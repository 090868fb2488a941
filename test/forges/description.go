package forges

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Description is an API's, in OpenAPI 3.0, as far as requests and answers in
// JSON are held against it.
type Description struct {
	document object
	routes   map[string][]string // method and number of segments: paths

	compiling sync.Mutex // a compiler keeps what it has compiled
	compiler  *jsonschema.Compiler
}

// root is what the document is called within the compiler.
const root = "https://description.invalid/openapi.json"

// ReadDescription reads one of a file.
func ReadDescription(path string) (*Description, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	document, ok := parsed.(object)
	if !ok {
		return nil, fmt.Errorf("read %s: no object", path)
	}
	d := &Description{document: document, compiler: jsonschema.NewCompiler(), routes: map[string][]string{}}
	nullable(document)
	// Draft 4 is what OpenAPI 3.0's schemas are made of.
	d.compiler.DefaultDraft(jsonschema.Draft4)
	if err := d.compiler.AddResource(root, document); err != nil {
		return nil, err
	}
	for path := range d.object("paths") {
		key := strconv.Itoa(strings.Count(path, "/"))
		d.routes[key] = append(d.routes[key], path)
	}
	return d, nil
}

// nullable turns OpenAPI's own word for "or null" into JSON Schema's.
func nullable(node any) {
	switch node := node.(type) {
	case []any:
		for _, n := range node {
			nullable(n)
		}
	case object:
		for _, n := range node {
			nullable(n)
		}
		if node["nullable"] != true {
			return
		}
		if t, ok := node["type"].(string); ok {
			node["type"] = []any{t, "null"}
		}
		if values, ok := node["enum"].([]any); ok {
			node["enum"] = append(values, nil)
		}
		for _, of := range []string{"allOf", "anyOf", "oneOf"} {
			if parts, ok := node[of].([]any); ok {
				delete(node, of)
				node["anyOf"] = []any{object{of: parts}, object{"type": "null"}}
			}
		}
	}
}

// object follows names from the document's root; empty where one is missing.
func (d *Description) object(names ...string) object {
	at := d.document
	for _, name := range names {
		at, _ = at[name].(object)
	}
	return at
}

// resolve follows a reference, and gives the pointer of what it leads to.
func (d *Description) resolve(node object, pointer string) (object, string) {
	for {
		ref, ok := node["$ref"].(string)
		if !ok {
			return node, pointer
		}
		pointer = strings.TrimPrefix(ref, "#")
		node = d.object(strings.Split(strings.TrimPrefix(pointer, "/"), "/")...)
	}
}

// operation is what is called by a method on a path: the one with the fewest
// parameters that fits.
func (d *Description) operation(method, path string) (op object, template string, err error) {
	parts := strings.Split(path, "/")
	fewest := len(parts) + 1
	for _, candidate := range d.routes[strconv.Itoa(strings.Count(path, "/"))] {
		names, fits := strings.Split(candidate, "/"), true
		parameters := 0
		for i, name := range names {
			if strings.HasPrefix(name, "{") {
				parameters++
			} else if name != parts[i] {
				fits = false
			}
		}
		if found := d.object("paths", candidate, strings.ToLower(method)); fits && parameters < fewest && found != nil {
			op, template, fewest = found, candidate, parameters
		}
	}
	if op == nil {
		return nil, "", fmt.Errorf("%s %s is not in the description", method, path)
	}
	return op, template, nil
}

// Check holds an exchange against the description. The path is below the
// API's own.
func (d *Description) Check(e Exchange) error {
	op, template, err := d.operation(e.Method, e.Path)
	if err != nil {
		return err
	}
	at := "/paths/" + strings.ReplaceAll(template, "/", "~1") + "/" + strings.ToLower(e.Method)
	if err := errors.Join(d.checkQuery(op, template, e.Query), d.checkRequest(op, at, e.Request), d.checkAnswer(op, at, e)); err != nil {
		return fmt.Errorf("%s %s: %w", e.Method, e.Path, err)
	}
	return nil
}

// checkQuery wants every parameter that was sent to be there, with a value of
// its type.
func (d *Description) checkQuery(op object, template string, sent url.Values) error {
	known := map[string]object{}
	shared := d.object("paths", template)["parameters"]
	for _, list := range []any{op["parameters"], shared} {
		parameters, _ := list.([]any)
		for _, p := range parameters {
			node, _ := d.resolve(p.(object), "")
			if node["in"] == "query" {
				known[node["name"].(string)], _ = node["schema"].(object)
			}
		}
	}
	var errs []error
	for name, values := range sent {
		schema, ok := known[name]
		if !ok {
			errs = append(errs, fmt.Errorf("query parameter %s is not in the description", name))
			continue
		}
		_, notNumber := strconv.Atoi(values[0])
		if schema["type"] == "integer" && notNumber != nil {
			errs = append(errs, fmt.Errorf("query parameter %s is %q, want an integer", name, values[0]))
		}
		if allowed, ok := schema["enum"].([]any); ok && !contains(allowed, values[0]) {
			errs = append(errs, fmt.Errorf("query parameter %s is %q, want one of %v", name, values[0], allowed))
		}
	}
	return errors.Join(errs...)
}

func contains(all []any, s string) bool {
	for _, v := range all {
		if v == s {
			return true
		}
	}
	return false
}

func (d *Description) checkRequest(op object, at string, body []byte) error {
	request, _ := op["requestBody"].(object)
	required, _ := request["required"].(bool)
	switch {
	case len(body) == 0 && required:
		return errors.New("the request has no body")
	case len(body) == 0:
		return nil
	case request == nil:
		return errors.New("the request has a body, and should not")
	}
	if err := d.validate(at+"/requestBody/content/application~1json/schema", body); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return nil
}

// checkAnswer lets failures pass that the description does not list: GitHub's
// leaves out many.
func (d *Description) checkAnswer(op object, at string, e Exchange) error {
	node, there := within(op, "responses", strconv.Itoa(e.Code))
	if !there {
		if e.Code >= http.StatusBadRequest {
			return nil
		}
		return fmt.Errorf("the answer %d is not in the description", e.Code)
	}
	node, pointer := d.resolve(node, at+"/responses/"+strconv.Itoa(e.Code))
	if _, ok := within(node, "content", "application/json"); !ok {
		if len(bytes.TrimSpace(e.Answer)) > 0 {
			return fmt.Errorf("the answer %d has a body, and should not", e.Code)
		}
		return nil
	}
	if err := d.validate(pointer+"/content/application~1json/schema", e.Answer); err != nil {
		return fmt.Errorf("answer %d: %w", e.Code, err)
	}
	return nil
}

func within(node object, names ...string) (object, bool) {
	for _, name := range names {
		next, ok := node[name].(object)
		if !ok {
			return nil, false
		}
		node = next
	}
	return node, true
}

func (d *Description) validate(pointer string, body []byte) error {
	schema, err := d.compile(pointer)
	if err != nil {
		return fmt.Errorf("compile %s: %w", pointer, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func (d *Description) compile(pointer string) (*jsonschema.Schema, error) {
	d.compiling.Lock()
	defer d.compiling.Unlock()
	return d.compiler.Compile(root + "#" + (&url.URL{Path: pointer}).EscapedPath())
}

// Complete adds to an answer what its schema requires and it lacks, with the
// least values that there are. What it has and the schema does not know is an
// error.
func (d *Description) Complete(method, path string, code int, body any) (any, error) {
	op, _, err := d.operation(method, path)
	if err != nil {
		return nil, err
	}
	node, ok := within(op, "responses", strconv.Itoa(code))
	if !ok {
		return nil, fmt.Errorf("%s %s: the answer %d is not in the description", method, path, code)
	}
	node, _ = d.resolve(node, "")
	schema, ok := within(node, "content", "application/json", "schema")
	if !ok {
		return body, nil
	}
	full, err := d.fill(schema, body, true)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return full, nil
}
