package forges

import "fmt"

// fill adds what a schema requires to a value; given says that there is one.
func (d *Description) fill(schema object, value any, given bool) (any, error) {
	schema, _ = d.resolve(schema, "")
	if value == nil && (given || schema["nullable"] == true) {
		return nil, nil // where it is given, validation tells whether it may be
	}
	for _, of := range []string{"oneOf", "anyOf"} {
		if parts, ok := schema[of].([]any); ok {
			return d.fill(parts[0].(object), value, given)
		}
	}
	if parts, ok := schema["allOf"].([]any); ok {
		return d.fillAll(parts, value, given)
	}
	switch typeOf(schema) {
	case "object":
		return d.fillObject(schema, value, given)
	case "array":
		return d.fillArray(schema, value, given)
	}
	if given {
		return value, nil
	}
	return least(schema), nil
}

// fillAll gives a value what each of several schemas requires.
func (d *Description) fillAll(parts []any, value any, given bool) (any, error) {
	var err error
	for _, part := range parts {
		if value, err = d.fill(part.(object), value, given || value != nil); err != nil {
			return nil, err
		}
	}
	return value, nil
}

func (d *Description) fillObject(schema object, value any, given bool) (any, error) {
	out := object{}
	if given {
		var ok bool
		if out, ok = value.(object); !ok {
			return nil, fmt.Errorf("%T where an object belongs", value)
		}
	}
	properties, _ := schema["properties"].(object)
	for name, v := range out {
		property, ok := properties[name].(object)
		if !ok {
			return nil, fmt.Errorf("%s is not in the description", name)
		}
		full, err := d.fill(property, v, true)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = full
	}
	required, _ := schema["required"].([]any)
	for _, r := range required {
		name := r.(string)
		if _, there := out[name]; there {
			continue
		}
		property, _ := properties[name].(object)
		full, err := d.fill(property, nil, false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = full
	}
	return out, nil
}

func (d *Description) fillArray(schema object, value any, given bool) (any, error) {
	if !given {
		return []any{}, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("%T where an array belongs", value)
	}
	items, _ := schema["items"].(object)
	for i, v := range list {
		full, err := d.fill(items, v, true)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		list[i] = full
	}
	return list, nil
}

// typeOf is the schema's type, the first where null is another.
func typeOf(schema object) string {
	switch t := schema["type"].(type) {
	case string:
		return t
	case []any:
		s, _ := t[0].(string)
		return s
	}
	if schema["properties"] != nil {
		return "object"
	}
	return ""
}

// least is a value of a plain type.
func least(schema object) any {
	if schema["nullable"] == true {
		return nil
	}
	if values, ok := schema["enum"].([]any); ok {
		return values[0]
	}
	switch typeOf(schema) {
	case "string":
		switch schema["format"] {
		case "date-time":
			return "2026-11-22T20:00:00Z"
		case "uri":
			return "https://git.example.com/"
		}
		return ""
	case "integer", "number":
		return 0
	case "boolean":
		return false
	}
	return nil
}
