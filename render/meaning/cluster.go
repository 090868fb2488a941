package meaning

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// Unknown is the access of a cluster of which it is not known what it carries:
// no list of the base claims it, and nothing is known of what is live.
const Unknown render.Access = "unknown"

// Cluster is what a change means for one cluster.
type Cluster struct {
	ID     string `json:"id"`    // begins with "*" for the clusters of a selector
	Title  string `json:"title"` // shop-prod (qvjdddt72t)
	Seed   string `json:"seed,omitempty"`
	Tenant string `json:"tenant"`
	// Claim is the list that has it after the change, else before it.
	Claim render.Claim `json:"claim"`
	// MovedFrom is the list that had it before, where that is another one.
	MovedFrom *render.Claim `json:"movedFrom,omitempty"`
	// Before and After are what holds for it: restricted, open, unmanaged, or
	// unknown.
	Before render.Access `json:"before"`
	After  render.Access `json:"after"`
	// Gained and Lost are the addresses, in the fewest prefixes. Both are empty
	// where one side lets in everyone or is not known.
	Gained []netip.Prefix `json:"gained"`
	Lost   []netip.Prefix `json:"lost"`
	// Gains and Losses are the same by the entries they are from. Where one
	// side is not known or open, Gains are all entries.
	Gains  []Share `json:"gains"`
	Losses []Share `json:"losses"`
	// StillIn are entries that were removed and take nothing away.
	StillIn []Still `json:"stillIn"`
	// Expiries are prefixes let in before and after, for another time.
	Expiries []Expiry `json:"expiries"`
	// Groups are the provider's that come, go or have another end, and whose
	// addresses are not known without a policy: neither Gained nor Lost has them.
	Groups []GroupChange `json:"unknownGroups"`
	// Waits is how the cluster is exposed, where KKP filters nothing there: the
	// list waits until that is LoadBalancer.
	Waits string `json:"waits,omitempty"`
	// Held is set where the change leaves the last good list in place.
	Held *render.Hold `json:"held,omitempty"`

	heldBefore *render.Hold
	// wide is what it gains for good in wider prefixes than routine ones.
	wide []netip.Prefix
	// egressLost tells whether node egress is taken away.
	egressLost bool
}

// Share is what an entry lets in, or let in, of what is gained or lost.
type Share struct {
	Prefixes []netip.Prefix `json:"prefixes"`
	// Entry it is from; without a kind where nobody knows, because it is live.
	Entry render.Entry `json:"entry"`
}

// Still is an entry that was removed although all or some of it is let in by
// others.
type Still struct {
	Entry render.Entry `json:"entry"`
	// Prefixes are what of it is let in, where that is not all.
	Prefixes []netip.Prefix `json:"prefixes,omitempty"`
	By       []render.Entry `json:"by"`
}

// GroupChange is a group of which no policy tells the addresses.
type GroupChange struct {
	Group string `json:"group"` // provider/noc
	// Change is added, removed, or end: it is named for another time.
	Change string `json:"change"`
}

// Expiry is a prefix whose time changes. The zero time is for good.
type Expiry struct {
	Prefix netip.Prefix `json:"prefix"`
	Before time.Time    `json:"before,omitzero"`
	After  time.Time    `json:"after,omitzero"`
	Entry  render.Entry `json:"entry"`
}

// Changed tells whether anybody's access changes. That a list moves, or that
// an entry goes which others cover, changes nobody's.
func (c *Cluster) Changed() bool {
	return c.Before != c.After || len(c.Gained) > 0 || len(c.Lost) > 0 || len(c.Expiries) > 0 || len(c.Groups) > 0 || c.NewlyHeld() ||
		c.MovedFrom != nil && c.MovedFrom.Tenant != c.Claim.Tenant
}

// Opened tells whether everyone is let in from now on.
func (c *Cluster) Opened() bool { return c.After == render.Open && c.Before != render.Open }

// untold tells whether it is not known what becomes of it.
func (c *Cluster) untold() bool { return c.After == Unknown && c.Held == nil }

