package render

import (
	"maps"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/render/lint"
)

// lines are, by tenant, the lines with an end in files that were accepted: with
// them the lines that a change adds are told from those it moves.
type lines map[string]map[string]bool

func (l lines) add(tenant, line string) {
	if l[tenant] == nil {
		l[tenant] = map[string]bool{}
	}
	l[tenant][line] = true
}

// rememberLines notes the lines of the files that are not refused. A tenant
// with a refused file keeps those that it had, so that putting the file right
// does not make new lines of old ones, and those whose time is not up: they came
// in time, and whatever else refuses the file may last longer. Where it is not known
// which it had, those that it has.
func (r *rendering) rememberLines(into lines, known map[string]bool) {
	for _, t := range r.tenants {
		for _, f := range t.files {
			if r.refused[f.ID()] && r.Base.known[f.Source] {
				for line := range r.Base.lines[t.name] {
					into.add(t.name, line)
				}
				for _, line := range lint.DatedLines(f.Parsed, r.Now) {
					into.add(t.name, line)
				}
				continue
			}
			if r.refused[f.ID()] && r.overdue[f.ID()] {
				continue // these were new
			}
			for _, line := range lint.DatedLines(f.Parsed, time.Time{}) {
				into.add(t.name, line)
			}
		}
	}
	r.rememberSources(known)
}

// Overdue are the paths of a source's files that are refused and hold lines which
// had expired when they were added; sorted. A restart could not tell those lines
// from ones that were accepted, and expired since.
func (p *Plan) Overdue(source string) []string {
	var out []string // nil where there are none
	for id := range p.overdue {
		if id.Source == source && p.Refused[id] {
			out = append(out, id.Path)
		}
	}
	slices.Sort(out)
	return out
}

// rememberSources notes of which sources the lines are known from now on.
func (r *rendering) rememberSources(known map[string]bool) {
	maps.Copy(known, r.Base.known)
	for _, source := range r.Sources {
		known[source] = true
	}
	for _, f := range r.Files {
		known[f.Source] = true
	}
}

// added tells whether a line is new to a tenant's files. At the first time,
// offline and after a lost state there is nothing to compare with, and nothing
// counts as new: a day that passed must not refuse a file that was accepted.
func (r *rendering) added(t *tenant) func(line string) bool {
	if len(t.files) == 0 || !r.Base.known[t.files[0].Source] {
		return nil
	}
	old := r.Base.lines[t.name]
	return func(line string) bool { return !old[line] }
}

func (l lines) with(other lines) lines {
	out := maps.Clone(l)
	if out == nil {
		out = lines{}
	}
	maps.Copy(out, other)
	return out
}
