package stage

// The lists that the examples' files and policy ask for: entries with groups
// resolved, node egress, the seed's platform range; without what wider ones
// cover.

// platform is the range that the examples' policy adds to every list.
const platform = "192.0.2.0/28"

// vpn is acme's group of that name.
func vpn() []string { return []string{"198.51.100.16/29", "2001:db8:99::/48"} }

// ProdList is that of shop-prod.
func ProdList() []string {
	return append(vpn(), "203.0.113.0/24", "2001:db8:17::/48", "192.0.2.77/32", "192.0.2.16/28", "198.51.100.40/32", platform)
}

// StagingList is that of shop-staging and of shop-dev.
func StagingList() []string {
	return append(vpn(), "203.0.113.0/24", "198.51.100.41/32", "198.51.100.42/32", platform)
}

// BillingList is that of billing.
func BillingList() []string {
	return []string{"192.0.2.64/27", "192.0.2.128/28", "2001:db8:b0::/64", platform}
}

// ReportsList is that of reports, once it is exposed by LoadBalancer.
func ReportsList() []string { return []string{"192.0.2.64/27", "2001:db8:b1::/64", platform} }

// InitechList is that of all clusters of initech.
func InitechList() []string {
	return []string{"198.51.100.128/26", "2001:db8:1b::/48", "198.51.100.200/32", platform}
}
