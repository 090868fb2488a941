package document_test

import (
	"strings"
	"testing"
)

func TestSyntax(t *testing.T) {
	t.Parallel()
	table(t, []row{
		{"an empty file", "", nil},
		{"white space", "\n  \n", nil},
		{"comments", "# nothing yet\n", nil},
		{"documents without content", "---\n---\n# nothing\n---\n", nil},
		{"a byte order mark", "\uFEFF" + list(clusters, entries), nil},
		{"CRLF", strings.ReplaceAll(list(clusters, entries), "\n", "\r\n"), nil},
		{"a byte order mark, CRLF, and a fault", "\uFEFF" + strings.ReplaceAll(list(clusters, "entires: []", entries), "\n", "\r\n"), []string{`6:3 unknown-field "entires" is not known here [entries]`}},
		{"a fault on the first line, behind a byte order mark", "\uFEFFa: b\n", []string{"1:1 missing-field apiVersion is missing", "1:1 missing-field kind is missing"}},
		{"umlauts before it: columns are characters", list(clusters, "entries: [{description: Zürich, cidr: 10.0.0.1/8}]"), []string{"6:41 host-bits"}},

		{"a tab for indentation", list("clusters:\n\t- c"), []string{"6:1 yaml-syntax a tab where YAML wants spaces [indent with spaces]"}},
		{"a tab behind a dash", list(clusters, "entries:", "  -\tcidr: 192.0.2.1"), []string{"7:6 yaml-syntax a tab where YAML wants spaces [put a space behind the dash]"}},
		{"an address in brackets with a port", list(clusters, "entries:", "  - cidr: [2001:db8::1]:443", "  - cidr: 192.0.2.1"), []string{`7:13 yaml-syntax an address in brackets reads as a list [write the address alone: "2001:db8::1"]`}},
		{"an unclosed list", "a: [1, 2\nb: 3\n", []string{"2:1 yaml-syntax did not find expected"}},
		{"an unclosed mapping", "a: {b: 1\n", []string{"1:1 yaml-syntax did not find expected"}},
		{"an unclosed quote", "a: \"b\n\n\n", []string{"1:1 yaml-syntax found unexpected end of stream"}},
		{"an address that ends in colons", "cidr: 2001:db8::\n", []string{`1:7 yaml-syntax an address that ends in a colon reads as a key [put it in quotes: "2001:db8::"]`}},
		{"an address that ends in colons, in brackets: read as it is meant", entry("cidrs: [192.0.2.1, 2001:db8::]"), nil},
		{"in a list of lines", list(clusters, "entries:", "  - cidrs:", "      - 2001:db8::", "      - 192.0.2.1"), []string{`8:11 wrong-type a mapping, where an address belongs [an address that ends in a colon reads as a key: put it in quotes: "2001:db8::"]`}},
		{"in node egress", list(clusters, "nodeEgress:", "  - 2600::", entries), []string{`7:7 wrong-type a mapping, where an address belongs [an address that ends in a colon reads as a key: put it in quotes: "2600::"]`}},
		{"what is no address by a colon more", list(clusters, "entries:", "  - cidrs:", "      - office:"), []string{`8:11 wrong-type a mapping, where an address belongs`}},
		{"an address that begins with colons, behind a key in braces", list(clusters, "entries:", "  - {cidr: ::1}"), []string{`7:14 yaml-syntax an address that begins with a colon reads as a key [put it in quotes: "::1"]`}},
		{"two keys on a line", "a: b: c\n", []string{"1:5 yaml-syntax a second key on one line"}},
		{"an item that is indented less than the others, far below the first", list(clusters, "entries:\n"+strings.Repeat("    - cidr: 192.0.2.1\n", 60)+"   - cidr: 192.0.2.2"), []string{"67:4 yaml-syntax did not find expected key"}},
		{"a key where an item belongs, far below the first", list(clusters, "entries:\n"+strings.Repeat("    - cidr: 192.0.2.1\n", 60)+"    cidr: 192.0.2.2\n    # fine\n    - cidr: 192.0.2.3"), []string{"67:5 yaml-syntax did not find expected '-' indicator"}},
		{"the same in the second document, with lines as Windows ends them", strings.ReplaceAll(list(clusters, entries)+"---\n"+list(clusters, "entries:\n"+strings.Repeat("    - cidr: 192.0.2.1\n", 60)+"   - cidr: 192.0.2.2"), "\n", "\r\n"), []string{"74:4 yaml-syntax did not find expected key"}},
		{"behind a line longer than is read at once", list(clusters, "entries:", "  - description: "+strings.Repeat("x", 5000), "    cidr: 192.0.2.1", " - cidr: 192.0.2.2"), []string{"9:4 yaml-syntax did not find expected key"}},
		{"a character that begins no value", "a: @b\n", []string{"1:4 yaml-syntax '@' cannot begin a plain value [put the value in quotes]"}},
		{"an asterisk alone", "a: [*, b]\n", []string{`1:5 yaml-syntax a "*" without quotes begins an alias [put it in quotes: "*"]`}},
		{"not UTF-8", "a: \xff\n", []string{"1:4 yaml-syntax the file is not UTF-8 [save it as UTF-8]"}},
		{"UTF-16", "\xff\xfea\x00", []string{"1:1 yaml-syntax the file is not UTF-8"}},
		{"a control character", "a: b\nc: \x07\n", []string{"2:4 yaml-syntax the character U+0007 is not allowed in YAML"}},
		{"a null byte", "a\x00b", []string{"1:2 yaml-syntax the character U+0000"}},

		{"an entry that hides behind a comment, by a line separator", "# fine\u2028kind: Allowlist\n", []string{"1:7 yaml-syntax the character U+2028 ends a line for YAML and for no one who looks"}},
		{"by a paragraph separator", "# fine\u2029kind: Allowlist\n", []string{"1:7 yaml-syntax the character U+2029"}},
		{"by a next line", "# fine\u0085kind: Allowlist\n", []string{"1:7 yaml-syntax the character U+0085"}},
		{"by a lone carriage return", "# fine\rkind: Allowlist\n", []string{"1:7 yaml-syntax the character U+000D"}},

		{"an anchor and its alias", "a: &x 1\nb: *x\n", []string{"1:4 yaml-alias anchors and aliases are not read here", "2:4 yaml-alias"}},
		{"an anchor, and another fault of the document", entry("cidr: &x 192.0.2.1/24, ticket: [*x]"), []string{"6:20 host-bits", "6:20 yaml-alias", "6:45 wrong-type a list, where a string belongs", "6:46 yaml-alias"}},
		{"an alias that is merged: what else is wrong is not known", list(clusters, "entries: [&x {cidr: 192.0.2.1/24}, {<<: *x}]"), []string{"6:13 yaml-alias", "6:43 yaml-alias"}},
		{"aliases in the place of all sorts, and another fault", list("clusters: &x [c]", "nodeEgress: *x", "entries: *x", "tests: [*x, {allow: *x}]", "access: *x", "sead: s", "*x : *x"),
			[]string{"5:13 yaml-alias", "6:15 yaml-alias", "7:12 yaml-alias", "8:11 yaml-alias", "8:23 yaml-alias", "9:11 yaml-alias", `10:3 unknown-field "sead"`, "11:3 yaml-alias", "11:8 yaml-alias"}},
		{"an alias of nothing", "a: 1\nb: [c*x, *x]\n", []string{`2:10 yaml-alias anchors and aliases are not read here [write the value out; in quotes where it begins with an asterisk: "*x"]`}},
		{"a merge key", list(clusters, "entries: [{<<: {cidr: 192.0.2.1}}]"), []string{"6:13 missing-field one of cidr, cidrs, group is missing", `6:14 unknown-field "<<" is not known here`}},

		{"a key twice", list(clusters, entries, "clusters: [d]"), []string{`7:3 duplicate-key "clusters" is there already, at 5:3`}},
		{"a key twice, once in quotes", list(clusters, entries, `"clusters": [d]`), []string{`7:3 duplicate-key`}},
		{"a key twice at the root", list(clusters, entries) + "kind: Allowlist\n", []string{`7:1 duplicate-key "kind" is there already, at 2:1`}},
		{"a fault in the second document", list(clusters, entries) + "---\n" + list(clusters, "x: 1", entries), []string{`13:3 unknown-field "x" is not known here`}},
		{"a broken second document, the first judged", list(clusters, "x: 1", entries) + "---\na: [\n", []string{`6:3 unknown-field`, "9:1 yaml-syntax"}},
	})
}
