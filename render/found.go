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
// A list that somebody wrote over while nobody ran cannot be known: the cluster
// is Held without one, which says so, until the source is read.

// RuleUnread holds a cluster whose list is not known before Git answers.
const RuleUnread = "source-unread"

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
		out[w.Claim.Tenant] = append(out[w.Claim.Tenant], id+"/"+identity(w.UID, w.Project))
	}
	return out
}

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
			list := written(c.Ours)
			if len(list) == 0 && (!unknown || c.ExposeStrategy != ExposeLoadBalancer) {
				continue
			}
			b.found[id] = &Wanted{Cluster: id, UID: c.UID, Project: c.Project, Claim: claim(tenant), Access: Restricted, List: list, Entries: asEntries(list), found: true}
		}
	}
	return b
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

// written is a list as it was sent to the API server; nil of any that was not:
// nothing but canonical prefixes is.
func written(cidrs []string) []netip.Prefix {
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
			p.found[id] = f
		}
		if before := r.Base.wanted[id]; r.wanted[id] != nil || before != nil && before.Access != "" {
			continue
		}
		w := r.asFound(id, f, read)
		if r.wanted[id] = w; len(w.List) == 0 {
			p.found[id] = f // nothing else knows of it
		}
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
	if w.provisional = !read; !read && len(f.List) > 0 {
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
