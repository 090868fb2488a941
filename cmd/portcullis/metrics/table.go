package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Metric is one line of the contract.
type Metric struct {
	Name   string
	Kind   string // gauge, counter, histogram
	Labels []string
	Help   string
	// Standby is set where replicas that do not lead show it, too.
	Standby bool
}

const (
	gauge     = "gauge"
	counter   = "counter"
	histogram = "histogram"
)

// Names that are collected, or looked for, in several places.
const (
	buildInfo      = "portcullis_build_info"
	leader         = "portcullis_leader"
	clusters       = "portcullis_clusters"
	clustersHeld   = "portcullis_clusters_held"
	problems       = "portcullis_cluster_problems"
	putRight       = "portcullis_lists_put_right_total"
	pushToApplied  = "portcullis_push_to_applied_seconds"
	revisionAge    = "portcullis_source_revision_age_seconds"
	behind         = "portcullis_source_behind_seconds"
	lastPoll       = "portcullis_source_last_poll_timestamp_seconds"
	filesRefused   = "portcullis_files_refused"
	findings       = "portcullis_findings"
	expiring       = "portcullis_entries_expiring"
	rulesUsed      = "portcullis_load_balancer_rules_used"
	rulesLimit     = "portcullis_load_balancer_rules_limit"
	holds          = "portcullis_holds"
	undelivered    = "portcullis_checks_undelivered"
	oldestCheck    = "portcullis_checks_undelivered_oldest_seconds"
	posted         = "portcullis_checks_posted_total"
	postFailures   = "portcullis_checks_failures_total"
	postRefusals   = "portcullis_checks_refused_total"
	openPulls      = "portcullis_pull_requests_open"
	forgeRequests  = "portcullis_forge_requests_total"
	stateWrites    = "portcullis_state_writes_total"
	stateFailures  = "portcullis_state_write_failures_total"
	stateUnsaved   = "portcullis_state_unsaved"
	policyStale    = "portcullis_policy_stale"
	seedRangesSeen = "portcullis_seed_ranges_known"
)

