package metrics

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

var now = time.Date(2031, 1, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// expires is an entry of the tenant's.
func expires(line int, in time.Duration) render.Entry {
	return render.Entry{Prefix: netip.MustParsePrefix("203.0.113.0/24"), Kind: lint.FromEntry, Path: "acme/a.yaml", Line: int32(line), Expires: now.Add(in)}
}

const day = 24 * time.Hour

// fleet is a leader that has seen a bit of everything.
func fleet() View {
	wanted := func(rule string, entries ...render.Entry) *render.Wanted {
		w := &render.Wanted{Claim: render.Claim{Source: "customers", Tenant: "acme"}, Entries: entries}
		if rule != "" {
			w.Held = &render.Hold{Rule: rule}
		}
		return w
	}
	shared := expires(7, 6*day) // by both clusters
	provider := render.Entry{Prefix: netip.MustParsePrefix("192.0.2.0/28"), Kind: lint.FromPlatform, Expires: now.Add(8 * day)}
	return View{
		Version: "v1", Seed: "eu-west", Leading: true, Now: now,
		Plan: &render.Plan{
			Clusters: map[string]*render.Wanted{
				"a": wanted("", shared, expires(8, 29*day), expires(9, 31*day), expires(10, -day), provider),
				"b": wanted("freeze", shared, render.Entry{}, provider), "c": wanted("freeze"), "d": wanted("test-failed"),
			},
			Refused: map[render.FileID]bool{{Source: "customers", Path: "x"}: true, {Source: "customers", Path: "y"}: true, {Source: "other", Path: "x"}: true},
			Findings: []lint.Finding{{Rule: "too-wide", Severity: lint.Error}, {Rule: "too-wide", Severity: lint.Error},
				{Rule: "too-wide", Severity: lint.Warning}, {Rule: "covered-entry", Severity: lint.Warning}},
		},
		States: map[string]apply.ClusterState{
			"a": {State: apply.Synced, Standing: &apply.Standing{Balancer: &apply.Trouble{}, Foreign: &apply.Foreign{}}},
			"b": {State: apply.Held, ByHand: true, Standing: &apply.Standing{KKP: &apply.Trouble{}, Ignored: &apply.Trouble{}}},
			"c": {State: apply.Contested, Standing: &apply.Standing{Foreign: &apply.Foreign{Contested: true}}},
			"d": {State: apply.Synced},
		},
		PutRight: map[string]int64{"kubermatic-api": 3, "bad\xff": 1},
		Budget:   Budget{Balancer: "aws-nlb", SharedBy: "cluster", Used: 12, Limit: 60},
		Sources: []Source{{
			Name: "customers", Head: "new", Found: ago(time.Minute), Polled: ago(time.Second),
			State: apply.SourceState{Accepted: "old", Since: ago(time.Hour), Held: &apply.HeldCommit{Commit: "new"},
				Holds: []apply.TenantHold{{Tenant: "acme"}, {Tenant: "umbrella"}, {}},
				Pulls: map[string]apply.PullRecord{"1": {}, "2": {Merged: "old"}, "3": {}}},
			Checks: &forge.Stats{Undelivered: 2, Oldest: 90 * time.Second, Posts: 7, Failures: 5, Refusals: 1},
		}, {Name: "quiet", State: apply.SourceState{Accepted: "same"}, Head: "same", Found: ago(day)}},
		PolicyStale: true, Unsaved: true, SeedRangesKnown: true, StateWrites: 11, StateFailures: 4,
	}
}

// recorded is a recorder that saw something.
func recorded() *Recorder {
	r := NewRecorder()
	r.Applied("customers", 3*time.Second)
	r.Applied("customers", -time.Second) // a clock that was set
	answer := r.Requests("customers", "gitea")
	for _, code := range []int{200, 200, 429, 0, 999} {
		answer(code)
	}
	return r
}

func gathered(t *testing.T, v View, r *Recorder) []*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(NewCollector(func() View { return v }, r)); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// collected are the series of a view, a line each, without help and buckets.
func collected(t *testing.T, v View, r *Recorder) []string {
	t.Helper()
	var out []string
	for _, f := range gathered(t, v, r) {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			value := fmt.Sprint(m.GetGauge().GetValue() + m.GetCounter().GetValue())
			if h := m.GetHistogram(); h != nil {
				value = fmt.Sprintf("%d in %g", h.GetSampleCount(), h.GetSampleSum())
			}
			out = append(out, strings.TrimPrefix(f.GetName(), "portcullis_")+"{"+strings.Join(labels, ",")+"} "+value)
		}
	}
	return out
}

