package render

import (
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// Base is what was accepted before: who had which cluster and which name, what
// each cluster was to carry, and which files stood without fault.
type Base struct {
	accepted map[FileID]string // fingerprints
	names    map[docName]string
	claims   map[string]Claim // said besides wanted, see claim
	wanted   map[string]*Wanted
	lines    lines // that have an end
	// known are the sources of which lines are known, all of them.
	known map[string]bool
	// restored are the sources just read again after a restart: what their
	// files claim was claimed before, unless something says otherwise.
	restored map[string]bool
	// force are the prints of what was in force before a restart, by source and
	// tenant; guarded the clusters that a guard held then.
	force   map[string]map[string]string
	guarded map[string]bool
	// massHeld are the clusters that wait for approval, with the reason.
	massHeld map[string]string
	// found are the clusters that were found to carry a list, see Find.
	found map[string]*Wanted
}

// With is both bases together. They must be of different sources.
func (b *Base) With(other *Base) *Base {
	out := newBase()
	for _, from := range []*Base{b, other} {
		if from == nil {
			continue
		}
		maps.Copy(out.accepted, from.accepted)
		maps.Copy(out.names, from.names)
		for id := range from.wanted {
			if c, had := from.claim(id); had {
				out.claims[id] = c
			}
		}
		maps.Copy(out.claims, from.claims)
		maps.Copy(out.wanted, from.wanted)
		maps.Copy(out.known, from.known)
		maps.Copy(out.restored, from.restored)
		maps.Copy(out.force, from.force)
		maps.Copy(out.guarded, from.guarded)
		maps.Copy(out.massHeld, from.massHeld)
		maps.Copy(out.found, from.found)
		out.lines = out.lines.with(from.lines)
	}
	return out
}

func newBase() *Base {
	return &Base{accepted: map[FileID]string{}, names: map[docName]string{}, claims: map[string]Claim{},
		wanted: map[string]*Wanted{}, lines: lines{}, known: map[string]bool{}, restored: map[string]bool{}, force: map[string]map[string]string{}, guarded: map[string]bool{}, massHeld: map[string]string{}, found: map[string]*Wanted{}}
}

// Base is the plan as the base of the next one.
func (p *Plan) Base() *Base {
	b := &Base{accepted: p.accepted, names: p.names, wanted: p.Clusters, lines: p.lines, known: p.known, massHeld: map[string]string{}, found: p.found}
	if len(p.found) > 0 { // what is wanted for now only was accepted by nobody
		b.wanted = maps.Clone(p.Clusters)
		maps.DeleteFunc(b.wanted, func(_ string, w *Wanted) bool { return w.provisional })
	}
	for id, w := range b.wanted {
		if w.Asked != nil && w.Held.Rule == RuleBlastRadius {
			b.massHeld[id] = w.Held.Message
		}
	}
	return b
}

// claim is who had a cluster.
func (b *Base) claim(id string) (Claim, bool) {
	if c, said := b.claims[id]; said {
		return c, true
	}
	w := b.wanted[id]
	if w == nil || w.Access == "" { // a file that was refused from the first never had it
		return Claim{}, false
	}
	return w.Claim, true
}

// Retained is the last good list of a cluster whose list no longer follows
// from the files that were accepted.
type Retained struct {
	UID string `json:"uid,omitempty"`
	// Project is the cluster's when the list was accepted.
	Project string  `json:"project,omitempty"`
	Claim   Claim   `json:"claim"`
	Access  Access  `json:"access"`
	Entries []Entry `json:"entries"`
	Hold    Hold    `json:"hold"`
}

// only is the UID of the one Cluster that the list stayed on without a file.
func (k Retained) only() string {
	if k.Hold.Rule == "removed-allowlist" {
		return k.UID
	}
	return ""
}

// Restore is the base after a restart, of one source: the files of the commit
// that was accepted last, of which some were refused, some of those for lines that
// had expired already, and what was kept besides.
func Restore(source string, files []File, refused, overdue []FileID, claims map[string]Claim, retained map[string]Retained) *Base {
	b := newBase()
	b.restored[source] = true
	r := newRendering(Input{Files: files, Base: b, Policy: policy.Default()})
	for _, id := range refused {
		r.refused[id] = true
	}
	for _, id := range overdue {
		r.overdue[id] = true
	}
	r.gather()
	r.rememberFiles(b.accepted, b.names)
	r.rememberRefused(b, retained)
	r.rememberLines(b.lines, b.known)
	for id, c := range claims {
		b.claims[id] = c
	}
	for id, kept := range retained {
		if kept.Hold.guards() {
			b.guarded[id] = true
		}
		if kept.Hold.Rule == RuleBlastRadius {
			b.massHeld[id] = kept.Hold.Message
		}
		if kept.Access == "" {
			continue
		}
		b.claims[id] = kept.Claim
		b.wanted[id] = &Wanted{only: kept.only(), Cluster: id, UID: kept.UID, Project: kept.Project, Claim: kept.Claim, Access: kept.Access, Entries: kept.Entries, Held: &kept.Hold}
	}
	return b
}

// rememberRefused gives refused files the names that they had: those of which
// lists are kept, for certain; else what they say now, most likely, the first
// by path where several say the same, as it was when they were refused.
func (r *rendering) rememberRefused(b *Base, retained map[string]Retained) {
	for _, kept := range retained {
		c := kept.Claim
		if name := (docName{c.Tenant, document.KindAllowlist, c.Name}); r.refused[c.File()] && b.names[name] == "" {
			b.names[name] = c.Path
		}
	}
	for _, t := range r.tenants {
		for _, f := range t.files {
			for _, name := range namesIn(f) {
				if b.names[name] == "" {
					b.names[name] = f.Path
				}
			}
		}
	}
}

// Retained are the lists to keep over a restart: those of held clusters.
func (p *Plan) Retained() map[string]Retained {
	out := map[string]Retained{}
	for id, w := range p.Clusters {
		if w.Held != nil && !w.provisional && (w.Access != "" || w.Asked != nil) {
			out[id] = Retained{UID: w.UID, Project: w.Project, Claim: w.Claim, Access: w.Access, Entries: kept(w), Hold: clipped(*w.Held)}
		}
	}
	return out
}

// mostKept bounds each text that is kept with an entry, in bytes: what is kept
// is for letting in, not for reading.
const mostKept = 200

// kept are the entries as they are written down: the provider's own are made
// anew from the policy, unless a guard keeps them too, be it that nobody asks for
// anything else any more.
func kept(w *Wanted) []Entry {
	var out []Entry
	whole := w.Asked != nil || w.Held.guards()
	for _, e := range w.Entries {
		if e.Kind != lint.FromPlatform || whole {
			e.Description, e.Owner, e.Ticket = clip(e.Description), clip(e.Owner), clip(e.Ticket)
			out = append(out, e)
		}
	}
	return out
}

func clipped(h Hold) Hold {
	const longest = 5 * mostKept
	h.Message = strings.ToValidUTF8(h.Message[:min(len(h.Message), longest)], "")
	return h
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), mostKept)], "") }

