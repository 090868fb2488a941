package meaning

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// Side is one side of a comparison.
type Side struct {
	// Clusters by seed and ID, seed/id. The seed is empty where no file names
	// one.
	Clusters map[string]*render.Wanted
	Files    []render.File
	// Findings are all of the files, sorted.
	Findings []lint.Finding

	// Holds are what the seed would hold of the files, against what is live; none
	// where that is not known.
	Holds []render.MassHold

	plans map[string]*render.Plan // by seed
	asIs  map[string]*render.Plan // of the files without targets: for the rules
}

// Trees is what is compared: the files of both sides, and what the plans
// depend on besides.
type Trees struct {
	Before, After []render.File
	Policy        *policy.Policy
	Inventory     render.Inventory
	Seed          string // empty for all seeds
	Now           time.Time
}

// Plans makes both sides, the second one on the base of the first: a file that
// goes or is refused leaves the list that was there.
func Plans(t Trees) (before, after Side) {
	seeds := t.seeds()
	before = t.side(seeds, t.Before, nil)
	after = t.side(seeds, t.After, &before)
	if t.Inventory.Known {
		for _, seed := range seeds {
			after.Holds = append(after.Holds, t.holds(seed, before.plans[seed])...)
		}
	}
	return before, after
}

// holds asks the guard that the seed asks, which measures against what is live.
func (t Trees) holds(seed string, accepted *render.Plan) []render.MassHold {
	in := t.input(seed, t.After, accepted)
	in.Guard = &render.Guard{}
	return render.Render(in).Holds
}

// Alone is the side of t.After without anything before it.
func Alone(t Trees) Side { return t.side(t.seeds(), t.After, nil) }

// seeds are those to plan for.
func (t Trees) seeds() []string {
	if t.Seed != "" {
		return []string{t.Seed}
	}
	if known := t.Policy.SeedNames(); known != nil {
		return known
	}
	named := map[string]bool{}
	for _, f := range slices.Concat(t.Before, t.After) {
		for _, a := range f.Parsed.Allowlists {
			named[a.Spec.Seed.V] = true
		}
	}
	if len(named) == 0 {
		return []string{""}
	}
	return slices.Sorted(maps.Keys(named))
}

// unnamed is what a seed is called to a plan that is for one, where nobody has
// named it.
const unnamed = "unnamed"

func (t Trees) side(seeds []string, files []render.File, base *Side) Side {
	s := Side{Clusters: map[string]*render.Wanted{}, Files: files, plans: map[string]*render.Plan{}, asIs: map[string]*render.Plan{}}
	apart := len(seeds) > 1 && t.Policy.SeedNames() == nil // no policy tells them apart
	for _, seed := range seeds {
		rewritten, changed := rewrite(files, seed, apart, t.Inventory.Known)
		var was, wasAsIs *render.Plan
		if base != nil {
			was, wasAsIs = base.plans[seed], base.asIs[seed]
		}
		plan := t.plan(seed, rewritten, was)
		s.plans[seed], s.asIs[seed] = plan, plan
		if changed && !apart || wasAsIs != was { // the rules are asked about the files as they are
			s.asIs[seed] = t.plan(seed, files, wasAsIs)
		}
		for id, w := range plan.Clusters {
			s.Clusters[seed+"/"+id] = w
		}
		if was != nil {
			t.addUntold(&s, seed, was)
		}
		s.Findings = append(s.Findings, s.asIs[seed].Findings...)
	}
	lint.Sort(s.Findings)
	s.Findings = slices.Compact(s.Findings)
	return s
}

func (t Trees) plan(seed string, files []render.File, base *render.Plan) *render.Plan {
	return render.Render(t.input(seed, files, base))
}

func (t Trees) input(seed string, files []render.File, base *render.Plan) render.Input {
	in := render.Input{Files: files, Sources: []string{""}, Policy: t.Policy, Inventory: t.Inventory, Seed: cmp.Or(seed, unnamed), Now: t.Now}
	switch {
	case base != nil:
		in.Base = base.Base()
	case t.Inventory.Known: // nothing is new: what depends on that takes the milder way
		in.Base = render.Restore("", nil, nil, nil, nil, nil)
	}
	return in
}

// target marks what stands for the clusters of a selector. No cluster's name
// can begin so.
const target = "*"

// rewrite gives each list with a selector a target of its own where it is not
// known which clusters it selects, and with apart leaves out the lists for
// other seeds. The files given are not changed.
func rewrite(files []render.File, seed string, apart, known bool) (out []render.File, changed bool) {
	out = make([]render.File, 0, len(files))
	for _, f := range files {
		for _, a := range f.Parsed.Allowlists {
			if apart && a.Spec.Seed.V != seed || !known && a.Spec.Selector.Set {
				f.Parsed, changed = rewriteLists(f, seed, apart, known), true
				break
			}
		}
		out = append(out, f)
	}
	return out, changed
}

func rewriteLists(f render.File, seed string, apart, known bool) *document.Parsed {
	changed := *f.Parsed
	changed.Allowlists = nil
	for _, a := range f.Parsed.Allowlists {
		switch {
		case apart && a.Spec.Seed.V != seed:
		case !known && a.Spec.Selector.Set:
			changed.Allowlists = append(changed.Allowlists, withTarget(f.Tenant, a))
		default:
			changed.Allowlists = append(changed.Allowlists, a)
		}
	}
	return &changed
}

func withTarget(tenant string, a *document.Allowlist) *document.Allowlist {
	own := *a
	id := target + tenant + ":" + a.Metadata.Name.V
	own.Spec.Clusters = document.List[document.Value[string]]{Node: a.Spec.Selector.Node,
		Items: []document.Value[string]{{V: id, Pos: a.Spec.Selector.Key, Set: true}}}
	return &own // with its selector, by which it may have more clusters
}

// isTarget tells whether an ID stands for the clusters of a selector.
func isTarget(id string) bool { return strings.HasPrefix(id, target) }

// Of is the side of one plan of a seed whose clusters are known, of the files
// that it was made from, with what the seed would hold of it.
func Of(seed string, plan *render.Plan, files []render.File, holds []render.MassHold) Side {
	s := Side{Clusters: make(map[string]*render.Wanted, len(plan.Clusters)), Files: files, Findings: plan.Findings, Holds: holds,
		plans: map[string]*render.Plan{seed: plan}, asIs: map[string]*render.Plan{seed: plan}}
	for id, w := range plan.Clusters {
		s.Clusters[seed+"/"+id] = w
	}
	return s
}
