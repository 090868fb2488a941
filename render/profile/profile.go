package profile

// Answer is what is known of a yes-or-no question.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// DualStack is Profile.IPv6 of a balancer that takes IPv6 entries only where
// it has itself an IPv6 address, and else refuses the whole list.
const DualStack Answer = "dual-stack"

// Absence is what happens to traffic of an address family of which the list
// has no entry.
type Absence string

// What can happen to it. That it is not known is AbsenceUnknown.
const (
	Denied         Absence = "denied"
	Open           Absence = "open"
	AbsenceUnknown Absence = "unknown"
)

// Merging is which prefixes are written as one.
type Merging string

// The ways to merge. Prefixes covered by others are dropped in both. None is
// the safe one: a balancer that revokes before it grants cuts off bystanders
// when a merged prefix is taken apart again.
const (
	None     Merging = "none"
	Adjacent Merging = "adjacent"
)

// Sharing is whose lists count against one budget.
type Sharing string

// Who can share a budget.
const (
	PerCluster Sharing = "cluster" // each cluster's list has a budget of its own
	PerSeed    Sharing = "seed"    // the lists of all clusters of the seed are summed
)

// Profile is what one kind of load balancer does with source ranges.
type Profile struct {
	// Name is how a Policy names it; Custom where the Policy describes it.
	Name string `json:"name"`
	// Enforces says whether the list filters anything at all.
	Enforces Answer `json:"enforces"`
	// IPv6 is Yes, DualStack or Unknown; No where one IPv6 entry makes the
	// balancer refuse the whole list.
	IPv6 Answer `json:"ipv6"`
	// AbsentFamily is what becomes of the family that is not in the list.
	AbsentFamily Absence `json:"absentFamily"`
	Budget       Budget  `json:"budget"`
	Merge        Merging `json:"merge"`
	// Note is what an operator should know besides, one sentence or two.
	Note string `json:"note,omitempty"`
}

// Budget is how much of the balancer's own limit lists may use. The zero
// Budget is no known limit.
type Budget struct {
	// Rules is the limit, in the balancer's own unit; 0 is no known limit.
	Rules int `json:"rules,omitempty"`
	// PerEntry is how many of them one entry takes, at least 1 where Rules is
	// set. KKP's Service has three ports, so it is 3 where ports are counted.
	PerEntry int `json:"perEntry,omitempty"`
	// SharedBy says whose entries are summed.
	SharedBy Sharing `json:"sharedBy,omitempty"`
}

// Known tells whether there is a limit to hold lists against.
func (b Budget) Known() bool { return b.Rules > 0 }

// Entries is how many entries fit into the budget; 0 where no limit is known.
func (b Budget) Entries() int {
	if !b.Known() {
		return 0
	}
	return b.Rules / max(b.PerEntry, 1)
}

// Used is how many of the budget's rules so many entries take.
func (b Budget) Used(entries int) int { return entries * max(b.PerEntry, 1) }

// Custom is the name of a profile that a Policy describes field by field.
const Custom = "custom"

// Get is the profile of that name.
func Get(name string) (Profile, bool) {
	for _, p := range table() {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}

// Generic is the profile of a seed whose load balancer is not named: nothing
// is known of it, so that it causes warnings and no errors.
func Generic() Profile {
	return Profile{Name: "generic", Enforces: Unknown, IPv6: Unknown, AbsentFamily: AbsenceUnknown, Merge: None}
}

// Names are the names of all profiles, in the table's order.
func Names() []string {
	var names []string
	for _, p := range table() {
		names = append(names, p.Name)
	}
	return names
}