// held gives a cluster its last good list; key is its own in the plan.
func (r *rendering) held(key string, w *Wanted, why *Hold) *Wanted {
	w.Held = why
	before := r.Base.wanted[key]
	if before != nil && before.Claim.Tenant != w.Claim.Tenant && r.outlasts(key, before) {
		w.Claim, w.Held = before.Claim, r.removal(before)
	}
	if before == nil || before.Claim.Tenant != w.Claim.Tenant || before.goneWith(w.UID) { // made anew, under the same ID: another's list is not its
		return w
	}
	w.Access, w.only = before.Access, before.only
	if before.Access != Restricted {
		return w
	}
	seed := r.seedOf(key)
	res := r.compute(r.renewPlatform(before.Entries, seed, w.Cluster), seed)
	w.Entries, w.List, w.Unresolved = res.entries, res.list, before.Unresolved
	return w
}

// goneWith tells whether a list that stayed, though no file claimed its Cluster,
// went with that Cluster: the one of that UID was made anew under the same ID.
func (w *Wanted) goneWith(uid string) bool { return w.only != "" && uid != "" && w.only != uid }

// outlasts tells whether another tenant's list stays on a cluster until somebody
// has a good one for it: it is the same cluster, and only the policy is another.
// After a restart there are its entries, and no list yet.
func (r *rendering) outlasts(key string, before *Wanted) bool {
	return r.Inventory.Known && !r.letGo(key) && before.Access == Restricted && len(before.List)+len(before.Entries) > 0
}

// renewPlatform: a tenant's entries stay as they were, the provider's own are
// those of today.
func (r *rendering) renewPlatform(entries []Entry, seed, cluster string) []Entry {
	var out []Entry
	for _, e := range entries {
		if e.Kind != lint.FromPlatform {
			out = append(out, e)
		}
	}
	return append(out, r.platform(seed, r.Inventory.Clusters[cluster].Datacenter)...)
}

// keepRemoved holds the clusters that were claimed before and are not now: a
// file that is gone opens nothing, and neither does a policy that takes their
// project from the tenant. Clusters that are gone themselves are let go, and so
// are unmanaged ones; but not because their file cannot be read: another list
// would have them then.
func (r *rendering) keepRemoved() {
	for id, before := range r.Base.wanted {
		if r.wanted[id] != nil || before.Access == "" || before.Access == Unmanaged && !r.unreadable(before.Claim) {
			continue
		}
		if r.letGo(id) || r.maybeSelected(before) {
			continue
		}
		c := r.Inventory.Clusters[id]
		w := &Wanted{Cluster: before.Cluster, UID: c.UID, Project: c.Project, Title: Cluster{ID: before.Cluster, Name: c.Name}.Title(), Claim: before.Claim}
		r.wanted[id] = r.held(id, w, r.removal(before))
		r.wanted[id].only = c.UID
		if r.wanted[id].Held.Rule == "removed-allowlist" {
			r.reportRemoved(w)
		}
	}
}

