package render

import (
	"net/netip"
	"time"

	"github.com/portcullis-gitops/portcullis/render/lint"
)

// Access is what an allowlist asks for.
type Access string

// The three kinds of access a file can ask for.
const (
	Restricted Access = "restricted" // the list is written
	Open       Access = "open"       // the field is removed
	Unmanaged  Access = "unmanaged"  // nothing is written, what is there stays
)

// Plan is what is wanted of one seed's clusters, and why, from one set of
// files at one moment. It is a value: nothing in it changes once made.
type Plan struct {
	// Now is the moment the plan was made for.
	Now time.Time
	// Clusters by ID: every cluster that a file claims or that is held.
	Clusters map[string]*Wanted
	// Findings of all files that concern this seed, sorted by path, line,
	// column, rule.
	Findings []lint.Finding
	// Refused are the files whose clusters keep what they had.
	Refused map[FileID]bool
	// Holds are those by which a guard keeps clusters from what they ask for:
	// tenants that go too far, by source and name, then the seed's.
	Holds []MassHold
	// Next is when the plan must be made anew because an entry expires or a
	// freeze ends; zero if none does. It is the next whole second, and at least
	// one after Now, so that either may last up to a second longer.
	Next time.Time
	// ByHand is what the policy lets tenants do past Git, for a time.
	ByHand ByHand

	accepted  map[FileID]string // fingerprints of the files not refused
	names     map[docName]string
	contested map[string]Claim
	lines     lines
	known     map[string]bool // sources of which the lines are known
	found     map[string]*Wanted
	overdue   map[FileID]bool
}

// Contested are the clusters that several lists claim, with the claim of the
// source that has each: after a restart this could not be told from the files.
func (p *Plan) Contested(source string) map[string]Claim {
	out := map[string]Claim{}
	for id, c := range p.contested {
		if c.Source == source {
			out[id] = c
		}
	}
	return out
}

// Wanted is what one cluster should carry.
type Wanted struct {
	Cluster string // ID
	UID     string // of the object the plan was made for; empty if it does not exist
	Project string // of that object
	Title   string // shop-prod (qvjdddt72t)
	Claim   Claim
	Access  Access
	// Exposed is set where the cluster has a load balancer of its own, as far
	// as the plan knows.
	Exposed bool
	// Entries are the resolved prefixes with where each is from, in the order
	// of the file: the tenant's own, node egress, platform.
	Entries []Entry
	// Unresolved are the provider's groups that the list names, without their
	// prefixes: no policy at hand says what is in them.
	Unresolved []Entry
	// List is what is written for Restricted: canonical, sorted, none covered
	// by another, never empty. It is nil for Open and Unmanaged, and where a
	// held cluster has no last good list: then nothing is written.
	List []netip.Prefix
	// Held is set where the last good list stays although the files say, or
	// try to say, something else.
	Held *Hold
	// Asked is what it would carry if a guard did not hold it; nil where none
	// does.
	Asked *Wanted

	found       bool // and claimed by no file, see Find
	provisional bool // until its source is read
	gone        bool // its source is, from the Config
	// only is the UID of the one Cluster that the list stays on: no file claimed
	// it. Empty where one did: then the list is for the ID.
	only string
}

// Writes tells whether anything is to be written for the cluster at all.
func (w *Wanted) Writes() bool {
	return w.Access == Open && w.Held == nil || w.Access == Restricted && len(w.List) > 0
}

// Claim says which document of which file has a cluster.
type Claim struct {
	Source string `json:"source,omitempty"` // name of the source in the Config
	Tenant string `json:"tenant"`
	Path   string `json:"path"` // from the repository's root
	Name   string `json:"name"` // metadata.name
	Line   int    `json:"line,omitempty"`
}

// File is the file that the claim is in.
func (c Claim) File() FileID { return FileID{c.Source, c.Path} }

// Hold says why a cluster keeps its last good list.
type Hold struct {
	Rule    string `json:"rule"` // the rule that holds it, e.g. removed-allowlist, blast-radius
	Message string `json:"message"`
}

// guards tells whether a guard holds the cluster, which keeps its list whole.
func (h Hold) guards() bool { return h.Rule == RuleBlastRadius || h.Rule == RuleFreeze }

// Entry is one prefix of a list with its provenance.
type Entry = lint.Entry
