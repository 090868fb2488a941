package document_test

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// FuzzParse: no bytes make the parser panic; what it says of them does not
// depend on chance; every problem stands inside the file; a file that is not
// understood is never taken for one that says nothing; and no prefix comes
// out that is not canonical.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", list(clusters, entries), list("clusterSelector: {matchLabels: {a: b}}", "nodeEgress: none", "access: open"),
		entry("cidrs: [192.0.2.0/24, 2001:db8::/48], expires: 2026-12-31, owner: a, ticket: b"), entry("group: vpn"), address("10.0.0.1/8"),
		list(clusters, entries, "tests: [{allow: 192.0.2.1}, {deny: 192.0.2.2}]"),
		"apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: vpn}\nspec: {entries: [{cidr: 192.0.2.1}]}\n---\n---\n",
		"a: [1, 2\nb: 3\n", "a: &x 1\nb: *x\n", "a: *x\n", "a: [*, b]\n", "\tx: y\n", "\uFEFFa: b\r\n", "# a\u2028b: c\n", aliasBomb(), "? [a]\n: !!set {b}\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		p := document.Parse(content)
		if !reflect.DeepEqual(p, document.Parse(content)) {
			t.Fatal("reads the same bytes in two ways")
		}
		inside(t, content, p.Problems)
		if p.Unread && len(p.Problems) == 0 {
			t.Error("was not read, and nothing is said of it")
		}
		for _, a := range p.Allowlists {
			for i := range a.Spec.Entries.Items {
				canonical(t, a.Spec.Entries.Items[i].Prefixes())
			}
			canonical(t, a.Spec.NodeEgress.Else.Items)
		}
	})
}

func canonical(t *testing.T, values []document.Value[netip.Prefix]) {
	t.Helper()
	for _, v := range values {
		if v.Set && (!v.V.IsValid() || v.V != v.V.Masked() || v.V.Addr().Is4In6() || v.V.Addr().Zone() != "") {
			t.Errorf("%s became %s", v.Pos, v.V)
		}
	}
}

// FuzzPrefix: what is taken is canonical, comes back from how it is written,
// and is what the standard library reads; what is refused says so, and what is
// offered instead of an invalid address is itself valid.
func FuzzPrefix(f *testing.F) {
	for _, s := range []string{"10.0.0.0/8", "10.0.0.1", "10.0.0.1/8", "010.0.0.0/8", "10.0.0.0/08", "::ffff:10.0.0.0/104", "::ffff:0:0/90", "fe80::1%eth0", "fe80::%a/64", "ho%st",
		"999.1.1.1", "10.0.0.1-10.0.0.9", "a.example", " 10.0.0.1", "10.0.0.0 /8", "", "/", "::", "::/0", "0.0.0.0/0", "64:ff9b::1.2.3.4", "1.1.1.1 1", "2001:db8::/032", "10.0.0.0/-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, problem := document.ParsePrefix(s)
		if problem != nil {
			refused(t, s, problem)
			return
		}
		if !p.IsValid() || p != p.Masked() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
			t.Errorf("%q became %s", s, p)
		}
		if again, problem := document.ParsePrefix(p.String()); problem != nil || again != p {
			t.Errorf("%q became %s, which became %s (%v)", s, p, again, problem)
		}
		if std, err := netip.ParsePrefix(s); strings.Contains(s, "/") && (err != nil || std != p) {
			t.Errorf("%q became %s, elsewhere %s", s, p, std)
		}
	})
}

func refused(t *testing.T, s string, p *document.Problem) {
	t.Helper()
	if p.Message == "" || !utf8.ValidString(p.Message) {
		t.Errorf("%q: says nothing that can be shown: %+v", s, p)
	}
	if p.Rule != "invalid-address" || p.Fix == "" || strings.Contains(p.Message, "is a range") {
		return
	}
	if p.Fix == "write the IPv4 prefix itself" {
		return
	}
	for _, offer := range strings.Split(p.Fix, ", or ") { // the network, or the one address
		offer, _, _ = strings.Cut(offer, " for the ")
		if _, err := netip.ParseAddr(offer); err == nil {
			continue
		}
		if fix, err := netip.ParsePrefix(offer); err != nil || fix != fix.Masked() {
			t.Errorf("%q: offers %q", s, p.Fix)
		}
	}
}

// inside wants each problem to stand at a character of the file, or right
// behind a line's last.
func inside(t *testing.T, content []byte, problems []document.Problem) {
	t.Helper()
	lines := bytes.Split(bytes.TrimPrefix(content, []byte("\uFEFF")), []byte("\n"))
	width := make([]int, len(lines))
	for i, line := range lines {
		width[i] = utf8.RuneCount(line)
	}
	for _, p := range problems {
		if line, column := int(p.Line), int(p.Column); line < 1 || line > len(lines) || column < 1 || column > width[line-1]+1 {
			t.Errorf("stands outside the file: %s", shown(p))
			return
		}
	}
}
