package render

import (
	"net/netip"
	"strings"
)

// Inventory is what is known of one seed when a plan is made: its clusters
// and the ranges that KKP adds to every list. The zero value knows nothing,
// which is how a tree is checked offline.
type Inventory struct {
	// Known says that Clusters was read from a seed. Without it nothing is
	// said about which clusters exist, whose they are and how they are exposed.
	Known bool
	// Clusters by ID, the name of the Cluster object.
	Clusters map[string]Cluster
	// Seed holds the Seed resource's own ranges.
	Seed SeedRanges
}

// SeedRanges are the ranges KKP adds by itself, from the Seed resource.
type SeedRanges struct {
	// Known is false where the Seed resource is not configured or could never
	// be read; the ranges then count as empty.
	Known bool
	// Source is spec.nodeportProxy.envoy.loadBalancerService.sourceRanges:
	// let in whatever the Cluster says. Strings as they stand in the Seed.
	Source []string
	// Default is spec.defaultAPIServerAllowedIPRanges: let in where the
	// Cluster's own field is set, be it to an empty list.
	Default []string
}

// ExposeLoadBalancer is the only expose strategy for which KKP honours a
// cluster's list (kubermatic/kubermatic v2.31, cluster validation).
const ExposeLoadBalancer = "LoadBalancer"

// Cluster is what a plan needs to know of a KKP Cluster. It holds no secret.
type Cluster struct {
	ID         string // metadata.name
	UID        string // metadata.uid
	Project    string // label project-id, immutable in KKP
	Name       string // spec.humanReadableName: shown, never a key
	Datacenter string // spec.cloud.dc
	// ExposeStrategy is NodePort, LoadBalancer or Tunneling.
	ExposeStrategy string
	// Namespace is status.namespaceName; empty until KKP has made it.
	Namespace string
	Labels    map[string]string
	Paused    bool // spec.pause
	Deleting  bool // metadata.deletionTimestamp is set
	Live      Live
	// Ours is the list that portcullis wrote last, as it stands in the object:
	// the live one where nobody wrote over it, else one that was seen before
	// that; nil where it is not known.
	Ours []string
}

// Live is the field spec.apiServerAllowedIPRanges as it stands on a Cluster.
type Live struct {
	// Set tells an absent field from a present one, which may be empty.
	Set   bool
	CIDRs []string // as they stand, canonical or not
}

// Title is how a cluster is shown to people: "shop-prod (qvjdddt72t)" where
// its name is known, else its ID.
func (c Cluster) Title() string {
	if c.Name == "" {
		return c.ID
	}
	return c.Name + " (" + c.ID + ")"
}

// Prefixes parses ranges that somebody else wrote, leaving out what is no
// prefix: KKP's own fields are not checked by KKP either. White space around one
// passes the API server's check, and it lets in what it does without.
func Prefixes(ranges []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range ranges {
		if p, err := netip.ParsePrefix(strings.TrimSpace(s)); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}
