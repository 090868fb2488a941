package lint

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// Allowlist is what the rules about one allowlist are given: the document, and
// everything that was gathered for it from elsewhere.
type Allowlist struct {
	Doc *document.Allowlist
	// Path is that of the document's file.
	Path string
	// Seeds are the seeds the policy knows; nil where seeds are not judged.
	Seeds []string
	// Seed is the one the document is for; empty where that cannot be told.
	Seed string
	// Entries are all resolved ones, platform and node egress included.
	Entries []Entry
	// MissingGroups are the references to groups that are not there.
	MissingGroups []document.Value[string]
	// KnownGroups are the names that could have been meant.
	KnownGroups []string
	Policy      *policy.Policy
	// Partial is set where some of the entries could not be read: then only that
	// is said of their sum which more of them would not mend.
	Partial    bool
	JudgeTests bool           // whether the file's tests are judged now
	Extra      []netip.Prefix // what KKP adds: the Seed's ranges
	Egress     Egress         // what is known of the nodes besides
	// SharedGroups are the tenant's groups that other lists use as well.
	SharedGroups map[string]bool
	// Added tells whether a change adds a line with an end; nil where there is
	// nothing to compare with, and all count as old.
	Added func(line string) bool
	Now   time.Time

	own    []Entry  // see inFile; nil until a rule asks
	sorted []*Entry // see inOrder; nil until a rule asks
}

// complete tells whether the entries are all there, so that something can be
// said of their sum.
func (a *Allowlist) complete() bool {
	return a.restricted() && !a.Partial && len(a.MissingGroups) == 0
}

// whole tells whether, besides, the platform's entries are known: without the
// seed it is not known what the provider adds.
func (a *Allowlist) whole() bool {
	return a.complete() && (a.Seeds == nil || contains(a.Seeds, a.Seed))
}

// restricted tells whether the document asks for a list to be written.
func (a *Allowlist) restricted() bool {
	access := a.Doc.Spec.Access
	return access.Pos == document.Pos{} || access.V == "restricted"
}

// open tells whether the document asks for everyone to be let in.
func (a *Allowlist) open() bool { return a.Doc.Spec.Access.V == "open" }

// allowlistRules are the rules about one allowlist, one a line.
var allowlistRules = []struct {
	name  string
	check func(*Allowlist) []Problem
}{
	{"unknown-seed", plain(unknownSeed)},        // a seed that is not there would never act on the list
	{"missing-field", plain(missingSeed)},       // which seed, where there are several
	{"open-not-allowed", plain(openNotAllowed)}, // opening is the provider's to permit
	{"selector-not-allowed", plain(selectors)},  // labels are the tenant's users' to change
	{"unknown-group", plain(unknownGroup)},      // before the rules that need all entries
	{"owner-required", plain(ownerRequired)},    // somebody to ask
	{"expiry-required", plain(expiryRequired)},  // what is wide must not stay for good
	{"forbidden-range", plain(forbiddenRange)},  // what the provider never lets in
	{"empty-list", plain(nobodyLetIn)},          // groups can be empty, too
	{"expires-to-open", plain(expiresToOpen)},   // a filter without entries is no filter
	{"open-world", plain(openWorld)},            // splitting /0 does not pass
	{"too-wide", plain(tooWide)},                // nor does splitting anything else
	{"too-many-entries", plain(tooManyEntries)}, // nobody reviews what is too long to read
	{"node-egress-missing", nodeEgressMissing},  // a list must not lock out the cluster's own nodes
	{"canary-failed", plain(canaryFailed)},      // what the provider says of every list
	{"test-failed", plain(testFailed)},          // what the file says of itself
	{"duplicate-entry", duplicateEntry},         // removing one of two takes nothing away
	{"duplicate-entry", groupTwice},             // as is that of a group
	{"duplicate-entry", egressTwice},            // and one of two addresses of nodes may have been meant as another
	{"duplicate-entry", clusterTwice},           // and one of two clusters may have been meant as another
	{"covered-entry", coveredEntry},             // nor does removing what is within another
	{"special-range", plain(specialRange)},      // addresses that are nobody's on the Internet
	{"expired", expired},                        // leftovers, and mistakes in the year
	{"expires-soon", plain(expiresSoon)},        // for those who ask for it
	{"not-enforced", notEnforced},               // what a list is worth on this seed
	{"family-unsupported", familyUnsupported},   // one entry keeps the whole list from the balancer
	{"family-gap", plain(familyGap)},            // a family without entries is open
}

// CheckAllowlist holds an allowlist against every rule about one that the policy
// has not turned off.
func CheckAllowlist(a *Allowlist) []Problem {
	var out []Problem
	for _, r := range allowlistRules {
		if a.Policy.Rules[r.name] != "" && SeverityOf(r.name, a.Policy.Rules) == Off {
			continue // what it found would be dropped
		}
		for _, p := range r.check(a) {
			p.Rule = r.name
			out = append(out, p)
		}
	}
	return out
}

func unknownSeed(a *Allowlist) []document.Problem {
	seed := a.Doc.Spec.Seed
	if a.Seeds == nil || !seed.Set || contains(a.Seeds, seed.V) {
		return nil
	}
	fix, _ := document.Nearest(seed.V, a.Seeds)
	return []document.Problem{{Pos: seed.Pos, Message: fmt.Sprintf("there is no seed %q: nobody would act on this list", seed.V), Fix: fix}}
}

func missingSeed(a *Allowlist) []document.Problem {
	spec := a.Doc.Spec
	if len(a.Seeds) < 2 || spec.Seed.Pos != (document.Pos{}) || !spec.Set {
		return nil
	}
	at := spec.Or(a.Doc.Pos)
	if spec.Seed.Key != (document.Pos{}) {
		at = spec.Seed.Key
	}
	return []document.Problem{{Pos: at, Message: "seed is missing, and there are several", Fix: "seed: one of " + strings.Join(a.Seeds, ", ")}}
}

func openNotAllowed(a *Allowlist) []document.Problem {
	access := a.Doc.Spec.Access
	if access.V != "open" || a.Policy.AllowOpen {
		return nil
	}
	return []document.Problem{{Pos: access.Pos, Message: "access: open lets the whole world reach the API server, which the provider's policy does not permit",
		Fix: "restricted, with entries; or unmanaged, to leave what is there"}}
}

// selectors admits labels only where the policy does: KKP lets project users
// change the labels of their Clusters, all but the system's own.
func selectors(a *Allowlist) []document.Problem {
	s := a.Doc.Spec.Selector
	if !s.Set {
		return nil
	}
	if a.Policy.Selectors == "deny" {
		return []document.Problem{{Pos: s.Place(), Message: "the provider's policy does not permit cluster selectors", Fix: "name the clusters"}}
	}
	var out []document.Problem
	for name, v := range s.MatchLabels {
		if name != "project-id" && a.Policy.Selectors != "labels" {
			out = append(out, document.Problem{Pos: v.Key, Message: fmt.Sprintf("the provider's policy permits project-id alone in a selector, not %q", name), Fix: "project-id, or name the clusters"})
		}
	}
	return out
}

func unknownGroup(a *Allowlist) []document.Problem {
	var out []document.Problem
	for _, g := range a.MissingGroups {
		fix, _ := document.Nearest(g.V, a.KnownGroups)
		out = append(out, document.Problem{Pos: g.Pos, Message: fmt.Sprintf("there is no group %q", g.V), Fix: fix})
	}
	return out
}

func contains(words []string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}
