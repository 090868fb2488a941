package lint

import "net/netip"

// registered is a line of a registry.
type registered struct {
	prefix       netip.Prefix
	name, source string
}

// registry is what IANA's registries of special-purpose addresses list, by
// prefix, name and RFC:
// https://www.iana.org/assignments/iana-ipv4-special-registry and
// https://www.iana.org/assignments/iana-ipv6-special-registry, of 2026, and the
// multicast blocks of the address space registries. It is not changed.
var registry = []registered{
	in("0.0.0.0/8", "This network", "RFC 791"),
	in("0.0.0.0/32", "This host on this network", "RFC 1122"),
	in("10.0.0.0/8", "Private-Use", "RFC 1918"),
	in("100.64.0.0/10", "Shared Address Space", "RFC 6598"),
	in("127.0.0.0/8", "Loopback", "RFC 1122"),
	in("169.254.0.0/16", "Link Local", "RFC 3927"),
	in("172.16.0.0/12", "Private-Use", "RFC 1918"),
	in("192.0.0.0/24", "IETF Protocol Assignments", "RFC 6890"),
	in("192.0.0.0/29", "IPv4 Service Continuity Prefix", "RFC 7335"),
	in("192.0.0.8/32", "IPv4 dummy address", "RFC 7600"),
	in("192.0.0.9/32", "Port Control Protocol Anycast", "RFC 7723"),
	in("192.0.0.10/32", "Traversal Using Relays around NAT Anycast", "RFC 8155"),
	in("192.0.0.170/32", "NAT64/DNS64 Discovery", "RFC 7050"),
	in("192.0.0.171/32", "NAT64/DNS64 Discovery", "RFC 7050"),
	in("192.0.2.0/24", "Documentation (TEST-NET-1)", "RFC 5737"),
	in("192.31.196.0/24", "AS112-v4", "RFC 7535"),
	in("192.52.193.0/24", "AMT", "RFC 7450"),
	in("192.88.99.0/24", "Deprecated (6to4 Relay Anycast)", "RFC 7526"),
	in("192.88.99.2/32", "6a44-relay anycast address", "RFC 6751"),
	in("192.168.0.0/16", "Private-Use", "RFC 1918"),
	in("192.175.48.0/24", "Direct Delegation AS112 Service", "RFC 7534"),
	in("198.18.0.0/15", "Benchmarking", "RFC 2544"),
	in("198.51.100.0/24", "Documentation (TEST-NET-2)", "RFC 5737"),
	in("203.0.113.0/24", "Documentation (TEST-NET-3)", "RFC 5737"),
	in("224.0.0.0/4", "Multicast", "RFC 5771"),
	in("240.0.0.0/4", "Reserved", "RFC 1112"),
	in("255.255.255.255/32", "Limited Broadcast", "RFC 8190"),

	in("::1/128", "Loopback Address", "RFC 4291"),
	in("::/128", "Unspecified Address", "RFC 4291"),
	in("64:ff9b::/96", "IPv4-IPv6 Translat.", "RFC 6052"),
	in("64:ff9b:1::/48", "IPv4-IPv6 Translat.", "RFC 8215"),
	in("100::/64", "Discard-Only Address Block", "RFC 6666"),
	in("100:0:0:1::/64", "Dummy IPv6 Prefix", "RFC 9780"),
	in("2001::/23", "IETF Protocol Assignments", "RFC 2928"),
	in("2001::/32", "TEREDO", "RFC 4380"),
	in("2001:1::1/128", "Port Control Protocol Anycast", "RFC 7723"),
	in("2001:1::2/128", "Traversal Using Relays around NAT Anycast", "RFC 8155"),
	in("2001:1::3/128", "DNS-SD Service Registration Protocol Anycast", "RFC 9665"),
	in("2001:2::/48", "Benchmarking", "RFC 5180"),
	in("2001:3::/32", "AMT", "RFC 7450"),
	in("2001:4:112::/48", "AS112-v6", "RFC 7535"),
	in("2001:10::/28", "Deprecated (previously ORCHID)", "RFC 4843"),
	in("2001:20::/28", "ORCHIDv2", "RFC 7343"),
	in("2001:30::/28", "Drone Remote ID Protocol Entity Tags (DETs) Prefix", "RFC 9374"),
	in("2001:db8::/32", "Documentation", "RFC 3849"),
	in("2002::/16", "6to4", "RFC 3056"),
	in("2620:4f:8000::/48", "Direct Delegation AS112 Service", "RFC 7534"),
	in("3fff::/20", "Documentation", "RFC 9637"),
	in("5f00::/16", "Segment Routing (SRv6) SIDs", "RFC 9602"),
	in("fc00::/7", "Unique-Local", "RFC 4193"),
	in("fe80::/10", "Link-Local Unicast", "RFC 4291"),
	in("ff00::/8", "Multicast", "RFC 4291"),
}

func in(prefix, name, source string) registered {
	return registered{netip.MustParsePrefix(prefix), name, source}
}
