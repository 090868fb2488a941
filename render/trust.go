package render

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// After a restart the lists that are in force are not known, only the files of
// the commit that was accepted. What those files mean may be another by now:
// the policy, the seed's clusters or a freeze changed meanwhile, or what was
// kept is lost. So a print of what each tenant's clusters were to carry is
// written down, those aside that are held: where the files mean exactly that
// again, they stand as accepted, and an unfinished rollout goes on. Where not,
// everything of the tenant is measured against what is live.

// Force are the prints of what the clusters of a source's tenants are to carry,
// by tenant, those aside that are held.
func (p *Plan) Force(source string) map[string]string {
	return prints(p.Clusters, func(_ string, w *Wanted) bool { return w.Held == nil && w.Claim.Source == source })
}

// Trust says, of a base that was made after a restart, what was in force of a
// source, see Plan.Force.
func (b *Base) Trust(source string, force map[string]string) *Base {
	b.force[source] = force
	return b
}

// inForce are the owners whose files mean what was in force before a restart.
func (r *rendering) inForce(p *Plan) map[Approved]bool {
	out := map[Approved]bool{}
	for source, before := range r.Base.force {
		now := prints(p.Clusters, func(id string, w *Wanted) bool {
			return w.Held == nil && w.Claim.Source == source && !r.Base.guarded[id]
		})
		for tenant, print := range now {
			if before[tenant] == print {
				out[Approved{Source: source, Tenant: tenant}] = true
			}
		}
	}
	return out
}

// trusts tells whether what a claim's file says of a cluster was accepted
// before a restart.
func (r *rendering) trusts(id string, c Claim) bool {
	return r.trusted[Approved{Source: c.Source, Tenant: c.Tenant}] && !r.Base.guarded[id]
}

// prints stand for what clusters are to carry, whenever that is: entries count
// with their ends, whether those have come or not.
func prints(clusters map[string]*Wanted, counts func(string, *Wanted) bool) map[string]string {
	ofTenant := map[string][]byte{}
	sums := map[*Entry][]byte{} // lists are shared by clusters
	for _, id := range slices.Sorted(maps.Keys(clusters)) {
		w := clusters[id]
		if !counts(id, w) {
			continue
		}
		text := ofTenant[w.Claim.Tenant]
		for _, part := range []string{id, w.UID, string(w.Access)} {
			text = append(append(text, part...), 0)
		}
		ofTenant[w.Claim.Tenant] = append(text, entriesSum(w.Entries, sums)...)
	}
	out := make(map[string]string, len(ofTenant))
	for tenant, text := range ofTenant {
		sum := sha256.Sum256(text)
		out[tenant] = hex.EncodeToString(sum[:8])
	}
	return out
}

func entriesSum(entries []Entry, known map[*Entry][]byte) []byte {
	if len(entries) == 0 {
		return nil
	}
	if sum, ok := known[&entries[0]]; ok {
		return sum
	}
	var text []byte
	for _, e := range entries {
		text = append(e.Prefix.AppendTo(text), 0)
		text = binary.BigEndian.AppendUint64(text, uint64(e.Expires.Unix()))
	}
	sum := sha256.Sum256(text)
	known[&entries[0]] = sum[:8]
	return sum[:8]
}