// FirstRestricted tells whether a list comes to be where none was.
func (c *Cluster) FirstRestricted() bool {
	return c.After == render.Restricted && c.Before != render.Restricted
}

// NewlyHeld tells whether the change is what holds the cluster.
func (c *Cluster) NewlyHeld() bool {
	return c.Held != nil && (c.heldBefore == nil || c.heldBefore.Rule != c.Held.Rule)
}

// Selects tells whether this stands for the clusters that a selector picks.
func (c *Cluster) Selects() bool { return isTarget(c.ID) }

// weight orders clusters, the worst first: who comes in from everywhere, who
// is locked out, what is held, what is not looked after any more, the rest.
func (c *Cluster) weight() int {
	for i, is := range []bool{c.Opened(), len(c.Lost) > 0, c.NewlyHeld(),
		c.After == render.Unmanaged && c.Before != render.Unmanaged, c.FirstRestricted(), len(c.Gained) > 0, len(c.Expiries) > 0} {
		if is {
			return i
		}
	}
	return 10
}

// state is what holds for a cluster on one side.
type state struct {
	access   render.Access
	entries  []render.Entry
	admitted []netip.Prefix // of a restricted one
	groups   []render.Entry // of which the addresses are not known
}

func (in Input) state(w *render.Wanted) state {
	if w == nil || w.Access == "" {
		return state{access: Unknown}
	}
	s := state{access: w.Access, entries: w.Entries, groups: w.Unresolved}
	if w.Access == render.Restricted {
		s.admitted = union(append(in.seedAdds(), w.List...))
		s.entries = slices.Concat(w.Entries, in.seedEntries())
	}
	return s
}

// FromSeed is the kind of a range that KKP adds of the Seed's own.
const FromSeed lint.Kind = "seed"

func (in Input) seedEntries() []render.Entry {
	var out []render.Entry
	for _, p := range in.seedAdds() {
		out = append(out, render.Entry{Prefix: p, Kind: FromSeed})
	}
	return out
}

// live is what holds for a cluster that no file of the base claims.
func (in Input) live(id string) state {
	c, exists := in.Inventory.Clusters[id]
	switch {
	case !in.Inventory.Known || !exists:
		return state{access: Unknown}
	case !c.Live.Set || len(c.Live.CIDRs) == 0 && len(in.seedAdds()) == 0:
		return state{access: render.Open}
	}
	return state{access: render.Restricted, entries: in.seedEntries(), admitted: union(append(in.seedAdds(), render.Prefixes(c.Live.CIDRs)...))}
}

// compare says what changes for one cluster, and whether there is anything to
// say about it.
func (in Input) compare(key string) (Cluster, bool) {
	before, after := in.Before.Clusters[key], in.After.Clusters[key]
	c := in.identify(key, before, after)
	from, to := in.state(before), in.state(after)
	if from.access == Unknown {
		from = in.live(c.ID)
	}
	c.Before, c.After = from.access, to.access
	if after == nil { // nobody looks after it any more: what it carries stays
		c.After = render.Unmanaged
	}
	c.changeOfAddresses(from, to, in.Now)
	c.wide = in.wide(from, to)
	if from.access == render.Restricted || to.access == render.Restricted {
		c.Groups = groupChanges(from.groups, to.groups)
	}
	return c, c.Changed() || c.MovedFrom != nil || len(c.StillIn) > 0 || c.egressLost
}

func (in Input) identify(key string, before, after *render.Wanted) Cluster {
	c := Cluster{Seed: seedOf(key), Gained: []netip.Prefix{}, Lost: []netip.Prefix{},
		Gains: []Share{}, Losses: []Share{}, StillIn: []Still{}, Expiries: []Expiry{}, Groups: []GroupChange{}}
	c.ID = key[strings.LastIndexByte(key, '/')+1:]
	shown := after
	if after == nil {
		shown = before
	}
	c.Title, c.Claim, c.Tenant = shown.Title, shown.Claim, shown.Claim.Tenant
	if isTarget(c.ID) {
		c.Title = "the clusters that " + c.Claim.Name + " selects"
	}
	if after != nil {
		c.Held = after.Held
	}
	c.Waits = in.waits(c.ID, after)
	if before != nil {
		c.heldBefore = before.Held
		if after != nil && (before.Claim.Path != after.Claim.Path || before.Claim.Name != after.Claim.Name) {
			c.MovedFrom = &before.Claim
		}
	}
	return c
}

