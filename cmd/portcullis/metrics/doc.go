// Package metrics shows the reconciler to Prometheus. What it shows follows,
// at each scrape, from the state of that moment (View): there are next to no
// counters to keep in step with it, and a scrape never waits for the loop, nor
// the loop for a scrape.
//
// # The contract
//
// Table is all there is, and docs/reference/metrics.md is made from it. Names
// begin with portcullis_ and end with the unit; a label's values are bounded
// by what the provider configures (sources, rules, states), never by what
// tenants do: there is none of a tenant, a cluster, a prefix, a commit or a
// path, for a seed has thousands. Who wants those asks `portcullis status`.
// The one name that others choose, the field manager of a foreign write, is
// bounded at a hundred. Nothing secret is in a label.
//
// Only the leader shows clusters and sources; a standby shows that it is one
// (portcullis_leader 0), so that sums over replicas are right.
package metrics
