package policy

import (
	"net/netip"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// KindPolicy is the kind of a Policy's document.
const KindPolicy = "Policy"

// PolicyDocument is what tenants may do and what the provider adds: one for
// the installation, shared by its seeds.
type PolicyDocument struct {
	document.Node
	// APIVersion is the version of the format.
	APIVersion document.Value[string] `yaml:"apiVersion" required:"true"`
	// Kind is the kind of the document.
	Kind document.Value[string] `yaml:"kind" required:"true"`
	// Seeds are the installation's seeds by name.
	Seeds document.Dict[SeedDocument] `yaml:"seeds" required:"true"`
	// Tenants by the name of their folder, only where that is not the ID of
	// their KKP project.
	Tenants document.Dict[TenantDocument] `yaml:"tenants"`
	// Groups are the provider's, which tenants name as provider/<name>.
	Groups document.Dict[document.List[GroupEntryDocument]] `yaml:"groups"`
	// Limits bound what a tenant's file can let in.
	Limits LimitsDocument `yaml:"limits"`
	// Require says what a tenant's file must state.
	Require RequireDocument `yaml:"require"`
	// AllowOpen permits access: open. Default: false.
	AllowOpen document.Value[bool] `yaml:"allowOpen" default:"false"`
	// Selectors says by which labels a list may select clusters: projects (the
	// label project-id alone), labels (any: project users can change them), or
	// deny (not at all). Default: projects.
	Selectors document.Value[string] `yaml:"selectors" oneof:"projects labels deny" default:"projects"`
	// BreakGlass is how long a tenant may keep a list set in the dashboard by
	// the annotation portcullis.dev/pause-until. Default: 0s, not at all.
	BreakGlass document.Value[time.Duration] `yaml:"breakGlass" default:"0s"`
	// BlastRadius is how much a change may do without an operator's approval.
	BlastRadius BlastRadiusDocument `yaml:"blastRadius"`
	// Tests are the provider's canaries, judged for every cluster.
	Tests document.List[document.Test] `yaml:"tests"`
	// Rules set the severity of rules that can be changed.
	Rules document.Dict[document.Value[string]] `yaml:"rules" oneof:"error warning off" known:"rules"`
}

// SeedDocument is one seed of the installation.
type SeedDocument struct {
	document.Node
	// LoadBalancer is the name of a profile, or a mapping that describes one.
	// Default: generic, of which nothing is known.
	LoadBalancer document.Either[LoadBalancerDocument] `yaml:"loadBalancer" default:"generic" known:"loadBalancers"`
	// Platform are ranges added to every list of the seed.
	Platform document.List[PlatformDocument] `yaml:"platform"`
}

// LoadBalancerDocument describes a load balancer that has no profile. What it
// leaves out is unknown.
type LoadBalancerDocument struct {
	document.Node
	// Enforces says whether the list filters anything. Default: unknown.
	Enforces document.Value[string] `yaml:"enforces" oneof:"yes no unknown" default:"unknown"`
	// IPv6 is no where an IPv6 entry makes it refuse the whole list, dual-stack
	// where it does unless it has an IPv6 address itself. Default: unknown.
	IPv6 document.Value[string] `yaml:"ipv6" oneof:"yes no dual-stack unknown" default:"unknown"`
	// AbsentFamily is what happens to a family without entries. Default: unknown.
	AbsentFamily document.Value[string] `yaml:"absentFamily" oneof:"denied open unknown" default:"unknown"`
	// Budget is the limit of entries. Default: none known.
	Budget BudgetDocument `yaml:"budget"`
	// Merge says whether adjacent prefixes are written as one. Default: none.
	Merge document.Value[string] `yaml:"merge" oneof:"none adjacent" default:"none"`
}

// BudgetDocument is a load balancer's limit.
type BudgetDocument struct {
	document.Node
	// Rules is the limit in the balancer's own unit, at least 1.
	Rules document.Value[int] `yaml:"rules" required:"true"`
	// PerEntry is how many rules one entry takes, at least 1. Default: 1.
	PerEntry document.Value[int] `yaml:"perEntry" default:"1"`
	// SharedBy says whose entries are summed: those of each cluster by itself,
	// or of all clusters of the seed. Default: seed.
	SharedBy document.Value[string] `yaml:"sharedBy" oneof:"cluster seed" default:"seed"`
}

// PlatformDocument is a range that the provider adds.
type PlatformDocument struct {
	document.Node
	// CIDR is a prefix; a bare address is itself alone.
	CIDR document.Value[netip.Prefix] `yaml:"cidr" required:"true"`
	// Description says what comes from there.
	Description document.Value[string] `yaml:"description"`
	// Datacenters limit it to clusters there. Default: all.
	Datacenters document.List[document.Value[string]] `yaml:"datacenters"`
	// NodeEgress says that the clusters' nodes come from there, which satisfies
	// require.nodeEgress. Default: false.
	NodeEgress document.Value[bool] `yaml:"nodeEgress" default:"false"`
}

// TenantDocument says which KKP projects are a tenant's.
type TenantDocument struct {
	document.Node
	// Projects are IDs of KKP projects.
	Projects document.List[document.Value[string]] `yaml:"projects" required:"true"`
}

// GroupEntryDocument is an entry of a provider's group. Exactly one of cidr
// and cidrs.
type GroupEntryDocument struct {
	document.Node `choice:"cidr cidrs"`
	// CIDR is one prefix; a bare address is itself alone.
	CIDR document.Value[netip.Prefix] `yaml:"cidr"`
	// CIDRs are several prefixes.
	CIDRs document.List[document.Value[netip.Prefix]] `yaml:"cidrs"`
	// Description says who or what comes from there.
	Description document.Value[string] `yaml:"description"`
}

// LimitsDocument bound what a tenant's file can let in.
type LimitsDocument struct {
	document.Node
	// MaxEntries is how many prefixes a list may have, groups resolved and
	// platform ranges not counted; at least 1. Default: 50.
	MaxEntries document.Value[int] `yaml:"maxEntries" default:"50"`
	// Widest is the widest prefix whose worth of addresses a list may hold.
	// Default: {ipv4: 12, ipv6: 32}.
	Widest LengthsDocument `yaml:"widest" default:"{ipv4: 12, ipv6: 32}"`
	// Routine is the widest prefix that a change may add and still be called
	// routine. Default: {ipv4: 24, ipv6: 48}.
	Routine LengthsDocument `yaml:"routine" default:"{ipv4: 24, ipv6: 48}"`
	// Forbidden are ranges that no list may let in.
	Forbidden document.List[ForbiddenDocument] `yaml:"forbidden"`
}

// LengthsDocument is a prefix length of each family.
type LengthsDocument struct {
	document.Node
	// IPv4 is from 0 to 32.
	IPv4 document.Value[int] `yaml:"ipv4"`
	// IPv6 is from 0 to 128.
	IPv6 document.Value[int] `yaml:"ipv6"`
}

// ForbiddenDocument is a range that no list may let in.
type ForbiddenDocument struct {
	document.Node
	// CIDR is a prefix; a bare address is itself alone.
	CIDR document.Value[netip.Prefix] `yaml:"cidr" required:"true"`
	// Description is shown to those whose entry is refused.
	Description document.Value[string] `yaml:"description"`
}

// RequireDocument says what a tenant's file must state.
type RequireDocument struct {
	document.Node
	// NodeEgress wants to be told where the clusters' nodes come from.
	// Default: true.
	NodeEgress document.Value[bool] `yaml:"nodeEgress" default:"true"`
	// Owner wants an owner of each entry. Default: false.
	Owner document.Value[bool] `yaml:"owner" default:"false"`
	// ExpiryWiderThan wants an expiry of each entry with a prefix wider than
	// that. Default: of none.
	ExpiryWiderThan LengthsDocument `yaml:"expiryWiderThan"`
}

// BlastRadiusDocument is how much a change may do without approval. A change
// is held where it exceeds both.
type BlastRadiusDocument struct {
	document.Node
	// Clusters is a number of clusters. Default: 10.
	Clusters document.Value[int] `yaml:"clusters" default:"10"`
	// Percent is a share of the tenant's, or the seed's, clusters, from 0 to
	// 100. Default: 25.
	Percent document.Value[int] `yaml:"percent" default:"25"`
}
