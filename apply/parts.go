package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
)

// document is a piece of state of any size: a small head, and entries by key.
// It is kept in one ConfigMap as long as it fits, and else in several parts,
// each entry in the part that its key's hash names. An entry is whole by
// itself, so that parts written at different times still make sense together.
type document struct {
	head    json.RawMessage
	entries map[string]json.RawMessage
}

// part is what one ConfigMap holds of a document.
type part struct {
	Version int                        `json:"version"`
	Index   int                        `json:"index"`
	Parts   int                        `json:"parts"` // of the document
	Head    json.RawMessage            `json:"head,omitempty"`
	Entries map[string]json.RawMessage `json:"entries,omitempty"`
}

const (
	stateVersion = 1
	// maxPart bounds a ConfigMap's content, in bytes; the API server's own
	// limit is 1 MiB for the whole object.
	maxPart = 900 << 10
	// maxParts bounds a document to what 10,000 clusters need many times over.
	maxParts = 64
)

var errTooLarge = errors.New("state does not fit")

// split divides a document into at least so many parts, and more where one
// would be too large. Their number never shrinks: an old part left behind
// would bring back entries that are gone.
func (d document) split(atLeast int) ([]json.RawMessage, error) {
	for n := max(1, atLeast); n <= maxParts; n *= 2 {
		out, err := d.into(n)
		if err != nil {
			return nil, err
		}
		if fits(out) {
			return out, nil
		}
	}
	return nil, fmt.Errorf("%w into %d ConfigMaps", errTooLarge, maxParts)
}

func (d document) into(n int) ([]json.RawMessage, error) {
	parts := make([]part, n)
	for i := range parts {
		parts[i] = part{Version: stateVersion, Index: i, Parts: n, Entries: map[string]json.RawMessage{}}
	}
	parts[0].Head = d.head
	for key, entry := range d.entries {
		parts[home(key, n)].Entries[key] = entry
	}
	out := make([]json.RawMessage, n)
	for i, p := range parts {
		text, err := json.Marshal(p) // keys come out sorted: equal content, equal text
		if err != nil {
			return nil, fmt.Errorf("encode state: %w", err)
		}
		out[i] = text
	}
	return out, nil
}

func fits(parts []json.RawMessage) bool {
	for _, p := range parts {
		if len(p) > maxPart {
			return false
		}
	}
	return true
}

// home is the part that holds a key. FNV-1a of the key: stable for ever, as
// what is stored depends on it.
func home(key string, parts int) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % uint32(parts))
}

// join puts parts together, whole or as a crash left them: while the number
// grows, part 0 may still hold what has moved already. Then the new home of a
// key is right.
func join(parts map[int]part) (document, error) {
	first, ok := parts[0]
	if !ok {
		return document{}, errors.New("its first part is missing")
	}
	d := document{head: first.Head, entries: map[string]json.RawMessage{}}
	for i := range first.Parts {
		if _, ok := parts[i]; !ok {
			return document{}, fmt.Errorf("part %d of %d is missing", i, first.Parts)
		}
	}
	n := 0
	for _, p := range parts {
		n = max(n, p.Parts)
		maps.Copy(d.entries, p.Entries)
	}
	for key := range d.entries {
		if p := parts[home(key, n)]; p.Parts == n { // written with the new number: it knows
			d.entries[key] = p.Entries[key]
		}
	}
	maps.DeleteFunc(d.entries, func(_ string, entry json.RawMessage) bool { return entry == nil })
	return d, nil
}

// decodePart reads the content of one ConfigMap.
func decodePart(text string) (part, error) {
	var p part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return part{}, err
	}
	if p.Version != stateVersion {
		return part{}, fmt.Errorf("version %d is not known", p.Version)
	}
	if p.Parts < 1 || p.Parts > maxParts || p.Index < 0 || p.Index >= p.Parts {
		return part{}, fmt.Errorf("part %d of %d makes no sense", p.Index, p.Parts)
	}
	return p, nil
}
