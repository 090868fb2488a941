package document_test

import "testing"

func TestShape(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\n"
	table(t, []row{
		{"the least list", list(clusters, entries), nil},
		{"a group", "apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: vpn}\nspec: {entries: [{cidr: 192.0.2.1}]}\n", nil},
		{"no mapping", "- a\n", []string{"1:1 wrong-type a list, where a mapping belongs"}},
		{"a word", "hello\n", []string{`1:1 wrong-type "hello", where a mapping belongs`}},
		{"another version", "apiVersion: v1\nkind: Allowlist\n", []string{`1:13 unsupported-version "v1" is not a version this program reads [portcullis.dev/v1alpha1]`}},
		{"another kind", "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\n", []string{`2:7 unsupported-version Policy is the provider`}},
		{"no version", "kind: Allowlist\nmetadata: {name: a}\nspec: {clusters: [c], entries: [{cidr: 192.0.2.1}]}\n", []string{"1:1 missing-field apiVersion is missing [apiVersion: portcullis.dev/v1alpha1]"}},
		{"no spec", head + "metadata: {name: a}\n", []string{"1:1 missing-field spec is missing"}},
		{"spec, and null", head + "metadata: {name: a}\nspec:\n", []string{"4:1 missing-field spec has no value"}},
		{"no name", head + "metadata: {}\nspec: {clusters: [c], entries: [{cidr: 192.0.2.1}]}\n", []string{"3:1 missing-field name is missing"}},
		{"a name that is none", head + "metadata: {name: Prod_1}\nspec: {clusters: [c], entries: [{cidr: 192.0.2.1}]}\n", []string{`3:18 invalid-name "Prod_1" is no name for a document`}},
		{"a number for a name", head + "metadata: {name: 017}\nspec: {clusters: [c], entries: [{cidr: 192.0.2.1}]}\n", []string{`3:18 wrong-type "017", where a string belongs [put it in quotes: "017"]`}},
		{"a misspelt key", list(clusters, entries, "acces: open"), []string{`7:3 unknown-field "acces" is not known here [access]`}},
		{"a list for a word", list(clusters, entries, "seed: [a]"), []string{"7:9 wrong-type a list, where a string belongs"}},
		{"a word for a list", list("clusters: c", entries), []string{`5:13 wrong-type "c", where a list belongs [[c]]`}},
		{"an item that is nothing", list("clusters: [c, ~]", entries), []string{"5:17 wrong-type an item without a value"}},
		{"a tag", list(clusters, entries, "seed: !!binary YQ=="), []string{"7:9 wrong-type a value with the tag"}},
		{"a list with a tag", list(clusters, "entries: !!seq [{cidr: 192.0.2.1}]"), []string{`6:12 wrong-type a list with the tag "!!seq", where a list belongs [remove the tag]`}},
		{"an entry with a tag", list(clusters, "entries: [!own {cidr: 192.0.2.1}]"), []string{`6:13 wrong-type a mapping with the tag "!own", where a mapping belongs [remove the tag]`}},
		{"an address with a tag", entry("cidr: !!str 192.0.2.1"), []string{`6:20 wrong-type a value with the tag "!!str", where an address belongs [remove the tag]`}},
		{"a selector, and null", list("clusterSelector:", entries), []string{"5:3 missing-field clusterSelector has no value"}},
		{"clusters, and null", list(entries, "clusters: ~"), []string{"6:3 missing-field clusters has no value"}},
		{"one null beside what counts", entry("cidrs: , cidr: 192.0.2.1"), nil},
		{"a version and a kind, and null", "apiVersion:\nkind:\n", []string{"1:1 missing-field apiVersion has no value [apiVersion: portcullis.dev/v1alpha1]", "2:1 missing-field kind has no value [kind: Allowlist]"}},
		{"lists for a version and a kind", "kind: [a]\napiVersion: {b: c}\n", []string{"1:7 wrong-type a list, where a string belongs [Allowlist]", "2:13 wrong-type a mapping, where a string belongs [portcullis.dev/v1alpha1]"}},
		{"a mapping for a key", list(clusters, entries, "{a: b}: c"), []string{"7:3 wrong-type a mapping, where a key belongs"}},
		{"a cluster that is none", list("clusters: [shop_prod]", entries), []string{`5:14 invalid-name "shop_prod" is no name for a cluster`}},
		{"no clusters", list("clusters: []", entries), []string{"5:13 missing-field clusters names no cluster"}},
		{"neither clusters nor a selector", list(entries), []string{"4:1 missing-field one of clusters, clusterSelector is missing"}},
		{"both", list("clusterSelector: {}", clusters, entries), []string{"6:3 conflicting-fields clusters is there beside clusterSelector, at 5:3"}},
		{"a label without a value, which is not the empty one", list("clusterSelector: {matchLabels: {env: }}", entries), []string{`5:35 missing-field "env" has no value`}},
		{"labels without a value, which are not all clusters", list("clusterSelector: {matchLabels: }", entries), []string{"5:21 missing-field matchLabels has no value"}},
		{"an end without a value, which is not for good", list(clusters, "entries: [{cidr: 192.0.2.1, expires: }]"), []string{"6:31 missing-field expires has no value"}},
		{"a label that is a number", list("clusterSelector: {matchLabels: {env: 1}}", entries), []string{`5:40 wrong-type "1", where a string belongs`}},
		{"a word for access", list(clusters, entries, "access: opne"), []string{`7:11 wrong-type "opne" is none of: restricted, open, unmanaged`}},
		{"open", list(clusters, "access: open"), nil},
		{"open with entries", list(clusters, "access: open", entries), []string{"7:3 conflicting-fields entries with access: open would have no effect"}},
		{"open with entries that are none", list(clusters, "access: open", "entries: []"), []string{"7:3 conflicting-fields entries with access: open would have no effect"}},
		{"open, and entries without a value", list(clusters, "access: open", "entries:"), nil},
		{"unmanaged with entries", list(clusters, entries, "access: unmanaged"), []string{"7:3 conflicting-fields entries with access: unmanaged"}},
		{"restricted to nothing", list(clusters), []string{"4:1 empty-list a restricted list needs at least one entry of its own"}},
		{"entries, and null", list(clusters, "entries:"), []string{"6:3 empty-list"}},
		{"entries that are none", list(clusters, "entries: []"), []string{"6:12 empty-list"}},
		{"an entry of nothing", list(clusters, "entries: [{}]"), []string{"6:13 missing-field one of cidr, cidrs, group is missing"}},
		{"cidr and cidrs", entry("cidrs: [192.0.2.1], cidr: 192.0.2.2"), []string{"6:34 conflicting-fields cidr is there beside cidrs, at 6:14"}},
		{"a group beside an address", entry("cidr: 192.0.2.2, group: vpn"), []string{"6:31 conflicting-fields group is there beside cidr, at 6:14"}},
		{"no node egress", list(clusters, entries, "nodeEgress: none"), nil},
		{"a word for node egress", list(clusters, entries, "nodeEgress: nona"), []string{`7:15 wrong-type "nona" is none of: none [none]`}},
		{"a test of both", list(clusters, entries, "tests: [{deny: 192.0.2.1, allow: 192.0.2.1}]"), []string{"7:29 conflicting-fields allow is there beside deny, at 7:12"}},
		{"a test of neither", list(clusters, entries, "tests: [{}]"), []string{"7:11 missing-field one of allow, deny is missing"}},
		{"a group in a group", "apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: vpn}\nspec: {entries: [{group: a}]}\n",
			[]string{"4:18 missing-field one of cidr, cidrs is missing", `4:19 unknown-field "group" is not known here`}},
		{"an unquoted date for a word", entry("description: 2026-12-31, cidr: 192.0.2.1"), nil},
		{"a bell, escaped", entry(`description: "a\ab", cidr: 192.0.2.1`), []string{"6:27 unsafe-text the value holds the invisible character U+0007"}},
		{"text that turns around", entry("description: a\u202Eb, cidr: 192.0.2.1"), []string{"6:27 unsafe-text the value holds the invisible character U+202E"}},
		{"everything at once", list("clusters: [A]", "acces: x", "entries: [{cidr: 10.0.0.1/8, expires: soon}]"),
			[]string{"5:14 invalid-name", "6:3 unknown-field", "7:20 host-bits", "7:41 invalid-date"}},
	})
}

