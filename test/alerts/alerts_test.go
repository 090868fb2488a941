package alerts

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

// story is a row of samples, a minute apart, in Prometheus' notation: what is
// wrong for as long as it takes, what is not, and what the alert says.
type story struct {
	minutes      int
	wrong, right string // series, a line each
	says         string
}

// of are the labels of one source on the leader.
const of = `{instance="a:8080",source="customers"`

var stories = map[string]story{
	"PortcullisNoLeader": {10, "portcullis_leader{instance=\"a\"} 0x20\nportcullis_leader{instance=\"b\"} 0x20",
		"portcullis_leader{instance=\"a\"} 0x20\nportcullis_leader{instance=\"b\"} 1x20", "No replica"},
	"PortcullisAbsent": {15, "portcullis_build_info{instance=\"a\"} 1x20", "portcullis_leader{instance=\"a\"} 0x5 _x20\nportcullis_leader{instance=\"b\"} _x5 1x20", "no metrics"},
	"PortcullisTwoLeaders": {10, "portcullis_leader{instance=\"a\"} 1x20\nportcullis_leader{instance=\"b\"} 1x20",
		"portcullis_leader{instance=\"a\",seed=\"eu\"} 1x20\nportcullis_leader{instance=\"b\",seed=\"us\"} 1x20", "2 replicas"},
	"PortcullisSourceUnreachable": {50, "portcullis_source_last_poll_timestamp_seconds" + of + "} 0x60",
		"portcullis_source_last_poll_timestamp_seconds" + of + "} 0+60x60", "customers could not be polled"},
	"PortcullisSourceBehind": {30, "portcullis_source_behind_seconds" + of + "} 0+60x40\nportcullis_holds" + of + ",of=\"commit\"} 0x40\nportcullis_holds" + of + ",of=\"tenant\"} 1x40",
		"portcullis_source_behind_seconds" + of + "} 0+60x40\nportcullis_holds" + of + ",of=\"commit\"} 1x40", "is behind its branch for 30m"},
	"PortcullisHold":                  {10, "portcullis_holds" + of + ",of=\"tenant\"} 2x20", "portcullis_holds" + of + ",of=\"tenant\"} 0x20", "2 of customers wait for approval (tenant)"},
	"PortcullisClustersRejected":      {20, `portcullis_clusters{state="Rejected"} 3x30`, "portcullis_clusters{state=\"Rejected\"} 0x30\nportcullis_clusters{state=\"Synced\"} 5x30", "3 clusters"},
	"PortcullisClustersContested":     {5, `portcullis_clusters{state="Contested"} 1x30`, `portcullis_clusters{state="Contested"} 0x30`, "1 clusters"},
	"PortcullisListsPutRight":         {60, `portcullis_lists_put_right_total{manager="kubermatic-api"} 0+1x90`, `portcullis_lists_put_right_total{manager="kubermatic-api"} 0x50 1x40`, "kubermatic-api changed lists past Git 60 times"},
	"PortcullisClustersMissing":       {70, `portcullis_clusters{state="Missing"} 1x90`, `portcullis_clusters{state="Missing"} 1x10 0x80`, "1 clusters"},
	"PortcullisClustersNotCarriedOut": {40, `portcullis_clusters{state="Applied"} 4x90`, `portcullis_clusters{state="Applied"} 4x20 0 4x60`, "4 clusters"},
	"PortcullisLoadBalancerProblems":  {20, `portcullis_cluster_problems{problem="not_enforced"} 1x30`, "portcullis_cluster_problems{problem=\"not_enforced\"} 0x30\nportcullis_cluster_problems{problem=\"changed\"} 9x30", "(not_enforced)"},
	"PortcullisFilesRefused":          {25 * 60, "portcullis_files_refused" + of + "} 1x1600", "portcullis_files_refused" + of + "} 1x1400 0x200", "1 files of customers"},
	"PortcullisExpiresToOpen":         {10, `portcullis_clusters_held{rule="expires-to-open"} 1x20`, `portcullis_clusters_held{rule="freeze"} 1x20`, "1 clusters"},
	"PortcullisBudgetNearlyUsed": {20, "portcullis_load_balancer_rules_used{balancer=\"aws-nlb\",shared_by=\"cluster\"} 55x30\nportcullis_load_balancer_rules_limit{balancer=\"aws-nlb\",shared_by=\"cluster\"} 60x30",
		"portcullis_load_balancer_rules_used{balancer=\"aws-nlb\",shared_by=\"cluster\"} 54x30\nportcullis_load_balancer_rules_limit{balancer=\"aws-nlb\",shared_by=\"cluster\"} 60x30", "55 rules of aws-nlb"},
	"PortcullisChecksUndelivered": {30, "portcullis_checks_undelivered_oldest_seconds" + of + "} 0+60x40", "portcullis_checks_undelivered_oldest_seconds" + of + "} 0+60x10 0x30", "do not reach the Git host"},
	"PortcullisForgeRefuses": {30, "portcullis_forge_requests_total" + of + ",forge=\"gitea\",code=\"401\"} 0+1x40",
		"portcullis_forge_requests_total" + of + ",forge=\"gitea\",code=\"200\"} 0+10x40\nportcullis_forge_requests_total" + of + ",forge=\"gitea\",code=\"401\"} 0x20 1x20", "gitea of customers refuses requests with 401"},
	"PortcullisPolicyStale":  {10, "portcullis_policy_stale 1x20", "portcullis_policy_stale 0x20", "policy"},
	"PortcullisStateUnsaved": {10, "portcullis_state_unsaved 1x20\nportcullis_state_write_failures_total 0x20", "portcullis_state_unsaved 0x20\nportcullis_state_write_failures_total 0x10 1x10", "state"},
	"PortcullisSlow": {60, "portcullis_push_to_applied_seconds_bucket" + of + ",le=\"300\"} 0x90\nportcullis_push_to_applied_seconds_bucket" + of + ",le=\"600\"} 0+1x90\nportcullis_push_to_applied_seconds_bucket" + of + ",le=\"+Inf\"} 0+1x90",
		"portcullis_push_to_applied_seconds_bucket" + of + ",le=\"300\"} 0+1x90\nportcullis_push_to_applied_seconds_bucket" + of + ",le=\"600\"} 0+1x90\nportcullis_push_to_applied_seconds_bucket" + of + ",le=\"+Inf\"} 0+1x90", "customers take 9m"},
}

