// Package profile says what load balancers really do with source ranges. It is
// data: one row a balancer, and look-up by name.
//
// KKP hands a cluster's list to Service.spec.loadBalancerSourceRanges of the
// seed's cloud. Whether that filters anything, which families it takes and how
// many entries fit is up to that cloud's controller, and differs:
//
//	p, ok := profile.Get("aws-nlb")
//	p.Enforces             // Yes, No, Unknown: rule not-enforced
//	p.IPv6                 // Yes, No, DualStack, Unknown: rule family-unsupported
//	p.AbsentFamily         // Denied, Open, Unknown: rule family-gap
//	p.Budget.Entries()     // how many entries fit: rule rule-budget
//	p.Merge                // None, Adjacent: how a list is written
//
// A seed whose balancer is not named has Generic, of which nothing is known
// and nothing is refused. A Policy can describe a balancer that is not in the
// table with the same words.
//
// The facts were read in the sources of the controllers, August 2026; each
// row's Note says what an operator should know beyond the fields.
package profile
