package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// errPromise is wrapped where a number of requests is larger than promised.
var errPromise = errors.New("promises are broken")

// figure is a line of the JSON. Value is the command's, and Ours the same where
// there is a reference; what there is not is null.
type figure struct {
	Work      string   `json:"work"`
	N         int      `json:"n"`
	Ours      *float64 `json:"ours"`
	Reference *float64 `json:"reference"`
	Value     float64  `json:"value"`
	Ratio     *float64 `json:"ratio"` // ours to reference
	Unit      string   `json:"unit"`
}

// row is a line of the table: a figure with what makes it understood.
type row struct {
	figure

	Against string `json:"against,omitempty"` // whose the reference is
	Aim     string `json:"aim,omitempty"`     // in words
	Met     *bool  `json:"met,omitempty"`     // whether what is aimed at was reached

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

// entry is a row to come: what is known of it before it is measured.
type entry struct {
	t                *table
	reference, words string
	aim              string
	reached          func(row) bool
}

func (t *table) against(reference string) entry { return entry{t: t, reference: reference} }
func (t *table) most(v float64) entry           { return entry{t: t}.under(v) }

func (e entry) note(words string) entry { e.words = words; return e }

// atLeast and atMost say what ratio is aimed at. Nothing fails where it is
// missed: speed depends on the machine.
func (e entry) atLeast(ratio float64) entry {
	e.aim, e.reached = fmt.Sprintf("at least %g", ratio), func(r row) bool { return r.Ratio != nil && *r.Ratio >= ratio }
	return e
}

func (e entry) atMost(ratio float64) entry {
	e.aim, e.reached = fmt.Sprintf("at most %g", ratio), func(r row) bool { return r.Ratio != nil && *r.Ratio <= ratio }
	return e
}

// under says what ours is to be less than, whatever the reference is.
func (e entry) under(v float64) entry {
	e.aim, e.reached = fmt.Sprintf("under %g", v), func(r row) bool { return r.Value < v }
	return e
}

// compare adds the medians of what was measured and of the reference. Their
// ratio is the median of those of each round: both of a round were measured
// close to each other, whatever else the machine did. What was not measured is
// no row.
func (e entry) compare(work, unit string, ours, reference []float64) {
	if len(ours) == 0 || len(reference) == 0 {
		return
	}
	o, r := median(ours), median(reference)
	e.add(row{figure: figure{Work: work, N: e.t.n, Ours: &o, Reference: &r, Value: o, Ratio: ratio(ours, reference), Unit: unit},
		Against: e.reference, Runs: several(ours), References: several(reference), Note: e.words})
}

// ratio is nil where something was measured as nothing.
func ratio(ours, reference []float64) *float64 {
	if slices.Contains(reference, 0) {
		return nil
	}
	out := median(ours) / median(reference)
	if len(ours) == len(reference) {
		var each []float64
		for i := range ours {
			each = append(each, ours[i]/reference[i])
		}
		out = median(each)
	}
	return &out
}

// value adds the median of what has no reference.
func (e entry) value(work, unit string, ours []float64, note string) {
	if len(ours) > 0 {
		e.add(row{figure: figure{Work: work, N: e.t.n, Value: median(ours), Unit: unit}, Runs: several(ours), Note: note})
	}
}

func (e entry) add(r row) {
	if e.reached != nil {
		met := e.reached(r)
		r.Aim, r.Met = e.aim, &met
	}
	e.t.rows = append(e.t.rows, r)
}

func (t *table) value(work, unit string, ours []float64, note string) {
	entry{t: t}.value(work, unit, ours, note)
}

// works is the order of the table, by how the rows begin.
var works = [...]string{"unchanged", "one file changed", "first sync", "restart", "reading", "check", "memory", "the provider's group", "a pull request", "many seeds"}

// sort puts the rows into the order of the work.
func (t *table) sort() {
	at := func(r row) int {
		return slices.IndexFunc(works[:], func(w string) bool { return strings.HasPrefix(r.Work, w) })
	}
	slices.SortStableFunc(t.rows, func(a, b row) int { return cmp.Compare(at(a), at(b)) })
}

// promise adds a number of requests of which no more than so many are promised.
func (t *table) promise(work string, n, most int, note string) {
	t.rows = append(t.rows, row{figure: figure{Work: work, N: t.n, Value: float64(n), Unit: "requests"}, Most: &most, Note: note})
}

func several(values []float64) []float64 {
	if len(values) < 2 {
		return nil
	}
	return values
}

func (r row) broken() bool { return r.Most != nil && r.Value > float64(*r.Most) }

// broken is an error where a promise is.
func (t *table) broken() error {
	var err error
	for _, r := range t.rows {
		if r.broken() {
			err = errors.Join(err, fmt.Errorf("%w: %d clusters: %s: %g, not %d", errPromise, t.n, r.Work, r.Value, *r.Most))
		}
	}
	return err
}

func (t *table) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "work (%d clusters)\tours\treference\t\tratio\tunit\taim, spread and words\n", t.n)
	for _, r := range t.rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Work, number(&r.Value), number(r.Reference), r.Against, number(r.Ratio), r.Unit, r.words())
	}
	return w.Flush()
}

// markdown is the same for a page.
func (t *table) markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "| work (%d clusters) | ours | reference | | ratio | unit | aim, spread and words |\n|---|---|---|---|---|---|---|\n", t.n)
	for _, r := range t.rows {
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Work, number(&r.Value), number(r.Reference), r.Against, number(r.Ratio), r.Unit, r.words())
	}
	return out.String()
}

// words are what is promised or aimed at, the spread, and the note.
func (r row) words() string {
	var words []string
	switch {
	case r.broken():
		words = append(words, fmt.Sprintf("BROKEN, at most %d", *r.Most))
	case r.Most != nil:
		words = append(words, fmt.Sprintf("at most %d", *r.Most))
	case r.Met != nil && *r.Met:
		words = append(words, "aim met: "+r.Aim)
	case r.Met != nil:
		words = append(words, "aim MISSED: "+r.Aim)
	}
	if len(r.Runs) > 0 {
		words = append(words, "ours "+spread(r.Runs))
	}
	if len(r.References) > 0 {
		words = append(words, "reference "+spread(r.References))
	}
	if r.Note != "" {
		words = append(words, r.Note)
	}
	return strings.Join(words, "; ")
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

// save writes a JSON line for each figure of all sizes, and beside it, where
// more is to be known, one for each row: what its runs were, and the words.
func save(path string, tables []*table) error {
	var figures, rows bytes.Buffer
	plain, full := json.NewEncoder(&figures), json.NewEncoder(&rows)
	for _, t := range tables {
		for _, r := range t.rows {
			if err := errors.Join(plain.Encode(r.figure), full.Encode(r)); err != nil {
				return fmt.Errorf("encode the row %s: %w", r.Work, err)
			}
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(path, figures.Bytes(), 0o644), os.WriteFile(beside(path, "-runs.json"), rows.Bytes(), 0o644))
}

// beside is another file of the same results.
func beside(path, end string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + end }
