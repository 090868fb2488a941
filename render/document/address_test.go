package document_test

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/render/document"
)

func TestAddressFaults(t *testing.T) {
	t.Parallel()
	table(t, []row{
		{"host bits", address("10.0.0.1/8"), []string{`6:20 host-bits "10.0.0.1/8" has bits set behind its length: the Kubernetes API server refuses it, and KKP's reconcile of the cluster would stop [10.0.0.0/8 for the whole network, or 10.0.0.1/32 for the one address]`}},
		{"host bits, IPv6", address("2001:db8::1/32"), []string{`6:20 host-bits "2001:db8::1/32"`}},
		{"leading zeros", address("010.0.0.0/8"), []string{`6:20 invalid-address "010.0.0.0/8" has leading zeros, which some programs read as octal [10.0.0.0/8]`}},
		{"a length with a leading zero", address("10.0.0.0/08"), []string{`6:20 invalid-address "10.0.0.0/08" has leading zeros, which some programs read as octal [10.0.0.0/8]`}},
		{"a length with a leading zero, and host bits", address("10.0.0.1/08"), []string{`6:20 invalid-address "10.0.0.1/08" has leading zeros, which some programs read as octal [10.0.0.0/8 for the whole network, or 10.0.0.1/32 for the one address]`}},
		{"a list for one", entry("cidr: [10.0.0.1]"), []string{`6:20 wrong-type a list, where an address belongs [cidrs: [...]]`}},
		{"one for a list", entry("cidrs: 10.0.0.1"), []string{`6:21 wrong-type "10.0.0.1", where a list belongs [[10.0.0.1]]`}},
		{"IPv4 as IPv6, and a zone", address(`"::ffff:10.0.0.1%eth0"`), []string{`6:20 invalid-address "::ffff:10.0.0.1%eth0" has a zone`}},
		{"leading zeros, and no address", address("010.0.0.0.1"), []string{`6:20 invalid-address "010.0.0.0.1" has leading zeros`}},
		{"IPv4 as IPv6", address("::ffff:10.0.0.0/104"), []string{`6:`}},
		{"IPv4 as IPv6, in quotes", address(`"::ffff:10.0.0.0/104"`), []string{`6:20 ipv4-mapped "::ffff:10.0.0.0/104" is IPv4 written as IPv6: load balancers disagree on what that lets in [10.0.0.0/8]`}},
		{"one IPv4 address as IPv6", address(`"::ffff:10.0.0.1"`), []string{`6:20 ipv4-mapped "::ffff:10.0.0.1" is IPv4 written as IPv6: load balancers disagree on what that lets in [10.0.0.1]`}},
		{"a zone", address("fe80::1%eth0"), []string{`6:20 invalid-address "fe80::1%eth0" has a zone, which means something on one machine only [fe80::1]`}},
		{"a zone and a length", address("fe80::%eth0/64"), []string{`6:20 invalid-address "fe80::%eth0/64" has a zone, which means something on one machine only [fe80::/64]`}},
		{"a percent sign, and no address", address("ho%st"), []string{`6:20 invalid-address "ho%st" has a zone, which means something on one machine only`}},
		{"too large", address("999.1.1.1"), []string{`6:20 invalid-address "999.1.1.1" is not an address or a prefix`}},
		{"too short", address("10.0.0/8"), []string{`6:20 invalid-address "10.0.0/8" is not an address or a prefix`}},
		{"too long", address("10.0.0.0/33"), []string{`6:20 invalid-address "10.0.0.0/33" has the length "33", which is not a number from 0 to 32`}},
		{"a mask", address("10.0.0.0/255.0.0.0"), []string{`6:20 invalid-address "10.0.0.0/255.0.0.0" has the length "255.0.0.0", which is not`}},
		{"no length", address("10.0.0.0/"), []string{`6:20 invalid-address "10.0.0.0/" has the length ""`}},
		{"two lengths", address("10.0.0.0/8/8"), []string{`6:20 invalid-address "10.0.0.0/8/8" has the length "8/8"`}},
		{"a negative length", address("10.0.0.0/-1"), []string{`6:20 invalid-address "10.0.0.0/-1" has the length "-1"`}},
		{"a range", address("10.0.0.1-10.0.0.9"), []string{`6:20 invalid-address "10.0.0.1-10.0.0.9" is a range [write it as prefixes (CIDR)]`}},
		{"a range with spaces", address("10.0.0.1 - 10.0.0.9"), []string{`6:20 invalid-address "10.0.0.1 - 10.0.0.9" is a range [write it as prefixes (CIDR)]`}},
		{"a host name", address("vpn.example.com"), []string{`6:20 invalid-address "vpn.example.com" is not an address or a prefix`}},
		{"a name with a dash", address("vpn-gw.example.com"), []string{`6:20 invalid-address "vpn-gw.example.com" is not an address`}},
		{"white space around it", address(`" 10.0.0.1 "`), []string{`6:20 invalid-address " 10.0.0.1 " contains white space [10.0.0.1]`}},
		{"white space within", address("10.0.0.0 /8"), []string{`6:20 invalid-address "10.0.0.0 /8" contains white space [10.0.0.0/8]`}},
		{"two addresses: neither is offered", address("1.1.1.1 1"), []string{`6:20 invalid-address "1.1.1.1 1" contains white space`}},
		{"an unseen space", address(`"10.0.0.1\u00A0"`), []string{"6:20 invalid-address"}},
		{"nothing", address(`""`), []string{`6:20 invalid-address "" is empty`}},
		{"a number", address("10"), []string{`6:20 invalid-address "10" is not an address`}},
		{"a port", address("10.0.0.1:6443"), []string{`6:20 invalid-address "10.0.0.1:6443" is not an address or a prefix [10.0.0.1]`}},
		{"brackets", address(`"[2001:db8::1]"`), []string{`6:20 invalid-address "[2001:db8::1]" is not an address or a prefix [2001:db8::1]`}},
		{"brackets and a port", address(`"[2001:db8::1]:6443"`), []string{`6:20 invalid-address "[2001:db8::1]:6443" is not an address or a prefix [2001:db8::1]`}},
		{"all of IPv4 as IPv6: the world is not offered", address(`"::ffff:0:0/96"`), []string{`6:20 ipv4-mapped "::ffff:0:0/96" is IPv4 written as IPv6: load balancers disagree on what that lets in [write the IPv4 prefix itself]`}},
		{"an address, and null", address("~"), []string{"6:14 missing-field cidr has no value"}},
		{"the second of a list", entry("cidrs: [192.0.2.1, 192.0.2.1/24]"), []string{"6:33 host-bits"}},
		{"node egress", list(clusters, entries, "nodeEgress: [192.0.2.1/24]"), []string{"7:16 host-bits"}},
		{"one address for node egress", list(clusters, entries, "nodeEgress: 192.0.2.1"), []string{`7:15 wrong-type "192.0.2.1", where a list or one of these belongs: none [[192.0.2.1]]`}},
		{"a test", list(clusters, entries, "tests: [{allow: 192.0.2.1/24}]"), []string{"7:19 host-bits"}},
	})
}

func TestParsePrefix(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "192.0.2.1": "192.0.2.1/32", "2001:db8::1": "2001:db8::1/128",
		"2001:0DB8:0::/32": "2001:db8::/32", "::/0": "::/0", "0.0.0.0/0": "0.0.0.0/0", "64:ff9b::192.0.2.1": "64:ff9b::c000:201/128",
	} {
		if got, p := document.ParsePrefix(in); p != nil || got.String() != want {
			t.Errorf("%s: got %s, %v, want %s", in, got, p, want)
		}
	}
}
