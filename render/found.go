package render

import (
	"fmt"
	"hash/fnv"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

// After a restart, or as a standby that takes over, a process knows the files of
// the commit that was accepted only where it has a mirror, and Git may be away.
// The lists are on the clusters all the same: one that a server-side apply of ours
// left, and that nobody wrote over, is the list that was accepted. So the state
// says of which clusters a source keeps lists (Plan.Kept), the clusters say
// which (Cluster.Ours), and both together are what was found (Base.Find):
//
//   - until the source is read, what was found is wanted, and put right;
//   - once it is read, what its files claim is theirs; what none of them claims,
//     because the source looks elsewhere by now or the policy changed while
//     nobody ran, is held like the clusters of a file that was removed.
//
// A source may have left the Config altogether, or have another name there. Then
// nothing of it is read any more, and what was found is held (Base.Gone) until
// another source claims the cluster, or an operator lets go of it (Base.LetGo).
//
// A list that somebody wrote over while nobody ran cannot be known: the cluster
// is Held without one, which says so, until the source is read.

// RuleUnread holds a cluster whose list is not known before Git answers.
const RuleUnread = "source-unread"

// RuleGone holds a cluster whose source is not in the Config any more.
const RuleGone = "source-gone"

// Kept are the clusters that lists of a source are kept on, by tenant, sorted:
// the ID, and a print of UID and project, so that a cluster made anew under an
// old ID is told from it. It is nil where there are none, and has at most
// mostFound of each tenant.
func (p *Plan) Kept(source string) map[string][]string {
	var out map[string][]string
	for _, id := range slices.Sorted(maps.Keys(p.Clusters)) {
		w := p.Clusters[id]
		listed := w.Access == Restricted && len(w.List) > 0 || w.found
		if w.Claim.Source != source || w.UID == "" || !listed || len(out[w.Claim.Tenant]) == mostFound {
			continue
		}
		if out == nil {
			out = map[string][]string{}
		}
		out[w.Claim.Tenant] = append(out[w.Claim.Tenant], KeptAs(id, w.UID, w.Project))
	}
	return out
}

// KeptAs is the entry of Plan.Kept for a cluster.
func KeptAs(id, uid, project string) string { return id + "/" + identity(uid, project) }

// mostFound bounds what is written down of a tenant, to 350 KiB.
const mostFound = 20_000

// identity is a short print of what makes a cluster the same one: enough to tell
// it from another by its ID.
func identity(uid, project string) string {
	h := fnv.New32a()
	h.Write([]byte(uid + "\x00" + project))
	sum := h.Sum32()
	return fmt.Sprintf("%04x", uint16(sum>>16)^uint16(sum))
}

// Find is a base with what a source's lists were kept on before a restart, as
// far as the clusters still show which those were; with unknown, the clusters as
// well that do not. Claim says whose they are, as far as that is known.
func Find(kept map[string][]string, claim func(tenant string) Claim, known Inventory, unknown bool) *Base {
	b := newBase()
	for tenant, entries := range kept {
		for _, entry := range entries {
			id, print, _ := strings.Cut(entry, "/")
			c, exists := known.Clusters[id]
			if !exists || c.Deleting || identity(c.UID, c.Project) != print {
				continue
			}
			list := Written(c.Ours)
			if len(list) == 0 && (!unknown || c.ExposeStrategy != ExposeLoadBalancer) {
				continue
			}
			b.found[id] = &Wanted{Cluster: id, UID: c.UID, Project: c.Project, Claim: claim(tenant), Access: Restricted, List: list, Entries: asEntries(list), found: true}
		}
	}
	return b
}

// Gone says of all that was found that its source is not in the Config any more.
func (b *Base) Gone() *Base {
	for _, f := range b.found {
		f.gone = true
	}
	return b
}

// LetGo is the base without what was found of a source.
func (b *Base) LetGo(source string) *Base {
	out := *b
	out.found = maps.Clone(b.found)
	maps.DeleteFunc(out.found, func(_ string, f *Wanted) bool { return f.Claim.Source == source })
	return &out
}

// Found counts what was found of a source: the clusters whose lists are known,
// and those whose are not.
func (b *Base) Found(source string) (known, unknown int) {
	for _, f := range b.found {
		switch {
		case f.Claim.Source != source:
		case len(f.List) > 0:
			known++
		default:
			unknown++
		}
	}
	return known, unknown
}

// Written is a list as it was sent to the API server; nil of any that was not:
// nothing but canonical prefixes is.
func Written(cidrs []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range cidrs {
		p, err := netip.ParsePrefix(s)
		if err != nil || p != p.Masked() || p.Addr().Is4In6() {
			return nil
		}
		out = append(out, p)
	}
	if !slices.Equal(prefixes.Canonical(out), out) {
		return nil
	}
	return out
}

func asEntries(list []netip.Prefix) []Entry {
	var out []Entry
	for _, p := range list {
		out = append(out, Entry{Prefix: p, Kind: lint.FromEntry, Description: "as it was found on the cluster"})
	}
	return out
}

// keepFound adds what was found and nothing claims.
func (r *rendering) keepFound(p *Plan) {
	for id, f := range r.Base.found {
		if r.another(f) {
			continue
		}
		read := r.reads(f.Claim.Source)
		if !read {
			f = f.newest(r.Inventory.Clusters[id])
			p.found[id] = f
		}
		before, claimed := r.Base.wanted[id], r.wanted[id]
		if claimed != nil && f.gone {
			claimed.inherit(f)
		}
		if claimed != nil || before != nil && before.Access != "" {
			continue
		}
		w := r.asFound(id, f, read)
		if r.wanted[id] = w; len(w.List) == 0 {
			p.found[id] = f // nothing else knows of it
		}
	}
}

// newest is what was found, with the list that was written last under our name: a
// standby that takes over can see it later than the plan that it makes first.
func (w *Wanted) newest(c Cluster) *Wanted {
	list := Written(c.Ours)
	if len(list) == 0 || slices.Equal(list, w.List) {
		return w
	}
	next := *w
	next.List, next.Entries = list, asEntries(list)
	return &next
}

// OutdatedBy tells whether a list that stands under our name on the cluster takes
// the place of what is wanted: as long as nothing of the files is known, what was
// written last is what was accepted last.
func (w *Wanted) OutdatedBy(cidrs []string) bool {
	list := Written(cidrs)
	return w.provisional && len(list) > 0 && !slices.Equal(list, w.List)
}

// inherit has a file that is refused keep the list that the tenant had by
// another source. A file that is good says itself what there is to be.
func (w *Wanted) inherit(f *Wanted) {
	if w.Held != nil && w.Access == "" && w.Asked == nil && w.Claim.Tenant == f.Claim.Tenant && len(f.List) > 0 {
		w.Access, w.Entries, w.List, w.found = Restricted, f.Entries, f.List, true
	}
}

// reads tells whether the files of a source are there, none included.
func (r *rendering) reads(source string) bool {
	return slices.Contains(r.Sources, source) || slices.ContainsFunc(r.Files, func(f File) bool { return f.Source == source })
}

// another tells whether a cluster is not the one any more that was found.
func (r *rendering) another(f *Wanted) bool {
	c, exists := r.Inventory.Clusters[f.Cluster]
	return !exists || c.Deleting || c.UID != f.UID || c.Project != f.Project
}

// asFound is what a cluster is to carry that was found: its list, as it is
// until the source is read, and held from then on.
func (r *rendering) asFound(id string, f *Wanted, read bool) *Wanted {
	c := r.Inventory.Clusters[id]
	w := *f
	w.Title, w.Exposed = Cluster{ID: id, Name: c.Name}.Title(), c.ExposeStrategy == ExposeLoadBalancer
	w.provisional = !read
	if f.gone {
		return w.outOfConfig()
	}
	if !read && len(f.List) > 0 {
		return &w
	}
	if len(f.List) == 0 {
		w.Access = ""
	} else {
		seed := r.seedOf(id)
		res := r.compute(r.renewPlatform(f.Entries, seed, id), seed)
		w.Entries, w.List = res.entries, res.list
	}
	if !read {
		w.Held = &Hold{Rule: RuleUnread, Message: "the list on the cluster is not the one that was written last, and the accepted commit could not be read since this process began: what belongs there is not known"}
		return &w
	}
	if w.Held = r.removal(f); w.Held.Rule == "removed-allowlist" {
		r.reportRemoved(&w)
	}
	return &w
}

// outOfConfig holds what was found of a source that is gone.
func (w *Wanted) outOfConfig() *Wanted {
	why := "source " + w.Claim.Source + " is not in the Config any more, and no other claims the cluster: "
	if len(w.List) > 0 {
		why += "its last list is kept"
	} else {
		w.Access = ""
		why += "the list that is there is not the one that was written last, and is left as it is"
	}
	w.Held = &Hold{Rule: RuleGone, Message: why}
	return w
}