func TestDates(t *testing.T) {
	t.Parallel()
	const fix = `is neither a day nor a time [2026-12-31 (to the end of that day, UTC) or 2026-12-31T18:00:00Z]`
	table(t, []row{
		{"a day", entry("cidr: 192.0.2.1, expires: 2026-12-31"), nil},
		{"a day in quotes", entry(`cidr: 192.0.2.1, expires: "2026-12-31"`), nil},
		{"a time", entry("cidr: 192.0.2.1, expires: 2026-12-31T18:00:00+01:00"), nil},
		{"a day that is none", entry("cidr: 192.0.2.1, expires: 2026-02-30"), []string{`6:40 invalid-date "2026-02-30" ` + fix}},
		{"a time without a zone", entry("cidr: 192.0.2.1, expires: 2026-12-31T18:00:00"), []string{`6:40 invalid-date "2026-12-31T18:00:00" ` + fix}},
		{"the other way round", entry("cidr: 192.0.2.1, expires: 31.12.2026"), []string{`6:40 invalid-date "31.12.2026" ` + fix}},
		{"a year", entry("cidr: 192.0.2.1, expires: 2026"), []string{`6:40 invalid-date "2026" ` + fix}},
		{"a word", entry("cidr: 192.0.2.1, expires: never"), []string{`6:40 invalid-date "never" ` + fix}},
	})
}
