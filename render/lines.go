package render

import (
	"maps"

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
// does not make new lines of old ones.
func (r *rendering) rememberLines(into lines) {
	for _, t := range r.tenants {
		for _, f := range t.files {
			if r.refused[f.ID()] {
				for line := range r.Base.lines[t.name] {
					into.add(t.name, line)
				}
				continue
			}
			for _, line := range lint.DatedLines(f.Parsed) {
				into.add(t.name, line)
			}
		}
	}
}

// added tells whether a line is new to a tenant's files. Without a seed there
// is nothing to compare with, and nothing counts as new.
func (r *rendering) added(t *tenant) func(line string) bool {
	if !r.Inventory.Known {
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