// waits is the expose strategy of a cluster whose list KKP does not honour.
func (in Input) waits(id string, after *render.Wanted) string {
	known, exists := in.Inventory.Clusters[id]
	if !exists || after == nil || after.Access != render.Restricted || known.ExposeStrategy == render.ExposeLoadBalancer {
		return ""
	}
	return cmp.Or(known.ExposeStrategy, "unknown")
}

// groupChanges compares groups by name and end.
func groupChanges(from, to []render.Entry) []GroupChange {
	out := []GroupChange{}
	before := map[string]render.Entry{}
	for _, e := range from {
		before[e.Group] = e
	}
	for _, e := range to {
		switch was, named := before[e.Group]; {
		case !named:
			out = append(out, GroupChange{e.Group, "added"})
		case !was.Expires.Equal(e.Expires):
			out = append(out, GroupChange{e.Group, "end"})
		}
		delete(before, e.Group)
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		out = append(out, GroupChange{name, "removed"})
	}
	return out
}

// changeOfAddresses fills in who comes in and who goes. Before and after an
// open or unknown side there are no addresses to compare.
func (c *Cluster) changeOfAddresses(from, to state, now time.Time) {
	if from.access != render.Restricted || to.access != render.Restricted {
		if to.access == render.Restricted {
			c.Gains = shares(to.entries, to.admitted, now)
		}
		return
	}
	if sameEntries(from.entries, to.entries) && slices.Equal(from.admitted, to.admitted) {
		return
	}
	c.Gained, c.Lost = orEmpty(subtract(to.admitted, from.admitted)), orEmpty(subtract(from.admitted, to.admitted))
	c.Gains, c.Losses = shares(to.entries, c.Gained, now), lostShares(from.entries, c.Lost, now)
	c.StillIn = stillIn(from, to, now)
	c.Expiries = expiries(from, to, now)
	c.egressLost = egressLost(from.entries, to.entries)
}

// wide are the prefixes gained for good that are wider than routine ones. One
// that was let in for a time and stays for good is gained like any other.
func (in Input) wide(from, to state) []netip.Prefix {
	if from.access != render.Restricted || to.access != render.Restricted {
		return nil
	}
	var forGood []netip.Prefix
	for _, e := range to.entries {
		if e.Expires.IsZero() {
			forGood = append(forGood, e.Prefix)
		}
	}
	var out []netip.Prefix
	for _, p := range subtract(forGood, from.stays()) {
		if in.Policy.Limits.Routine.Exceeded(p) {
			out = append(out, p)
		}
	}
	return out
}

// stays is what is let in for good: all but what entries with an end let in
// alone.
func (s state) stays() []netip.Prefix {
	var stays, ends []netip.Prefix
	for _, e := range s.entries {
		if e.Expires.IsZero() {
			stays = append(stays, e.Prefix)
		} else {
			ends = append(ends, e.Prefix)
		}
	}
	return append(subtract(s.admitted, ends), stays...)
}

func egressLost(before, after []render.Entry) bool {
	var left []netip.Prefix
	for _, e := range after {
		if e.Kind == lint.FromNodeEgress {
			left = append(left, e.Prefix)
		}
	}
	for _, e := range before {
		if e.Kind == lint.FromNodeEgress && len(subtract([]netip.Prefix{e.Prefix}, left)) > 0 {
			return true
		}
	}
	return false
}

func orEmpty(list []netip.Prefix) []netip.Prefix {
	if list == nil {
		return []netip.Prefix{}
	}
	return list
}
