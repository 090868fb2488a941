package document

import "net/netip"

// APIVersion is the only version of the files' format.
const APIVersion = "portcullis.dev/v1alpha1"

// The kinds of documents a tenant's file can hold.
const (
	KindAllowlist    = "Allowlist"
	KindAddressGroup = "AddressGroup"
)

// Allowlist says who may reach the API servers of some user clusters.
type Allowlist struct {
	Node
	APIVersion Value[string] `yaml:"apiVersion" required:"true"`
	Kind       Value[string] `yaml:"kind" required:"true"`
	Metadata   Metadata      `yaml:"metadata" required:"true"`
	Spec       AllowlistSpec `yaml:"spec" required:"true"`
}

// Metadata names a document. Names are unique in the tenant, for each kind.
type Metadata struct {
	Node
	Name Value[string] `yaml:"name" required:"true" check:"name"`
}

// AllowlistSpec is the content of an allowlist.
type AllowlistSpec struct {
	Node
	// Seed may be left out only where the policy knows a single seed.
	Seed Value[string] `yaml:"seed"`
	// Clusters are KKP cluster IDs. Exactly one of Clusters and Selector.
	Clusters List[Value[string]] `yaml:"clusters" check:"cluster"`
	Selector Selector            `yaml:"clusterSelector"`
	// Access is restricted (the default), open or unmanaged.
	Access Value[string] `yaml:"access" oneof:"restricted open unmanaged"`
	// NodeEgress is where the clusters' own nodes come from, or `none`.
	NodeEgress Either[List[Value[netip.Prefix]]] `yaml:"nodeEgress" oneof:"none"`
	Entries    List[Entry]                       `yaml:"entries"`
	Tests      List[Test]                        `yaml:"tests"`
}

// Selector picks clusters of the tenant; without labels it picks all of them.
type Selector struct {
	Node
	MatchLabels map[string]Value[string] `yaml:"matchLabels"`
}

// Entry lets one or more prefixes in, of its own or of a group. Exactly one of
// CIDR, CIDRs and Group.
type Entry struct {
	Node
	Description Value[string]             `yaml:"description"`
	Owner       Value[string]             `yaml:"owner"`
	Ticket      Value[string]             `yaml:"ticket"`
	CIDR        Value[netip.Prefix]       `yaml:"cidr"`
	CIDRs       List[Value[netip.Prefix]] `yaml:"cidrs"`
	// Group names a group of the tenant, or provider/<name>.
	Group   Value[string] `yaml:"group"`
	Expires Value[Date]   `yaml:"expires"`
}

// Test says that an address must be let in, or must not be. Exactly one.
type Test struct {
	Node
	Allow Value[netip.Prefix] `yaml:"allow"`
	Deny  Value[netip.Prefix] `yaml:"deny"`
}

// AddressGroup is a list of entries that allowlists of the tenant can name.
type AddressGroup struct {
	Node
	APIVersion Value[string] `yaml:"apiVersion" required:"true"`
	Kind       Value[string] `yaml:"kind" required:"true"`
	Metadata   Metadata      `yaml:"metadata" required:"true"`
	Spec       GroupSpec     `yaml:"spec" required:"true"`
}

// GroupSpec is the content of a group.
type GroupSpec struct {
	Node
	Entries List[GroupEntry] `yaml:"entries" required:"true"`
}

// GroupEntry is an entry that cannot name a group. Exactly one of CIDR and
// CIDRs.
type GroupEntry struct {
	Node
	Description Value[string]             `yaml:"description"`
	Owner       Value[string]             `yaml:"owner"`
	Ticket      Value[string]             `yaml:"ticket"`
	CIDR        Value[netip.Prefix]       `yaml:"cidr"`
	CIDRs       List[Value[netip.Prefix]] `yaml:"cidrs"`
	Expires     Value[Date]               `yaml:"expires"`
}

// Prefixes are the entry's own valid prefixes, in order.
func (e *Entry) Prefixes() []Value[netip.Prefix] { return prefixes(e.CIDR, e.CIDRs) }

// Prefixes are the entry's valid prefixes, in order.
func (e *GroupEntry) Prefixes() []Value[netip.Prefix] { return prefixes(e.CIDR, e.CIDRs) }

func prefixes(one Value[netip.Prefix], many List[Value[netip.Prefix]]) []Value[netip.Prefix] {
	var out []Value[netip.Prefix]
	if one.Set {
		out = append(out, one)
	}
	for _, p := range many.Items {
		if p.Set {
			out = append(out, p)
		}
	}
	return out
}