func TestValues(t *testing.T) {
	t.Parallel()
	got := collected(t, fleet(), recorded())
	want := strings.Fields(strings.ReplaceAll(strings.TrimSpace(`
build_info{seed=eu-west,version=v1}·1
checks_failures_total{source=customers}·5
checks_posted_total{source=customers}·7
checks_refused_total{source=customers}·1
checks_undelivered_oldest_seconds{source=customers}·90
checks_undelivered{source=customers}·2
cluster_problems{problem=by_hand}·1
cluster_problems{problem=changed}·2
cluster_problems{problem=contested}·1
cluster_problems{problem=kkp}·1
cluster_problems{problem=load_balancer}·1
cluster_problems{problem=not_enforced}·1
clusters_held{rule=freeze}·2
clusters_held{rule=test-failed}·1
clusters{state=Applied}·0
clusters{state=Contested}·1
clusters{state=Held}·1
clusters{state=Missing}·0
clusters{state=Pending}·0
clusters{state=Rejected}·0
clusters{state=Synced}·2
clusters{state=Waiting}·0
entries_expiring{within_days=30}·3
entries_expiring{within_days=7}·1
files_refused{source=customers}·2
files_refused{source=quiet}·0
findings{rule=covered-entry,severity=warning}·1
findings{rule=too-wide,severity=error}·2
findings{rule=too-wide,severity=warning}·1
forge_requests_total{code=200,forge=gitea,source=customers}·2
forge_requests_total{code=429,forge=gitea,source=customers}·1
forge_requests_total{code=none,forge=gitea,source=customers}·1
forge_requests_total{code=other,forge=gitea,source=customers}·1
holds{of=commit,source=customers}·1
holds{of=commit,source=quiet}·0
holds{of=seed,source=customers}·1
holds{of=seed,source=quiet}·0
holds{of=tenant,source=customers}·2
holds{of=tenant,source=quiet}·0
leader{}·1
lists_put_right_total{manager=bad�}·1
lists_put_right_total{manager=kubermatic-api}·3
load_balancer_rules_limit{balancer=aws-nlb,shared_by=cluster}·60
load_balancer_rules_used{balancer=aws-nlb,shared_by=cluster}·12
policy_stale{}·1
pull_requests_open{source=customers}·2
pull_requests_open{source=quiet}·0
push_to_applied_seconds{source=customers}·2_in_3
seed_ranges_known{}·1
source_behind_seconds{source=customers}·60
source_behind_seconds{source=quiet}·0
source_last_poll_timestamp_seconds{source=customers}·1.925035199e+09
source_last_poll_timestamp_seconds{source=quiet}·0
source_revision_age_seconds{source=customers}·3600
state_unsaved{}·1
state_write_failures_total{}·4
state_writes_total{}·11
`), "·", "·"))
	for i := range want {
		want[i] = strings.ReplaceAll(strings.ReplaceAll(want[i], "·", " "), "_in_", " in ")
	}
	slices.Sort(want)
	slices.Sort(got)
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("too much: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
}

// What is collected and what is documented are the same.
func TestTableIsWhatIsCollected(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, line := range collected(t, fleet(), recorded()) {
		name, _, _ := strings.Cut(line, "{")
		seen["portcullis_"+name] = true
	}
	for _, m := range Table() {
		if !seen[m.Name] {
			t.Errorf("%s is in the table, and is not collected", m.Name)
		}
		delete(seen, m.Name)
	}
	for name := range seen {
		t.Errorf("%s is collected, and is not in the table", name)
	}
}

// A standby says that it is one, and nothing that the leader says: sums over
// the replicas would be wrong.
func TestStandby(t *testing.T) {
	t.Parallel()
	v := fleet()
	v.Leading = false
	var want []string
	for _, m := range Table() {
		if m.Standby {
			want = append(want, m.Name)
		}
	}
	var got []string
	for _, line := range collected(t, v, recorded()) {
		name, _, _ := strings.Cut(line, "{")
		got = append(got, "portcullis_"+name)
	}
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	if got := collected(t, v, recorded()); !slices.Contains(got, "leader{} 0") {
		t.Errorf("%v", got)
	}
}

// A source that was never accepted, without a Git host to tell, on a seed
// whose load balancer has no limit that is known.
func TestNothingIsInvented(t *testing.T) {
	t.Parallel()
	v := fleet()
	v.Sources, v.Budget = []Source{{Name: "new"}}, Budget{}
	for _, line := range collected(t, v, NewRecorder()) {
		for _, absent := range []string{"checks_", "load_balancer_rules", "revision_age", "push_to_applied", "forge_requests"} {
			if strings.Contains(line, absent) {
				t.Errorf("shown although nothing is known: %s", line)
			}
		}
	}
}

// The number of series must not grow with the clusters, tenants and entries.
func TestCardinality(t *testing.T) {
	t.Parallel()
	before := len(collected(t, fleet(), recorded()))
	v := fleet()
	for i := range 10000 {
		id := fmt.Sprintf("c%04d", i)
		v.States[id] = apply.ClusterState{State: apply.Rejected, Message: id}
		v.Plan.Clusters[id] = &render.Wanted{Cluster: id, Claim: render.Claim{Tenant: id}, Held: &render.Hold{Rule: "freeze", Message: id},
			Entries: []render.Entry{expires(i, day)}}
		v.Sources[0].State.Holds = append(v.Sources[0].State.Holds, apply.TenantHold{Tenant: id})
		v.Plan.Findings = append(v.Plan.Findings, lint.Finding{Rule: "too-wide", Severity: lint.Error, Path: id})
	}
	if after := len(collected(t, v, recorded())); after != before {
		t.Errorf("%d series with few clusters, %d with many", before, after)
	}
}

// What Prometheus itself asks of names, and units at their end.
func TestNames(t *testing.T) {
	t.Parallel()
	faults, err := promlint.NewWithMetricFamilies(gathered(t, fleet(), recorded())).Lint()
	if err != nil || len(faults) > 0 {
		t.Error(faults, err)
	}
	sound := regexp.MustCompile(`^portcullis_[a-z_]+$`)
	for i, m := range Table() {
		if !sound.MatchString(m.Name) || strings.HasSuffix(m.Name, "_total") != (m.Kind == counter) || !strings.HasSuffix(m.Help, ".") {
			t.Errorf("%+v", m)
		}
		if slices.Index(Names(), m.Name) != i {
			t.Errorf("%s is there twice", m.Name)
		}
	}
}
