package meaning

import (
	"cmp"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// Verdict is whether an address is let in.
type Verdict string

// The verdicts.
const (
	In         Verdict = "in"
	Out        Verdict = "out"
	CannotTell Verdict = "cannot tell"
)

// Question asks whether all of a prefix, most often one address, is let in to
// a cluster.
type Question struct {
	Cluster   string // ID
	Prefix    netip.Prefix
	Side      Side           // of the files
	Policy    *policy.Policy // nil: nothing is said of load balancers
	Inventory render.Inventory
	Now       time.Time
}

// Answer says whether it is, and by what.
type Answer struct {
	Cluster string         `json:"cluster"`
	Title   string         `json:"title"`
	Seed    string         `json:"seed,omitempty"`
	Prefix  netip.Prefix   `json:"prefix"`
	Verdict Verdict        `json:"verdict"`
	Access  render.Access  `json:"access"`
	Claim   *render.Claim  `json:"claim,omitempty"` // the list that has the cluster
	By      []render.Entry `json:"by"`              // the entries that let it in, or some of it
	// Seed's own ranges that let it in, as KKP adds them to every list.
	SeedRanges []netip.Prefix `json:"seedRanges"`
	// Until is when it is no longer let in; zero for good.
	Until time.Time `json:"until,omitzero"`
	// Expired are entries that let it in once.
	Expired []render.Entry `json:"expired"`
	// Nearest is the entry that comes closest where it is not let in.
	Nearest *render.Entry `json:"nearest,omitempty"`
	Held    *render.Hold  `json:"held,omitempty"`
	// Notes are what else is to be known, and why it cannot be told.
	Notes []string `json:"notes"`
}

// Explain answers one question for each seed whose plan has the cluster: one,
// unless lists of several seeds name the same ID. Without any it cannot tell.
func Explain(q Question) []Answer {
	var out []Answer
	for _, key := range keys(q.Side.Clusters, nil) {
		if w := q.Side.Clusters[key]; w.Cluster == q.Cluster {
			out = append(out, q.answer(w, seedOf(key)))
		}
	}
	if len(out) == 0 {
		out = append(out, q.unclaimed())
	}
	return out
}

func (q Question) blank() Answer {
	return Answer{Cluster: q.Cluster, Title: q.Cluster, Prefix: q.Prefix, Verdict: CannotTell, Access: Unknown,
		By: []render.Entry{}, SeedRanges: []netip.Prefix{}, Expired: []render.Entry{}, Notes: []string{}}
}

func (q Question) answer(w *render.Wanted, seed string) Answer {
	a := q.blank()
	a.Title, a.Seed, a.Claim, a.Held = w.Title, seed, &w.Claim, w.Held
	switch {
	case w.Access == "":
		a.Notes = append(a.Notes, "the list is held, and what it was before is not known")
		return a
	case w.Access == render.Unmanaged:
		a.Access = render.Unmanaged
		return q.live(a)
	case w.Access == render.Open:
		a.Access, a.Verdict = render.Open, In
		return a
	}
	a.Access = render.Restricted
	q.restricted(&a, w)
	q.unknown(&a, w, seed)
	if note := q.waits(w.Cluster); note != "" {
		a.Notes = append(a.Notes, note)
	}
	if a.Verdict != In {
		a.Notes = append(a.Notes, q.unfiltered(w, seed)...)
	}
	return a
}

// waits says where KKP honours no list.
func (q Question) waits(id string) string {
	c, exists := q.Inventory.Clusters[id]
	if !exists || c.ExposeStrategy == render.ExposeLoadBalancer {
		return ""
	}
	return "KKP filters nothing on a cluster with expose strategy " + cmp.Or(c.ExposeStrategy, "unknown") + ": the list waits until that is LoadBalancer, and everyone is let in"
}

// unknown takes back a verdict that what is not known here could change.
func (q Question) unknown(a *Answer, w *render.Wanted, seed string) {
	var groups []string
	for _, e := range w.Unresolved {
		if !e.Expired(q.Now) {
			groups = append(groups, e.Group)
		}
	}
	if len(groups) > 0 && (a.Verdict != In || !a.Until.IsZero()) {
		a.Notes = append(a.Notes, "the addresses of "+strings.Join(groups, ", ")+", which the list names, are not known without --policy")
	}
	if a.Verdict == In {
		return
	}
	local := q.localPlatform(seed)
	if len(groups) > 0 || prefixes.Covers(slices.Concat(a.SeedRanges, w.List, local), q.Prefix) {
		a.Verdict, a.Nearest = CannotTell, nil
		if len(groups) == 0 {
			a.Notes = append(a.Notes, "platform ranges of some datacenters let it in, and the cluster's datacenter is not known without the seed")
		}
	}
	if q.Policy != nil && q.Policy.SeedNames() == nil {
		a.Notes = append(a.Notes, "platform ranges are not known without --policy")
	}
}

// localPlatform are the platform ranges of some datacenters, where it is not
// known in which the cluster is.
func (q Question) localPlatform(seed string) []netip.Prefix {
	if q.Policy == nil || q.Inventory.Known {
		return nil
	}
	var out []netip.Prefix
	for _, p := range q.Policy.Seeds[seed].Platform {
		if len(p.Datacenters) > 0 {
			out = append(out, p.Prefix)
		}
	}
	return out
}

// unfiltered says where the seed's load balancer lets in what the list does
// not: an answer must not promise more than it does.
func (q Question) unfiltered(w *render.Wanted, seed string) []string {
	if q.Policy == nil {
		return nil
	}
	known, ok := q.Policy.Seeds[seed]
	if !ok {
		return nil
	}
	p := known.Profile
	sameFamily := func(e netip.Prefix) bool { return e.Addr().Is4() == q.Prefix.Addr().Is4() }
	switch {
	case p.Enforces == profile.No:
		return []string{p.Name + " does not enforce lists: everyone reaches the API server all the same"}
	case p.AbsentFamily == profile.Open && !slices.ContainsFunc(w.List, sameFamily):
		return []string{p.Name + " leaves open a family that is not in the list, as this one: everyone reaches the API server by it"}
	}
	return nil
}

// unclaimed is the answer for a cluster that no list has.
func (q Question) unclaimed() Answer {
	a := q.blank()
	a.Notes = append(a.Notes, q.namedInVain())
	if !q.Inventory.Known {
		a.Notes = append(a.Notes, "whether a clusterSelector picks it is not known without the seed")
	}
	return q.live(a)
}

// namedInVain says which list names the cluster without having it.
func (q Question) namedInVain() string {
	for _, f := range q.Side.Files {
		for _, l := range f.Parsed.Allowlists {
			for _, c := range l.Spec.Clusters.Items {
				if c.Set && c.V == q.Cluster {
					return "list " + l.Metadata.Name.V + " in " + f.Path + ", line " + strconv.Itoa(int(c.Pos.Line)) + ", names the cluster, and does not have it: see what check says of the file"
				}
			}
		}
	}
	return "no list names the cluster"
}

// live answers by what the cluster carries, where nothing is written to it.
func (q Question) live(a Answer) Answer {
	c, exists := q.Inventory.Clusters[q.Cluster]
	if !q.Inventory.Known || !exists {
		a.Notes = append(a.Notes, "what the cluster carries by itself is not known")
		return a
	}
	a.Title = c.Title()
	list := render.Prefixes(c.Live.CIDRs)
	admitted := append(q.seedRanges(), list...)
	a.Verdict = Out
	if !c.Live.Set || len(admitted) == 0 || prefixes.Covers(admitted, q.Prefix) {
		a.Verdict = In
	}
	a.Notes = append(a.Notes, "this is by the list that the cluster carries, which is in no file")
	return a
}

func (q Question) seedRanges() []netip.Prefix {
	return Input{Inventory: q.Inventory}.seedAdds()
}

func (q Question) restricted(a *Answer, w *render.Wanted) {
	a.SeedRanges = orEmpty(slices.DeleteFunc(q.seedRanges(), func(p netip.Prefix) bool { return !p.Overlaps(q.Prefix) }))
	for _, e := range w.Entries {
		switch {
		case !e.Prefix.Overlaps(q.Prefix):
		case e.Expired(q.Now) && !slices.Contains(w.List, e.Prefix):
			a.Expired = append(a.Expired, e)
		default: // in force, or kept beyond its time because it is the last one
			a.By = append(a.By, e)
		}
	}
	a.Verdict = Out
	if prefixes.Covers(append(a.SeedRanges, w.List...), q.Prefix) {
		a.Verdict = In
		a.Until = q.until(a, w)
		return
	}
	if len(a.By)+len(a.SeedRanges) > 0 {
		a.Notes = append(a.Notes, "some of it is let in, not all")
	} else {
		a.Nearest = nearest(q.Prefix, w.Entries, q.Now)
	}
	if !q.Inventory.Seed.Known {
		a.Notes = append(a.Notes, "the Seed's own ranges, which KKP adds to every list, are not known here")
	}
}

// until is when the entries end; what the Seed's ranges let in stays, and so
// does what is kept beyond its time.
func (q Question) until(a *Answer, w *render.Wanted) time.Time {
	if w.Held != nil && w.Held.Rule == "expires-to-open" && !covered(q.Prefix, w.Entries, q.Now) {
		return time.Time{}
	}
	all := slices.Clone(a.By)
	for _, p := range a.SeedRanges {
		all = append(all, render.Entry{Prefix: p})
	}
	return until(q.Prefix, all, q.Now)
}

// nearest is the entry in force with the fewest addresses between itself and
// the prefix; nil where there is none of its family.
func nearest(p netip.Prefix, entries []render.Entry, now time.Time) *render.Entry {
	var best *render.Entry
	var least *big.Int
	for i := range entries {
		e := &entries[i]
		if e.Expired(now) || e.Prefix.Addr().Is4() != p.Addr().Is4() {
			continue
		}
		if d := distance(p, e.Prefix); best == nil || d.Cmp(least) < 0 {
			best, least = e, d
		}
	}
	return best
}

// distance is how many addresses lie between two prefixes that do not overlap.
func distance(a, b netip.Prefix) *big.Int {
	if b.Addr().Less(a.Addr()) {
		a, b = b, a
	}
	size := new(big.Int).Lsh(big.NewInt(1), uint(a.Addr().BitLen()-a.Bits()))
	end := size.Add(size, number(a.Addr()))
	return end.Sub(number(b.Addr()), end)
}

func number(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }

// ParseAddress reads what somebody asks about: an address, or a prefix.
func ParseAddress(s string) (netip.Prefix, error) {
	p, problem := document.ParsePrefix(s)
	if problem != nil {
		return netip.Prefix{}, &AddressError{Text: s, Problem: *problem}
	}
	return p, nil
}

// AddressError is an address that cannot be asked about.
type AddressError struct {
	Text    string
	Problem document.Problem
}

// Error says what is wrong, and what may be meant.
func (e *AddressError) Error() string {
	if e.Problem.Fix == "" {
		return e.Problem.Message
	}
	return e.Problem.Message + "; try " + e.Problem.Fix
}
