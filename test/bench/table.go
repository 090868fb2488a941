package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

// errPromise is wrapped where a number of requests is larger than promised.
var errPromise = errors.New("promises are broken")

// row is a line of the table and of the JSON. Value is the command's, and Ours
// the same where there is a reference.
type row struct {
	Work      string   `json:"work"`
	N         int      `json:"n"`
	Ours      *float64 `json:"ours,omitempty"`
	Reference *float64 `json:"reference,omitempty"`
	Value     float64  `json:"value"`
	Ratio     *float64 `json:"ratio,omitempty"` // ours to reference
	Unit      string   `json:"unit"`

	Runs       []float64 `json:"runs,omitempty"` // where there were several
	References []float64 `json:"references,omitempty"`
	Most       *int      `json:"most,omitempty"` // promised
	Note       string    `json:"note,omitempty"`
}

// table gathers the rows of a run.
type table struct {
	n    int
	rows []row
}

func newTable(n int) *table { return &table{n: n} }

// compare adds the medians of what was measured and of the reference. Their
// ratio is the median of those of each round: both of a round were measured
// close to each other, whatever else the machine did.
func (t *table) compare(work, unit string, ours, reference []float64) {
	o, r := median(ours), median(reference)
	var ratios []float64
	for i := range min(len(ours), len(reference)) {
		ratios = append(ratios, ours[i]/reference[i])
	}
	ratio := median(ratios)
	t.rows = append(t.rows, row{Work: work, N: t.n, Ours: &o, Reference: &r, Value: o, Ratio: &ratio, Unit: unit,
		Runs: several(ours), References: several(reference)})
}

// value adds the median of what has no reference.
func (t *table) value(work, unit string, ours []float64, note string) {
	t.rows = append(t.rows, row{Work: work, N: t.n, Value: median(ours), Unit: unit, Runs: several(ours), Note: note})
}

// promise adds a number of requests of which no more than so many are promised.
func (t *table) promise(work string, n, most int, note string) {
	t.rows = append(t.rows, row{Work: work, N: t.n, Value: float64(n), Unit: "requests", Most: &most, Note: note})
}

func several(values []float64) []float64 {
	if len(values) < 2 {
		return nil
	}
	return values
}

func (r row) broken() bool { return r.Most != nil && r.Value > float64(*r.Most) }

// finish prints the table, writes the JSON lines, and fails where a promise is
// broken.
func (t *table) finish(out io.Writer, path string) error {
	err := errors.Join(t.print(out), t.save(path))
	for _, r := range t.rows {
		if r.broken() {
			err = errors.Join(err, fmt.Errorf("%w: %s: %g, not %d", errPromise, r.Work, r.Value, *r.Most))
		}
	}
	return err
}

func (t *table) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "work (%d clusters)\tours\treference\tratio\tunit\tspread and words\n", t.n)
	for _, r := range t.rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Work, number(&r.Value), number(r.Reference), number(r.Ratio), r.Unit, r.words())
	}
	return w.Flush()
}

// words are the spread, what is promised, and the note.
func (r row) words() string {
	var words string
	if len(r.Runs) > 0 {
		words = "ours " + spread(r.Runs)
	}
	if len(r.References) > 0 {
		words += ", reference " + spread(r.References)
	}
	switch {
	case r.broken():
		words = fmt.Sprintf("BROKEN, at most %d", *r.Most)
	case r.Most != nil:
		words = fmt.Sprintf("at most %d", *r.Most)
	}
	if words != "" && r.Note != "" {
		words += "; "
	}
	return words + r.Note
}

func spread(values []float64) string {
	least, most := slices.Min(values), slices.Max(values)
	return number(&least) + " to " + number(&most)
}

// number shows three digits, and all of a large one.
func number(v *float64) string {
	switch {
	case v == nil:
		return "-"
	case *v == float64(int(*v)), *v >= 100:
		return fmt.Sprintf("%.0f", *v)
	}
	return fmt.Sprintf("%.3g", *v)
}

func (t *table) save(path string) error {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, r := range t.rows {
		if err := encoder.Encode(r); err != nil {
			return fmt.Errorf("encode the row %s: %w", r.Work, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, lines.Bytes(), 0o644)
}