// maybeSelected tells whether a selector of the tenant's may have the cluster
// by now: without the seed it is not known which it selects.
func (r *rendering) maybeSelected(before *Wanted) bool {
	if r.Inventory.Known {
		return false
	}
	return slices.ContainsFunc(r.listsOf(before.Claim.Tenant), func(l *list) bool {
		return l.doc.Spec.Selector.Set && r.good(l)
	})
}

// letGo tells whether a cluster that was claimed before is gone, was made anew,
// or is in another project: then its last list is not its own. Of a list that an
// older version wrote down without the project, the policy says whose it is.
func (r *rendering) letGo(id string) bool {
	before, known := r.Base.wanted[id]
	if !known || !r.Inventory.Known {
		return false
	}
	c, exists := r.Inventory.Clusters[id]
	if !exists || c.Deleting || before.UID != "" && c.UID != before.UID {
		return true
	}
	if before.Project == "" {
		return !r.owns(before.Claim.Tenant, c.Project)
	}
	return c.Project != before.Project
}

// givenUp tells whether nobody has a cluster any more by having had it: it is
// let go, or the policy gives it to another tenant.
func (r *rendering) givenUp(id string) bool {
	before, known := r.Base.wanted[id]
	return r.letGo(id) || known && r.Inventory.Known && !r.owns(before.Claim.Tenant, r.Inventory.Clusters[id].Project)
}

// unreadable tells whether a claim's file is there, and cannot be read far
// enough to tell whether it gave the cluster up.
func (r *rendering) unreadable(c Claim) bool {
	if t := r.byName[c.Tenant]; t != nil && r.refused[c.File()] {
		for _, f := range t.files {
			if f.ID() == c.File() {
				return f.Parsed.Unread
			}
		}
	}
	return false
}

// removal tells a file that cannot be read now from one that is gone.
func (r *rendering) removal(before *Wanted) *Hold {
	if r.byName[before.Claim.Tenant] == nil && before.Held != nil {
		return before.Held // nothing of the tenant's was read: it is as it was
	}
	if r.refused[before.Claim.File()] || r.blocked[before.Claim.File()] != nil {
		return r.refusal(&list{file: &File{Source: before.Claim.Source, Path: before.Claim.Path}})
	}
	if tenant, project := before.Claim.Tenant, r.Inventory.Clusters[before.Cluster].Project; r.Inventory.Known && !r.owns(tenant, project) {
		return &Hold{Rule: "foreign-cluster", Message: "the policy does not give project " + project + " to tenant " + tenant + " any more; the last list is kept, from " + before.Claim.Path}
	}
	return &Hold{Rule: "removed-allowlist", Message: "no file claims the cluster any more; its last list is kept, from " + before.Claim.Path}
}

// reportRemoved points at the file's clusters where the file is still there,
// else at the file.
func (r *rendering) reportRemoved(w *Wanted) {
	at := document.Start
	for _, l := range r.listsOf(w.Claim.Tenant) {
		if l.file.Path == w.Claim.Path && l.doc.Metadata.Name.V == w.Claim.Name && l.doc.Spec.Clusters.Set {
			at = l.doc.Spec.Clusters.Key
		}
	}
	r.reportAs(w.Claim.File(), document.Problem{Pos: at, Rule: "removed-allowlist",
		Message: "the cluster " + w.Title + " loses its list, and keeps the last one: nothing opens because a file goes",
		Fix:     "access: unmanaged, or open"}, lint.SeverityOf("removed-allowlist", r.Policy.Rules), w.Cluster)
}

func (r *rendering) listsOf(name string) []*list {
	if t := r.byName[name]; t != nil {
		return t.lists
	}
	return nil
}

// remember keeps, for the next plan, what this one accepted.
func (r *rendering) remember(p *Plan) {
	r.rememberFiles(p.accepted, p.names)
	r.rememberLines(p.lines, p.known)
}

func (r *rendering) rememberFiles(accepted map[FileID]string, names map[docName]string) {
	for _, t := range r.tenants {
		for _, f := range t.files {
			if r.refused[f.ID()] {
				continue
			}
			accepted[f.ID()] = r.fingerprint(f)
			for _, name := range namesIn(f) {
				if names[name] == "" {
					names[name] = f.Path
				}
			}
		}
	}
	// A refused file keeps the names it had, so that nobody takes them.
	for name, path := range r.Base.names {
		if t := r.byName[name.tenant]; t != nil && len(t.files) > 0 && r.refused[FileID{t.files[0].Source, path}] && names[name] == "" {
			names[name] = path
		}
	}
}
