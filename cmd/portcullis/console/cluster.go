package console

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
)

// Cluster is one cluster with what is let in to it and why: the page, and
// /api/v1/clusters/ID.
type Cluster struct {
	apply.Observed
	Project    string `json:"project"`
	Datacenter string `json:"datacenter"`
	// Exists is false where there is no Cluster of this ID on the seed.
	Exists         bool   `json:"exists"`
	ExposeStrategy string `json:"exposeStrategy"`
	Paused         bool   `json:"paused"`
	PauseReason    string `json:"pauseReason,omitempty"`
	// Beneath is, where it is Held or Contested, how the list stands that it keeps.
	Beneath apply.State `json:"beneath,omitempty"`
	// Access is what its list asks for; empty where no list has it, or where it
	// is held and nothing is known of before.
	Access render.Access `json:"access"`
	Claim  *Place        `json:"claim"` // null where no list has it
	Held   *render.Hold  `json:"held"`
	Asked  []string      `json:"asked,omitempty"` // what it would carry if it were not held
	// Entries are the prefixes of the list with where each is from; Seed's ranges
	// are what KKP adds.
	Entries    []Entry  `json:"entries"`
	Unresolved []string `json:"unresolvedGroups"`
	SeedRanges []Entry  `json:"seedRanges"`
	SeedKnown  bool     `json:"seedRangesKnown"`
	// List is what is written, Live what the Cluster carries now.
	List    []string `json:"list"`
	LiveSet bool     `json:"liveSet"`
	Live    []string `json:"live"`
	Bare    string   `json:"-"` // what it means that Live is empty
	// Service is what front-loadbalancer carries; null where there is none.
	Service        []string `json:"service"`
	ServiceCarries bool     `json:"serviceCarries"`
	// Problems are what stands besides the state.
	Problems []string       `json:"problems"`
	Changed  *apply.Foreign `json:"changed"` // who changed the list, and when it was put back
	// Said is the state's message alone, Besides what stands but for Changed.
	Said      string    `json:"-"`
	Besides   []string  `json:"-"`
	KKP       string    `json:"kkp,omitempty"` // its own words on the Cluster
	Owners    []string  `json:"owners"`
	Tickets   []string  `json:"tickets"`
	Expiring  []Entry   `json:"expiring"`
	Rules     int       `json:"rules,omitempty"` // of the load balancer
	RuleLimit int       `json:"ruleLimit,omitempty"`
	Balancer  string    `json:"balancer"`
	Findings  []Finding `json:"findings"`
}

// Place is where in Git something is.
type Place struct {
	render.Claim
	// Commit is that in which the lines are; empty where that is not known any
	// more.
	Commit   string `json:"commit,omitempty"`
	URL      string `json:"url,omitempty"`  // on the Git host
	Edit     string `json:"edit,omitempty"` // in the Git host's own editor; empty where there is no such file now
	There    bool   `json:"-"`              // the file is in the accepted commit
	Draft    string `json:"-"`              // empty for those who cannot write it
	Revision string `json:"-"`              // page of Commit
}

// Entry is one prefix with where it is from.
type Entry struct {
	render.Entry
	URL     string `json:"url,omitempty"` // of the line on the Git host
	Expired bool   `json:"expired,omitempty"`
	// Covered says that a wider one of the list holds it, which is written alone.
	Covered bool `json:"covered,omitempty"`
}

// Finding is one with where it is on the Git host.
type Finding struct {
	lint.Finding
	URL string `json:"url,omitempty"`
}

