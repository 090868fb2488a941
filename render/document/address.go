package document

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// ParsePrefix reads an address or a prefix as files may write it: a bare
// address stands for itself alone, and nothing that a load balancer or the
// Kubernetes API server could read in two ways is taken. A nil Problem means
// that the prefix is canonical; else the Problem has no position yet.
func ParsePrefix(s string) (netip.Prefix, *Problem) {
	if p := oddForm(s); p != nil {
		return netip.Prefix{}, p
	}
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, invalidAddress(s, "is not an address or a prefix", withoutPort(s))
		}
		return canonical(s, netip.PrefixFrom(addr, addr.BitLen()))
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, invalidAddress(s, prefixFault(s), addressFix(s))
	}
	return canonical(s, prefix)
}

func canonical(s string, p netip.Prefix) (netip.Prefix, *Problem) {
	if p.Addr().Is4In6() { // RFC 4291, 2.5.5.2
		return p, &Problem{Rule: "ipv4-mapped", Message: fmt.Sprintf(
			"%s is IPv4 written as IPv6: load balancers disagree on what that lets in", quote(s)), Fix: mappedFix(p)}
	}
	if p != p.Masked() {
		return p, &Problem{Rule: "host-bits", Message: fmt.Sprintf(
			"%s has bits set behind its length: the Kubernetes API server refuses it, and KKP's reconcile of the cluster would stop", quote(s)),
			Fix: hostBitsFix(p)}
	}
	return p, nil
}

func hostBitsFix(p netip.Prefix) string {
	return fmt.Sprintf("%s for the whole network, or %s for the one address", p.Masked(), netip.PrefixFrom(p.Addr(), p.Addr().BitLen()))
}

// oddForm names the forms that are not merely misspelt: each has a remedy.
func oddForm(s string) *Problem {
	switch {
	case s == "":
		return invalidAddress(s, "is empty", "")
	case strings.Contains(s, "-") && isRange(withoutSpace(s)):
		return invalidAddress(s, "is a range", "write it as prefixes (CIDR)")
	case strings.IndexFunc(s, unicode.IsSpace) >= 0:
		return invalidAddress(s, "contains white space", spaceFix(s))
	case strings.Contains(s, "%"):
		return invalidAddress(s, "has a zone, which means something on one machine only", withoutZone(s))
	case hasLeadingZero(s):
		return invalidAddress(s, "has leading zeros, which some programs read as octal", withoutZeros(s))
	}
	return nil
}

func withoutSpace(s string) string { return strings.Join(strings.Fields(s), "") }

// spaceFix takes white space away around the address and its slash. Within the
// digits two values may be meant, and nothing is offered.
func spaceFix(s string) string {
	host, bits, slash := strings.Cut(s, "/")
	s = strings.TrimSpace(host)
	if slash {
		s += "/" + strings.TrimSpace(bits)
	}
	return addressFix(s)
}

func withoutZone(s string) string {
	host, bits, slash := strings.Cut(s, "/")
	host, _, _ = strings.Cut(host, "%")
	if slash {
		host += "/" + bits
	}
	return addressFix(host)
}

// withoutPort offers the address of one with a port, or in brackets.
func withoutPort(s string) string {
	if p, err := netip.ParseAddrPort(s); err == nil {
		return addressFix(p.Addr().String())
	}
	if bare, found := strings.CutPrefix(s, "["); found && strings.HasSuffix(s, "]") {
		return addressFix(strings.TrimSuffix(bare, "]"))
	}
	return ""
}

func invalidAddress(s, what, fix string) *Problem {
	return &Problem{Rule: "invalid-address", Message: quote(s) + " " + what, Fix: fix}
}

func prefixFault(s string) string {
	host, bits, _ := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return "is not an address or a prefix"
	}
	return fmt.Sprintf("has the length %s, which is not a number from 0 to %d", quote(bits), addr.BitLen())
}

func isRange(s string) bool {
	from, to, found := strings.Cut(s, "-")
	if !found {
		return false
	}
	_, err := netip.ParseAddr(from)
	return err == nil && to != ""
}

// hasLeadingZero looks at dotted decimals and at the length only; IPv6 groups
// may well begin with a zero.
func hasLeadingZero(s string) bool {
	host, bits, _ := strings.Cut(s, "/")
	if len(bits) > 1 && bits[0] == '0' {
		return true
	}
	if strings.Contains(host, ":") || !strings.Contains(host, ".") {
		return false
	}
	for part := range strings.SplitSeq(host, ".") {
		if len(part) > 1 && part[0] == '0' && isDigits(part) {
			return true
		}
	}
	return false
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func withoutZeros(s string) string {
	host, bits, slash := strings.Cut(s, "/")
	if !strings.Contains(host, ":") {
		parts := strings.Split(host, ".")
		for i, part := range parts {
			parts[i] = trimZeros(part)
		}
		host = strings.Join(parts, ".")
	}
	if slash {
		host += "/" + trimZeros(bits)
	}
	return addressFix(host)
}

func trimZeros(s string) string {
	if t := strings.TrimLeft(s, "0"); t != "" {
		return t
	}
	return "0"
}

// addressFix offers s where it is valid by itself, or what it can mean where
// only its host bits are too many, else nothing.
func addressFix(s string) string {
	if p, err := netip.ParsePrefix(s); err == nil {
		switch {
		case p.Addr().Is4In6():
			return mappedFix(p)
		case p != p.Masked():
			return hostBitsFix(p)
		}
		return s
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return s
	}
	return ""
}

func mappedFix(p netip.Prefix) string {
	if p.Bits() < 96 {
		return "write the IPv4 prefix itself"
	}
	v4 := netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked()
	if v4.Bits() == 0 {
		return "write the IPv4 prefix itself" // nobody is to let in the world by taking a hint
	}
	if v4.Bits() == 32 {
		return v4.Addr().String()
	}
	return v4.String()
}
