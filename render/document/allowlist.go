package document

import (
	"net/netip"
	"time"
)

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
	// APIVersion is the version of the format.
	APIVersion Value[string] `yaml:"apiVersion" required:"true"`
	// Kind is the kind of the document.
	Kind Value[string] `yaml:"kind" required:"true"`
	// Metadata names the document.
	Metadata Metadata `yaml:"metadata" required:"true"`
	// Spec is who may reach which clusters.
	Spec AllowlistSpec `yaml:"spec" required:"true"`
}

// Metadata names a document. Names are unique in the tenant, for each kind.
type Metadata struct {
	Node
	// Name is a DNS label, unique in the tenant for the kind of document.
	Name Value[string] `yaml:"name" required:"true" check:"name"`
}

// AllowlistSpec is the content of an allowlist.
type AllowlistSpec struct {
	Node `choice:"clusters clusterSelector"`
	// Seed may be left out only where the policy knows a single seed.
	Seed Value[string] `yaml:"seed"`
	// Clusters are KKP cluster IDs. Exactly one of Clusters and Selector.
	Clusters List[Value[string]] `yaml:"clusters" check:"cluster"`
	// Selector picks clusters by label; {} is all of the tenant's clusters on the
	// seed that no other list claims, those made tomorrow included.
	Selector Selector `yaml:"clusterSelector"`
	// Access is restricted (the default), open or unmanaged.
	Access Value[string] `yaml:"access" oneof:"restricted open unmanaged" default:"restricted"`
	// NodeEgress is where the clusters' own nodes come from, or `none`.
	NodeEgress Either[List[Value[netip.Prefix]]] `yaml:"nodeEgress" oneof:"none"`
	// Entries are who is let in. With restricted access there is at least one,
	// else none.
	Entries List[Entry] `yaml:"entries"`
	// Tests are judged when the file or its groups change, of all that is admitted.
	Tests List[Test] `yaml:"tests"`
}

// Selector picks clusters of the tenant; without labels it picks all of them.
type Selector struct {
	Node
	// MatchLabels are labels that a cluster must have. Others than project-id only
	// where the policy permits it: project users can change them.
	MatchLabels map[string]Value[string] `yaml:"matchLabels" blank:"no"`
}

// Entry lets one or more prefixes in, of its own or of a group. Exactly one of
// CIDR, CIDRs and Group.
type Entry struct {
	Node `choice:"cidr cidrs group"`
	// Description says who or what comes from there.
	Description Prose `yaml:"description" prose:"true"`
	// Owner is whom to ask whether the entry is still needed.
	Owner Prose `yaml:"owner" prose:"true"`
	// Ticket is where it was asked for.
	Ticket Prose `yaml:"ticket" prose:"true"`
	// CIDR is one prefix; a bare address is itself alone.
	CIDR Value[netip.Prefix] `yaml:"cidr" plural:"cidrs"`
	// CIDRs are several prefixes.
	CIDRs List[Value[netip.Prefix]] `yaml:"cidrs"`
	// Group names a group of the tenant, or provider/<name>.
	Group Value[string] `yaml:"group"`
	// Expires is a day, to its end in UTC, or an RFC 3339 time. Default: never.
	Expires *Value[Date] `yaml:"expires" blank:"no"` // nil for never, as of most
}

// Test says that an address must be let in, or must not be. Exactly one.
type Test struct {
	Node `choice:"allow deny"`
	// Allow is an address or prefix of which all must be let in.
	Allow Written[netip.Prefix] `yaml:"allow"`
	// Deny is an address or prefix of which none may be let in.
	Deny Written[netip.Prefix] `yaml:"deny"`
}

// AddressGroup is a list of entries that allowlists of the tenant can name.
type AddressGroup struct {
	Node
	// APIVersion is the version of the format.
	APIVersion Value[string] `yaml:"apiVersion" required:"true"`
	// Kind is the kind of the document.
	Kind Value[string] `yaml:"kind" required:"true"`
	// Metadata names the document.
	Metadata Metadata `yaml:"metadata" required:"true"`
	// Spec is the group.
	Spec GroupSpec `yaml:"spec" required:"true"`
}

// GroupSpec is the content of a group.
type GroupSpec struct {
	Node
	// Entries are the group's.
	Entries List[GroupEntry] `yaml:"entries" required:"true"`
}

// GroupEntry is an entry that cannot name a group. Exactly one of CIDR and
// CIDRs.
type GroupEntry struct {
	Node `choice:"cidr cidrs"`
	// Description says who or what comes from there.
	Description Prose `yaml:"description" prose:"true"`
	// Owner is whom to ask whether the entry is still needed.
	Owner Prose `yaml:"owner" prose:"true"`
	// Ticket is where it was asked for.
	Ticket Prose `yaml:"ticket" prose:"true"`
	// CIDR is one prefix; a bare address is itself alone.
	CIDR Value[netip.Prefix] `yaml:"cidr" plural:"cidrs"`
	// CIDRs are several prefixes.
	CIDRs List[Value[netip.Prefix]] `yaml:"cidrs"`
	// Expires is a day, to its end in UTC, or an RFC 3339 time. Default: never.
	Expires *Value[Date] `yaml:"expires" blank:"no"` // nil for never, as of most
}

// Prefixes are the entry's own valid prefixes, in order.
func (e *Entry) Prefixes() []Value[netip.Prefix] { return prefixes(e.CIDR, e.CIDRs) }

// Prefixes are the entry's valid prefixes, in order.
func (e *GroupEntry) Prefixes() []Value[netip.Prefix] { return prefixes(e.CIDR, e.CIDRs) }

// End is the first moment at which the entry no longer counts; zero where it has
// none, or one that cannot be read.
func (e *Entry) End() time.Time { return end(e.Expires) }

// End is the first moment at which the entry no longer counts; zero where it has
// none, or one that cannot be read.
func (e *GroupEntry) End() time.Time { return end(e.Expires) }

func end(expires *Value[Date]) time.Time {
	if expires == nil {
		return time.Time{}
	}
	return expires.V.End
}

// Undated tells of an end that is there and cannot be read.
func (e *Entry) Undated() bool { return e.Expires != nil && !e.Expires.Set }

// Undated tells of an end that is there and cannot be read.
func (e *GroupEntry) Undated() bool { return e.Expires != nil && !e.Expires.Set }

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