func (h *Handler) cluster(q *request) (answer, error) {
	c, err := h.clusterOf(q, q.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	data := struct {
		*Cluster
		Caller string
		Begin  string // page of a list for a cluster that has none
	}{Cluster: c}
	if c.Claim == nil && c.Exists && q.scope.owns(c.Tenant, q.tenancy) {
		data.Begin = h.prefix + "/draft?" + queryOf("tenant", c.Tenant, "cluster", c.ID)
	}
	if at := h.caller(q.Request); at.IsValid() {
		data.Caller = at.String()
	}
	return answer{page: "cluster", title: cmp.Or(c.Name, c.ID), data: data}, nil
}

// clusterOf is a cluster that the viewer may see. One of the seed that no list
// has is shown as it is.
func (h *Handler) clusterOf(q *request, id string) (*Cluster, error) {
	wanted, known := q.Plan.Clusters[id], q.Inventory.Clusters[id]
	if wanted == nil && known.ID == "" {
		return nil, errNotFound
	}
	seen, err := h.Look(q.Context(), id)
	if err != nil {
		return nil, err
	}
	if seen.Exists && !q.scope.all && !q.scope.seesCluster(seen.Cluster) {
		return nil, errNotFound // made anew for somebody else since the index
	}
	c := &Cluster{Observed: apply.Observed{ID: id, Name: known.Name, Tenant: q.tenancy.tenant(known.Project), Message: "no list has this cluster"},
		Entries: []Entry{}, Unresolved: []string{}, List: []string{}, Problems: []string{}, Owners: []string{}, Tickets: []string{}, Expiring: []Entry{}, Findings: []Finding{}}
	c.onSeed(seen, q.Inventory.Seed)
	c.Balancer = q.Policy.Seeds[q.Seed].Profile.Name
	if wanted != nil {
		h.wanted(c, wanted, q)
	}
	return c, nil
}

// onSeed is how the cluster is there now.
func (c *Cluster) onSeed(seen apply.Seen, seed render.SeedRanges) {
	c.Exists, c.Project, c.Datacenter, c.ExposeStrategy = seen.Exists, seen.Project, seen.Datacenter, seen.ExposeStrategy
	c.Paused, c.PauseReason = seen.Paused, seen.PauseReason
	c.LiveSet, c.Live, c.Bare = seen.Live.Set, orNone(seen.Live.CIDRs), bare(seen.Live, seed)
	if seen.Service {
		c.Service, c.ServiceCarries = orNone(seen.Ranges), seen.Carried
	}
	if c.KKP = seen.ErrorMessage; seen.ErrorReason != "" {
		c.KKP = seen.ErrorReason + ": " + seen.ErrorMessage
	}
	c.SeedKnown, c.SeedRanges = seed.Known, []Entry{}
	for _, p := range slices.Concat(render.Prefixes(seed.Source), render.Prefixes(seed.Default)) {
		c.SeedRanges = append(c.SeedRanges, Entry{Entry: render.Entry{Prefix: p, Kind: meaning.FromSeed}})
	}
}

// bare is what KKP makes of a Cluster without a list, or with one that is empty;
// empty where there is one.
func bare(live render.Live, seed render.SeedRanges) string {
	switch {
	case len(live.CIDRs) > 0:
		return ""
	case live.Set && len(seed.Source)+len(seed.Default) > 0:
		return "An empty list: the Seed's own ranges alone are let in."
	case live.Set && seed.Known:
		return "An empty list: everyone is let in."
	case live.Set:
		return "An empty list: everyone is let in, unless the Seed has ranges of its own."
	case len(seed.Source) > 0:
		return "No list: the Seed's source ranges alone are let in."
	case seed.Known:
		return "No list: everyone is let in."
	}
	return "No list: everyone is let in, unless the Seed has source ranges."
}

// wanted is what the files say of the cluster, and what came of it.
func (h *Handler) wanted(c *Cluster, w *render.Wanted, q *request) {
	c.Observed = q.byID[c.ID].Observed
	state := q.States[c.ID]
	c.Beneath, c.Access, c.Held = state.Beneath, w.Access, w.Held
	source, _ := q.source(w.Claim.Source)
	host := linksOf(source.Conf)
	c.Claim = h.place(w, source, q)
	c.List = texts(w.List)
	if w.Asked != nil {
		c.Asked = texts(w.Asked.List)
	}
	for _, e := range w.Entries {
		c.entry(e, host, c.Claim.Commit, w, q.now)
	}
	for _, e := range w.Unresolved {
		c.Unresolved = append(c.Unresolved, e.Group)
	}
	for _, list := range []*[]string{&c.Owners, &c.Tickets} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	slices.SortStableFunc(c.Expiring, func(a, b Entry) int { return a.Expires.Compare(b.Expires) })
	c.Said = cmp.Or(state.Message, c.Message)
	c.Problems = append(c.Problems, state.Standing.Problems()...)
	if state.Standing != nil {
		c.Changed = state.Standing.Foreign
		others := *state.Standing
		others.Foreign, others.KKP = nil, nil // each is said by itself
		c.Besides = others.Problems()
	}
	if budget := q.Policy.Seeds[q.Seed].Profile.Budget; budget.Known() {
		c.Rules, c.RuleLimit = budget.Used(entriesOf(w, q.Inventory.Seed)), budget.Rules
	}
	for _, f := range q.Plan.Findings {
		if f.Source == w.Claim.Source && f.Path == w.Claim.Path && (f.Cluster == "" || f.Cluster == c.ID) {
			c.Findings = append(c.Findings, Finding{f, host.file(source.State.Accepted, f.Path, f.Line)})
		}
	}
}

func (h *Handler) place(w *render.Wanted, source Source, q *request) *Place {
	host, claim := linksOf(source.Conf), w.Claim
	_, there := q.whose[claim.File()]
	p := &Place{Claim: claim, There: there, Commit: linesIn(w, source.State, there)}
	p.URL = host.file(p.Commit, claim.Path, claim.Line)
	if p.Commit != "" && !source.Gone {
		p.Revision = h.revisionPage(claim.Source, p.Commit)
	}
	if there {
		p.Edit = host.edit(claim.Path)
	}
	switch {
	case !q.scope.owns(claim.Tenant, q.tenancy), source.Gone:
	case there:
		p.Draft = h.prefix + "/draft?" + draftQuery(claim.Source, claim.Path)
	default:
		p.Draft = h.prefix + "/draft?" + queryOf("source", claim.Source, "tenant", claim.Tenant, "cluster", w.Cluster)
	}
	return p
}

// linesIn is the commit in which the lines of a list are. The last good list of
// a file that is refused or gone is that of an older commit than the accepted
// one: the newest that set it, as far as that is written down. Of a list that is
// held back it is not.
func linesIn(w *render.Wanted, s apply.SourceState, there bool) string {
	switch {
	case w.Asked != nil:
		return ""
	case there && !slices.Contains(s.Refused, w.Claim.Path):
		return s.Accepted
	}
	for _, record := range slices.Backward(s.Commits) {
		if slices.Contains(record.Clusters, w.Cluster) {
			return record.SHA
		}
	}
	return ""
}

// entry adds one, with what people look for in all of them.
func (c *Cluster) entry(e render.Entry, host links, commit string, w *render.Wanted, now time.Time) {
	out := Entry{Entry: e, URL: host.file(commit, e.Path, int(e.Line)), Expired: e.Expired(now)}
	out.Covered = !out.Expired && !slices.Contains(w.List, e.Prefix)
	c.Entries = append(c.Entries, out)
	if e.Owner != "" {
		c.Owners = append(c.Owners, e.Owner)
	}
	if e.Ticket != "" {
		c.Tickets = append(c.Tickets, e.Ticket)
	}
	if !e.Expires.IsZero() && !out.Expired {
		c.Expiring = append(c.Expiring, out)
	}
}

func texts(list []netip.Prefix) []string { return orNone(render.Strings(list)) }

func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
