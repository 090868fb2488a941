// Package lint is the list of rules that files are held against.
//
// Rules is the one table of names, scopes and severities. Faults of form are
// found where a file is read (package document); the others are pure functions
// over one gathered list or file, a line each in allowlistRules. Rules that
// concern more than one file, or the seed, are found where the plan is made.
//
// A finding of file scope refuses its file; one of cluster scope holds the one
// cluster it names.
package lint

// Scope is what an error of a rule holds back.
type Scope string

// The scopes.
const (
	File    Scope = "file"
	Cluster Scope = "cluster"
	Config  Scope = "config"
)

// Rule is one line of the table.
type Rule struct {
	Name     string
	Scope    Scope
	Severity Severity
	// Fixed rules keep their severity whatever the policy says.
	Fixed bool
	// What the rule refuses, in a few words.
	What string
}

// Rules are all rules there are.
var Rules = []Rule{
	{"yaml-syntax", File, Error, true, "what is not YAML in UTF-8"},
	{"duplicate-key", File, Error, true, "a key that is there twice: readers of YAML disagree on which counts"},
	{"conflicting-fields", File, Error, true, "two fields of which only one can be meant"},
	{"yaml-alias", File, Error, true, "anchors and aliases: a line must mean what it says where it stands"},
	{"unknown-field", File, Error, true, "a field that nothing would read"},
	{"missing-field", File, Error, true, "a required field that is absent or null"},
	{"wrong-type", File, Error, true, "a value of another type, or none of the words that are possible"},
	{"unsupported-version", File, Error, true, "another apiVersion or kind"},
	{"file-too-large", File, Error, true, "a file over 1 MiB, or a tenant's folder or a file with more in it than is read"},
	{"not-a-file", File, Error, true, "a submodule, or a link named like a file of YAML"},
	{"invalid-name", File, Error, true, "a name that is no DNS label"},
	{"unsafe-text", File, Error, false, "control and bidirectional characters"},
	{"duplicate-name", File, Error, true, "two documents of one kind and name in a tenant"},
	{"invalid-address", File, Error, true, "what is neither an address nor a prefix in its plain form"},
	{"host-bits", File, Error, true, "a prefix with bits set behind its length"},
	{"ipv4-mapped", File, Error, true, "IPv4 written as IPv6"},
	{"unknown-group", File, Error, true, "a group that is not there"},
	{"empty-list", File, Error, true, "a restricted list without an entry of its own"},
	{"expires-to-open", File, Error, true, "a family whose every prefix would expire: a filter without entries is no filter"},
	{"open-world", File, Error, true, "a list that lets in half of IPv4 or of 2000::/3"},
	{"too-wide", File, Error, false, "a list wider in sum than the policy's limit"},
	{"too-many-entries", File, Error, false, "a list longer than the policy's limit"},
	{"forbidden-range", File, Error, true, "an address that the policy forbids"},
	{"open-not-allowed", File, Error, true, "access: open where the policy does not permit it"},
	{"selector-not-allowed", File, Error, true, "a cluster selector that the policy does not permit"},
	{"owner-required", File, Error, false, "an entry without an owner, where the policy wants one"},
	{"expiry-required", File, Error, false, "a wide entry that stays for good, where the policy wants an end"},
	{"invalid-date", File, Error, true, "what is neither a day nor a time"},
	{"unknown-seed", File, Error, true, "a seed that the policy does not know"},
	{"test-failed", File, Error, false, "a test in the file that the list does not pass"},
	{"canary-failed", File, Error, true, "a test of the provider's that the list does not pass"},
	{"node-egress-missing", File, Error, false, "a list without the way out of the cluster's own nodes"},
	{"duplicate-entry", File, Warning, false, "a prefix, a group or a cluster that is there twice"},
	{"covered-entry", File, Warning, false, "a prefix within another that lives as long"},
	{"special-range", File, Warning, false, "a prefix that is not of the public Internet"},
	{"expired", File, Warning, false, "an entry whose time is up"},
	{"expires-soon", File, Off, false, "an entry whose time is up within a week"},
	{"unused-group", File, Warning, false, "a group that no list names"},
	{"stray-file", File, Warning, false, "a file that looks like YAML and is not read"},
	{"foreign-cluster", Cluster, Error, true, "a cluster of a project that is not the tenant's"},
	{"unknown-cluster", Cluster, Error, false, "a cluster that is not on the seed"},
	{"cluster-claimed-twice", Cluster, Error, true, "a cluster that another list has"},
	{"unsupported-expose-strategy", Cluster, Error, false, "a cluster that is not exposed by a load balancer of its own"},
	{"removed-allowlist", Cluster, Error, false, "a list that goes while its cluster stays"},
	{"rule-budget", Cluster, Error, false, "more rules than the seed's load balancers take"},
	{"not-enforced", Cluster, Error, false, "a load balancer that ignores the list"},
	{"family-unsupported", Cluster, Error, false, "a family for which the load balancer refuses the whole list"},
	{"family-gap", Cluster, Warning, false, "a family that the load balancer leaves open without an entry of it"},
	{"merge-conflict", Cluster, Error, true, "a file that both sides changed since the merge base"},
	{"refused-by-kkp", Cluster, Error, true, "a list that KKP, asked by a dry run, would not take"},
	{"invalid-config", Config, Error, true, "a fault in the Config or the Policy"},
}

// Lookup is the rule of that name.
func Lookup(name string) (Rule, bool) {
	for _, r := range Rules {
		if r.Name == name {
			return r, true
		}
	}
	return Rule{}, false
}

// Changeable tells whether a rule exists and whether policies may change its
// severity.
func Changeable(name string) (known, changeable bool) {
	r, ok := Lookup(name)
	return ok, ok && !r.Fixed
}

// SeverityOf is the rule's severity under a policy's own choices.
func SeverityOf(name string, chosen map[string]string) Severity {
	r, _ := Lookup(name)
	if s, ok := chosen[name]; ok && !r.Fixed {
		return Severity(s)
	}
	return r.Severity
}