// Each alert fires where it should, says so in whole sentences, and does not
// where it should not; none does before its time.
func TestAlerts(t *testing.T) {
	t.Parallel()
	told := map[string]bool{}
	for _, r := range alertRules(t) {
		told[r.Alert] = true
		s, ok := stories[r.Alert]
		if !ok {
			t.Errorf("%s has no story", r.Alert)
			continue
		}
		rule := func() *rules.AlertingRule { return alerting(t, r) }
		t.Run(r.Alert, func(t *testing.T) {
			t.Parallel()
			firing := fires(t, rule(), s.wrong, s.minutes)
			if len(firing) != 1 {
				t.Fatalf("%d alerts, not one", len(firing))
			}
			said := firing[0].Annotations.Get("summary") + firing[0].Annotations.Get("description")
			if !strings.Contains(said, s.says) || strings.Contains(said, "<error") || strings.Contains(said, "<no value>") {
				t.Errorf("it says: %s", said)
			}
			if time.Duration(r.For) >= time.Minute {
				if early := fires(t, rule(), s.wrong, int(time.Duration(r.For)/time.Minute)-1); len(early) > 0 {
					t.Errorf("it fires before its time: %v", early[0])
				}
			}
			if wrongly := fires(t, rule(), s.right, s.minutes); len(wrongly) > 0 {
				t.Errorf("it fires where nothing is wrong: %s", wrongly[0].Annotations.Get("summary"))
			}
		})
	}
	for name := range stories {
		if !told[name] {
			t.Errorf("a story of %s, which is no alert", name)
		}
	}
}

// Where one Prometheus scrapes several seeds, the others do not hide one that is
// away; it is told once, and still told when nothing was seen of any for a day.
func TestASeedThatIsAway(t *testing.T) {
	t.Parallel()
	const away, there = "portcullis_leader{instance=\"a\",pod=\"x\",seed=\"eu\"} 1x4 _x2000", "\nportcullis_leader{instance=\"b\",pod=\"y\",seed=\"us\"} 1x2000"
	for name, c := range map[string]struct {
		series  string
		minutes int
		says    string
	}{
		"one of two":    {away + there, 25, "Portcullis of eu shows no metrics."},
		"the only one":  {away, 25, "Portcullis of eu shows no metrics."},
		"since a day":   {away, 25 * 60, "Portcullis shows no metrics."},
		"a new replica": {"portcullis_leader{instance=\"a\",pod=\"x\",seed=\"eu\"} 1x4 _x30\nportcullis_leader{instance=\"b\",pod=\"y\",seed=\"eu\"} _x4 1x30", 25, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said []string
			for _, a := range fires(t, ruleOf(t, "PortcullisAbsent"), c.series, c.minutes) {
				said = append(said, a.Annotations.Get("summary"))
			}
			if got := strings.Join(said, " "); got != c.says {
				t.Errorf("it says %q, want %q", got, c.says)
			}
		})
	}
}

// ruleOf is one of the alerts, by its name.
func ruleOf(t *testing.T, name string) *rules.AlertingRule {
	t.Helper()
	for _, r := range alertRules(t) {
		if r.Alert == name {
			return alerting(t, r)
		}
	}
	t.Fatalf("there is no alert %s", name)
	return nil
}

func alerting(t *testing.T, r rulefmt.Rule) *rules.AlertingRule {
	t.Helper()
	expr, err := parser.ParseExpr(r.Expr)
	if err != nil {
		t.Fatal(err)
	}
	return rules.NewAlertingRule(r.Alert, expr, time.Duration(r.For), time.Duration(r.KeepFiringFor), labels.FromMap(r.Labels),
		labels.FromMap(r.Annotations), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
}

// fires are the alerts that fire after so many minutes of samples.
func fires(t *testing.T, rule *rules.AlertingRule, series string, minutes int) []*rules.Alert {
	t.Helper()
	storage := promqltest.LoadedStorage(t, "load 1m\n  "+strings.ReplaceAll(series, "\n", "\n  "))
	t.Cleanup(func() { _ = storage.Close() })
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	query := rules.EngineQueryFunc(engine, storage)
	for minute := range minutes + 1 {
		at := time.Unix(0, 0).Add(time.Duration(minute) * time.Minute)
		if _, err := rule.Eval(context.Background(), 0, at, query, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	var out []*rules.Alert
	for _, a := range rule.ActiveAlerts() {
		if a.State == rules.StateFiring {
			out = append(out, a)
		}
	}
	return out
}
