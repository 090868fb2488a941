// Package meaning says what files mean: what a change of them changes for each
// cluster, and whether an address is let in.
//
// Both are pure functions of plans (package render):
//
//	before, after := meaning.Plans(meaning.Trees{...})
//	diff := meaning.Compare(meaning.Input{Before: before, After: after, ...})
//	diff.Changed()                   // false for reformatting, moving, splitting a prefix
//	answer := meaning.Explain(meaning.Question{...})
//
// A change is compared by what is admitted, which is the list and what KKP adds
// of the Seed: as sets of addresses, shown in canonical prefixes. So a prefix
// in two halves is the same as the whole, and a removed entry that another one
// covers takes nothing away. What was before is the plan of the base; a cluster
// that the base does not claim is compared with what is live on it, and where
// that is not known its state before is unknown, and said to be.
//
// Without a seed it is not known which clusters a clusterSelector picks. Such a
// list is then compared as one target of its own, whose ID begins with "*".
package meaning
