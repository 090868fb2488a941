package profile

// kkpPorts is how many ports KKP's front-loadbalancer has: the rules that one
// entry takes where a balancer counts them by port.
const kkpPorts = 3

// table is made anew for each caller, so that no one can change another's.
func table() []Profile {
	return []Profile{
		{Name: "aws-nlb", Enforces: Yes, IPv6: No, AbsentFamily: Denied, Merge: None,
			Budget: Budget{Rules: 60, PerEntry: kkpPorts, SharedBy: PerSeed},
			Note:   "Legacy cloud controller, instance targets. The limit is that of a security group, by default the node group shared by all clusters of the seed. Revokes before it grants."},
		{Name: "aws-lbc", Enforces: Yes, IPv6: DualStack, AbsentFamily: Denied, Merge: None,
			Budget: Budget{Rules: 60, PerEntry: kkpPorts, SharedBy: PerCluster},
			Note:   "AWS Load Balancer Controller. An IPv6 entry on a balancer that is not dual-stack blocks the whole update."},
		{Name: "aws-elb", Enforces: No, IPv6: Unknown, AbsentFamily: Open, Merge: None,
			Note: "Classic load balancer, by KKP's documentation."},
		{Name: "azure", Enforces: Yes, IPv6: Yes, AbsentFamily: Denied, Merge: None,
			Budget: Budget{Rules: 4000, PerEntry: 1, SharedBy: PerSeed},
			Note:   "4,000 source addresses, and 1,000 rules, a network security group, shared by the seed's Services. Denies all on an invalid value. Refuses Services that carry both field and annotation, and KKP writes both (kubernetes-sigs/cloud-provider-azure 6492)."},
		{Name: "gke", Enforces: Yes, IPv6: Yes, AbsentFamily: Open, Merge: None,
			Budget: Budget{Rules: 5000, PerEntry: 1, SharedBy: PerCluster},
			Note:   "The limit is approximate."},
		{Name: "openstack-octavia", Enforces: Yes, IPv6: DualStack, AbsentFamily: Denied, Merge: None,
			Budget: Budget{Rules: 100, PerEntry: kkpPorts, SharedBy: PerSeed},
			Note:   "Amphora. One security-group rule an entry and listener, out of the project's quota, often 100. An IPv6 entry on an IPv4 address fails the whole update. Translates the source address, and filters before it; deletes before it adds."},
		{Name: "openstack-ovn", Enforces: No, IPv6: Unknown, AbsentFamily: Open, Merge: None,
			Budget: Budget{Rules: 100, PerEntry: 1, SharedBy: PerSeed},
			Note:   "Filters only where the cloud controller manages security groups. Says so by the event LoadBalancerSourceRangesIgnored on the Service."},
		{Name: "hetzner", Enforces: No, IPv6: Unknown, AbsentFamily: Open, Merge: None,
			Note: "Ignores the list silently: its load balancers have no firewall (hetznercloud/hcloud-cloud-controller-manager 218, 286)."},
		{Name: "digitalocean", Enforces: Yes, IPv6: Unknown, AbsentFamily: AbsenceUnknown, Merge: None},
		{Name: "scaleway", Enforces: Yes, IPv6: Yes, AbsentFamily: Denied, Merge: None,
			Note: "Writes its access list in chunks of 60 entries; a limit of the whole is not known. Drops invalid entries silently."},
		{Name: "linode", Enforces: No, IPv6: Unknown, AbsentFamily: Open, Merge: None, Note: "Ignores the list silently."},
		{Name: "exoscale", Enforces: No, IPv6: Unknown, AbsentFamily: Open, Merge: None, Note: "Ignores the list silently."},
		{Name: "metallb", Enforces: Yes, IPv6: Yes, AbsentFamily: Open, Merge: None,
			Note: "kube-proxy filters, by family. Needs the source address preserved."},
		{Name: "kube-vip", Enforces: Yes, IPv6: Yes, AbsentFamily: Open, Merge: None,
			Note: "kube-proxy filters, by family. Needs the source address preserved."},
		{Name: "cilium", Enforces: Yes, IPv6: Yes, AbsentFamily: Denied, Merge: None, Note: "As the replacement of kube-proxy."},
		Generic(),
	}
}
