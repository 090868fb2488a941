package apply

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render"
)

// Prefixes of the entries of a source's document.
const (
	claimEntry     = "claim/"
	deviationEntry = "deviation/"
	tenantEntry    = "tenant/"
	refusedEntry   = "refused/"
	overdueEntry   = "overdue/"
	pullEntry      = "pull/"
	forceEntry     = "force/"
	keptEntry      = "kept/"
	restingEntry   = "resting/"
)

// sourceDocument takes apart a source's state: what grows with the clusters
// becomes entries.
func sourceDocument(s SourceState) (document, error) {
	head, err := json.Marshal(s)
	if err != nil {
		return document{}, fmt.Errorf("encode state of source %s: %w", s.Name, err)
	}
	d := document{head: head, entries: map[string]json.RawMessage{}}
	for _, err := range []error{
		put(d, claimEntry, s.Claims), put(d, deviationEntry, s.Deviations), put(d, tenantEntry, s.Tenants),
		put(d, refusedEntry, setOf(s.Refused)), put(d, overdueEntry, setOf(s.Overdue)), put(d, pullEntry, s.Pulls), put(d, forceEntry, s.Force), put(d, keptEntry, s.Kept), put(d, restingEntry, s.Resting),
	} {
		if err != nil {
			return document{}, fmt.Errorf("encode state of source %s: %w", s.Name, err)
		}
	}
	return d, nil
}

func put[T any](d document, prefix string, values map[string]T) error {
	for key, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("%s%s: %w", prefix, key, err)
		}
		d.entries[prefix+key] = text
	}
	return nil
}

// sourceState puts a source's state together again.
func (d document) sourceState() (SourceState, error) {
	var s SourceState
	if err := json.Unmarshal(d.head, &s); err != nil {
		return SourceState{}, fmt.Errorf("head: %w", err)
	}
	var errs [9]error
	s.Claims, errs[0] = take[render.Claim](d, claimEntry)
	s.Deviations, errs[1] = take[Deviation](d, deviationEntry)
	s.Tenants, errs[2] = take[string](d, tenantEntry)
	refused, err := take[bool](d, refusedEntry)
	errs[3] = err
	s.Pulls, errs[4] = take[PullRecord](d, pullEntry)
	s.Force, errs[5] = take[string](d, forceEntry)
	s.Kept, errs[6] = take[[]string](d, keptEntry)
	s.Resting, errs[7] = take[Standing](d, restingEntry)
	overdue, err := take[bool](d, overdueEntry)
	errs[8] = err
	for _, err := range errs {
		if err != nil {
			return SourceState{}, err
		}
	}
	s.Refused, s.Overdue = slices.Sorted(maps.Keys(refused)), slices.Sorted(maps.Keys(overdue))
	return s, nil
}

func setOf(words []string) map[string]bool {
	out := map[string]bool{}
	for _, w := range words {
		out[w] = true
	}
	return out
}

// take reads the entries of one kind; nil where there are none.
func take[T any](d document, prefix string) (map[string]T, error) {
	var out map[string]T
	for key, text := range d.entries {
		name, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		var value T
		if err := json.Unmarshal(text, &value); err != nil {
			return nil, fmt.Errorf("entry %s: %w", key, err)
		}
		if out == nil {
			out = map[string]T{}
		}
		out[name] = value
	}
	return out, nil
}