// Table is every metric of the reconciler's own, in the order of the reference.
func Table() []Metric {
	return []Metric{
		{Name: buildInfo, Kind: gauge, Labels: []string{"version", "seed"}, Standby: true, Help: "Always 1: which version runs, and for which seed."},
		{Name: leader, Kind: gauge, Standby: true, Help: "1 where this replica leads, 0 where it stands by. All metrics that are not shown by a standby are the leader's alone. Without leader election it is 1 as soon as the state was read."},
		{Name: clusters, Kind: gauge, Labels: []string{"state"}, Help: "Clusters that a file claims or that are held, by state. Every state is shown, also with 0. Not by tenant: a seed has thousands."},
		{Name: clustersHeld, Kind: gauge, Labels: []string{"rule"}, Help: "Clusters that keep their last good list, by the rule that holds them: blast-radius and freeze are the guard's, the others are of the file or of the cluster. Rules that hold none are left out."},
		{Name: problems, Kind: gauge, Labels: []string{"problem"}, Help: "Clusters with a problem that stands, whatever their state: load_balancer (it reports a fault), not_enforced (it says that it ignores the list), kkp (status.errorReason), changed (somebody else's write was put right within 24 hours), contested (one that goes on), by_hand (a list set by hand is kept for a time). Every problem is shown, also with 0."},
		{Name: putRight, Kind: counter, Labels: []string{"manager"}, Help: "Writes of others to lists that this process put right, by the field manager that made them. At most 100 names, and \"others\"."},
		{Name: pushToApplied, Kind: histogram, Labels: []string{"source"}, Help: "Seconds from the beginning of the poll that found a commit to when the last of the clusters whose list it set was written to, or could not be. Commits that were held are not measured, neither are those that set no list or of which none could be written. The committer's own date is not used: anybody can set it."},
		{Name: revisionAge, Kind: gauge, Labels: []string{"source"}, Help: "Seconds since the accepted commit of the source was taken up. Nothing is wrong where it grows: nobody pushed. See portcullis_source_behind_seconds."},
		{Name: behind, Kind: gauge, Labels: []string{"source"}, Help: "Seconds since this process found a head of the branch that is not the accepted commit; 0 where it is. It grows where the commit is held, or cannot be read."},
		{Name: lastPoll, Kind: gauge, Labels: []string{"source"}, Help: "When this process last asked the Git host successfully where the branch is, in Unix time; 0 where it never did."},
		{Name: filesRefused, Kind: gauge, Labels: []string{"source"}, Help: "Files of the source that are refused: their clusters keep their last good lists."},
		{Name: findings, Kind: gauge, Labels: []string{"rule", "severity"}, Help: "Standing findings in the files that are in force, by rule and severity (error, warning). Rules that find nothing are left out. They may be older than the newest commit, which they do not decide."},
		{Name: expiring, Kind: gauge, Labels: []string{"within_days"}, Help: "Entries of files and groups that expire within 7 and 30 days, each counted once however many clusters it is for; 30 counts those of 7, too."},
		{Name: rulesUsed, Kind: gauge, Labels: []string{"balancer", "shared_by"}, Help: "Rules of the load balancer that the lists take, in its own unit. With shared_by=\"seed\" those of all clusters of the seed together, with \"cluster\" those of the cluster that takes most. Left out where no limit is known."},
		{Name: rulesLimit, Kind: gauge, Labels: []string{"balancer", "shared_by"}, Help: "Rules of the load balancer that there are, in its own unit. Left out where no limit is known."},
		{Name: holds, Kind: gauge, Labels: []string{"source", "of"}, Help: "What waits for `portcullis approve`: of=\"commit\" a head that is not followed (rewound, not verified, or too much at once), \"tenant\" tenants whose lists are held, \"seed\" what all tenants together change. Shown also with 0."},
		{Name: undelivered, Kind: gauge, Labels: []string{"source"}, Help: "Checks that the Git host does not have yet, or not as they are by now."},
		{Name: oldestCheck, Kind: gauge, Labels: []string{"source"}, Help: "Seconds since the Git host is behind on the oldest of these checks; 0 where there is none."},
		{Name: posted, Kind: counter, Labels: []string{"source"}, Help: "Checks that were delivered by this process."},
		{Name: postFailures, Kind: counter, Labels: []string{"source"}, Help: "Attempts to deliver a check that failed and are made again."},
		{Name: postRefusals, Kind: counter, Labels: []string{"source"}, Help: "Checks that the Git host refused for good: the commit is not there, or the token may not."},
		{Name: openPulls, Kind: gauge, Labels: []string{"source"}, Help: "Open pull requests that have a check or a comment of this seed."},
		{Name: forgeRequests, Kind: counter, Labels: []string{"source", "forge", "code"}, Help: "Requests to the API of the Git host, by the status code of the answer; \"none\" where none came. 401, 403 and 429 are refusals."},
		{Name: stateWrites, Kind: counter, Help: "Writes of the reconciler's own state to the seed that went well."},
		{Name: stateFailures, Kind: counter, Help: "Writes of the reconciler's own state that failed."},
		{Name: stateUnsaved, Kind: gauge, Help: "1 where what is kept could not be written down yet, and is tried again; else 0."},
		{Name: policyStale, Kind: gauge, Help: "1 where the policy file cannot be read or is not valid, so that the last good policy stays in force; else 0."},
		{Name: seedRangesSeen, Kind: gauge, Help: "1 where the Seed's own ranges are known, which KKP adds to every list; 0 where they are taken for none (no seedResource, or it was never readable)."},
	}
}

// Names are those of Table.
func Names() []string {
	var out []string
	for _, m := range Table() {
		out = append(out, m.Name)
	}
	return out
}

// descs are the descriptions of what is collected, by name.
func descs() map[string]*prometheus.Desc {
	out := map[string]*prometheus.Desc{}
	for _, m := range Table() {
		out[m.Name] = prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
	}
	return out
}

// of is a line of Table.
func of(name string) Metric {
	all := Table()
	return all[slices.IndexFunc(all, func(m Metric) bool { return m.Name == name })]
}
