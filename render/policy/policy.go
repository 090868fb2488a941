package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// The words of Policy.Selectors.
const (
	SelectorsProjects = "projects" // the label project-id alone
	SelectorsLabels   = "labels"   // any label
	SelectorsDeny     = "deny"     // no selectors
)

// Policy is what tenants may do and what the provider adds, with the defaults
// filled in. It is not changed once made.
type Policy struct {
	// Seeds by name; nil where seeds are not judged, because no policy is at hand.
	Seeds map[string]Seed
	// Tenants holds the project IDs of those tenants that are not named by
	// their project. Use Projects and TenantOf.
	Tenants map[string][]string
	// Groups of the provider by name, without the prefix provider/.
	Groups      map[string][]GroupEntry
	Limits      Limits
	Require     Require
	AllowOpen   bool
	Selectors   string        // SelectorsProjects, SelectorsLabels, SelectorsDeny
	BreakGlass  time.Duration // 0: not at all
	BlastRadius BlastRadius
	Tests       []Test            // in the order of the file
	Rules       map[string]string // rule to error, warning, off: where changed only

	places places
}

// Seed is one seed of the installation.
type Seed struct {
	Profile  profile.Profile
	Platform []Platform // in the order of the file
}

// Platform is a range that the provider adds to a seed's lists.
type Platform struct {
	Prefix      netip.Prefix
	Description string
	Datacenters []string // empty: all
	NodeEgress  bool     // the nodes come from there
}

// GroupEntry is one prefix of a provider's group.
type GroupEntry struct {
	Prefix      netip.Prefix
	Description string
}

// Limits bound what a tenant's file can let in.
type Limits struct {
	MaxEntries int
	Widest     Lengths
	Routine    Lengths
	Forbidden  []Forbidden
}

// Lengths is a prefix length of each family.
type Lengths struct{ IPv4, IPv6 int }

// Of is the length for the family of a prefix.
func (l Lengths) Of(p netip.Prefix) int {
	if p.Addr().Is4() {
		return l.IPv4
	}
	return l.IPv6
}

// Exceeded tells whether a prefix is wider than the length of its family. A
// length of 0 is never exceeded.
func (l Lengths) Exceeded(p netip.Prefix) bool { return p.Bits() < l.Of(p) }

// Forbidden is a range that no list may let in.
type Forbidden struct {
	Prefix      netip.Prefix
	Description string
}

// Require is what a tenant's file must state.
type Require struct {
	NodeEgress bool
	Owner      bool
	// ExpiryWiderThan wants an expiry where it is exceeded. 0 is for neither:
	// nothing is wider than that.
	ExpiryWiderThan Lengths
}

// BlastRadius is how much a change may do without approval; it is held where
// it exceeds both.
type BlastRadius struct{ Clusters, Percent int }

// Exceeded tells whether n clusters, of so many, are more than both.
func (b BlastRadius) Exceeded(n, of int) bool { return n > b.Clusters && n*100 > b.Percent*of }

// Test wants an address let in, or kept out.
type Test struct {
	Allow  bool
	Prefix netip.Prefix
}

// places is where in the file things are that only both files together can
// show to be wrong.
type places struct {
	seeds    document.Pos            // the key of seeds
	projects map[string]document.Pos // of each project that a tenant is given, the value
}

// Default is what holds without a Policy: seeds are not judged, tenants are
// named by their projects, and there are no groups.
func Default() *Policy {
	return &Policy{
		Tenants: map[string][]string{}, Groups: map[string][]GroupEntry{}, Rules: map[string]string{},
		Limits:  Limits{MaxEntries: 50, Widest: Lengths{IPv4: 12, IPv6: 32}, Routine: Lengths{IPv4: 24, IPv6: 48}},
		Require: Require{NodeEgress: true}, Selectors: SelectorsProjects,
		BlastRadius: BlastRadius{Clusters: 10, Percent: 25},
	}
}

// SeedNames are the known seeds, sorted; nil where seeds are not judged.
func (p *Policy) SeedNames() []string {
	if p.Seeds == nil {
		return nil
	}
	return sortedKeys(p.Seeds)
}

// Projects are the KKP projects of a tenant: those of the Policy, else the one
// of its own name. They are none where that project is another tenant's: no
// folder gets at it by its name.
func (p *Policy) Projects(tenant string) []string {
	if projects, ok := p.Tenants[tenant]; ok {
		return slices.Clone(projects)
	}
	if _, taken := p.owner(tenant); taken {
		return nil
	}
	return []string{tenant}
}

// TenantOf is the tenant that has a project; false where none can have it,
// because its name is that of a tenant with other projects.
func (p *Policy) TenantOf(project string) (string, bool) {
	if tenant, ok := p.owner(project); ok {
		return tenant, true
	}
	if _, other := p.Tenants[project]; other {
		return "", false
	}
	return project, true
}

// owner is the tenant to which the Policy gives a project.
func (p *Policy) owner(project string) (string, bool) {
	for _, tenant := range sortedKeys(p.Tenants) {
		if slices.Contains(p.Tenants[tenant], project) {
			return tenant, true
		}
	}
	return "", false
}

// Hash identifies what the Policy says: two files that differ in form alone
// have the same.
func (p *Policy) Hash() string {
	content, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("policy: cannot be written as JSON: %v", err)) // a fault of this program: it is plain data
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:12])
}
