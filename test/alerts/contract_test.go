package alerts

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

const (
	rulesFile     = "../../deploy/alerts/portcullis.yaml"
	dashboardFile = "../../deploy/dashboard.json"
	referenceFile = "../../docs/reference/metrics.md"
	runbookFile   = "../../docs/runbook.md"
	runbookURL    = "https://github.com/portcullis-gitops/portcullis/blob/main/docs/runbook.md#"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// alertRules are the rules of the file, as Prometheus reads them.
func alertRules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(rulesFile, false)
	for _, err := range errs {
		t.Error(err)
	}
	if groups == nil || len(groups.Groups) != 1 {
		t.Fatal("want one group of rules")
	}
	return groups.Groups[0].Rules
}

var row = regexp.MustCompile("(?m)^\\| `(portcullis_[a-z_]+)` \\| ([a-z]+) \\| (.*?) \\| ")

// metricsOf are the labels of each series that the reference documents. Those
// that a scrape adds are anybody's.
func metricsOf(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, m := range row.FindAllStringSubmatch(read(t, referenceFile), -1) {
		labels := []string{"instance", "pod", "job", "namespace"}
		for l := range strings.SplitSeq(m[3], ", ") {
			labels = append(labels, strings.Trim(l, "`"))
		}
		if m[2] != "histogram" {
			out[m[1]] = labels
			continue
		}
		out[m[1]+"_bucket"], out[m[1]+"_sum"], out[m[1]+"_count"] = append(labels, "le"), labels, labels
	}
	if len(out) < 20 {
		t.Fatalf("the reference has %d series: it is not read right", len(out))
	}
	return out
}

// unknown says what an expression asks for that there is not.
func unknown(expr string, known map[string][]string) error {
	tree, err := parser.ParseExpr(expr)
	if err != nil {
		return fmt.Errorf("%s: %w", expr, err)
	}
	var fault error
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		s, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		labels, there := known[s.Name]
		if !there {
			fault = fmt.Errorf("%s: there is no metric %q", expr, s.Name)
		}
		for _, m := range s.LabelMatchers {
			if m.Name != model.MetricNameLabel && !slices.Contains(labels, m.Name) {
				fault = fmt.Errorf("%s: %s has no label %q", expr, s.Name, m.Name)
			}
		}
		return nil
	})
	return fault
}

// The check itself finds what it is to find.
func TestUnknownIsFound(t *testing.T) {
	t.Parallel()
	known := metricsOf(t)
	for expr, good := range map[string]bool{
		`portcullis_clusters{state="Held"} > 0`:                                        true,
		`histogram_quantile(0.9, rate(portcullis_push_to_applied_seconds_bucket[5m]))`: true,
		`portcullis_push_to_applied_seconds`:                                           false,
		`portcullis_cluster{state="Held"}`:                                             false,
		`portcullis_clusters{tenant="acme"}`:                                           false,
		`sum(portcullis_clusters`:                                                      false,
	} {
		if err := unknown(expr, known); (err == nil) != good {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

func TestAlertsNameWhatThereIs(t *testing.T) {
	t.Parallel()
	known := metricsOf(t)
	for _, r := range alertRules(t) {
		if err := unknown(r.Expr, known); err != nil {
			t.Errorf("%s: %v", r.Alert, err)
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
			t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
		}
		if r.Annotations["runbook_url"] != runbookURL+strings.ToLower(r.Alert) {
			t.Errorf("%s: runbook_url %s", r.Alert, r.Annotations["runbook_url"])
		}
	}
}

var section = regexp.MustCompile(`(?m)^## (Portcullis\w+)$`)

// Each alert has its section in the runbook, in the same order, and no other
// section is of none.
func TestRunbookIsOfTheAlerts(t *testing.T) {
	t.Parallel()
	var alerts, sections []string
	for _, r := range alertRules(t) {
		alerts = append(alerts, r.Alert)
	}
	for _, m := range section.FindAllStringSubmatch(read(t, runbookFile), -1) {
		sections = append(sections, m[1])
	}
	if !slices.Equal(alerts, sections) {
		t.Errorf("alerts\n%v\nand sections of the runbook\n%v", alerts, sections)
	}
}

// The runbook names only metrics that there are.
func TestRunbookNamesMetrics(t *testing.T) {
	t.Parallel()
	reference := read(t, referenceFile)
	for _, name := range regexp.MustCompile(`\bportcullis_[a-z_]+`).FindAllString(read(t, runbookFile), -1) {
		if !strings.Contains(reference, "`"+name+"`") {
			t.Errorf("there is no metric %s", name)
		}
	}
}

type panel struct {
	ID      int
	Title   string
	Type    string
	Targets []struct{ Expr string }
}

func TestDashboardNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	var dashboard struct {
		Title, UID string
		Panels     []panel
	}
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &dashboard); err != nil {
		t.Fatal(err)
	}
	known, ids, queries := metricsOf(t), map[int]bool{}, 0
	for _, p := range dashboard.Panels {
		if p.Title == "" || p.Type == "" || ids[p.ID] {
			t.Errorf("panel %d %q of type %q: without one of them, or there twice", p.ID, p.Title, p.Type)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			queries++
			// What Grafana fills in.
			expr := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h").Replace(target.Expr)
			if err := unknown(expr, known); err != nil {
				t.Errorf("%s: %v", p.Title, err)
			}
		}
	}
	if dashboard.Title == "" || dashboard.UID == "" || queries < 10 {
		t.Errorf("dashboard %q %q with %d queries", dashboard.Title, dashboard.UID, queries)
	}
}

// Where one Prometheus scrapes several seeds, whatever label tells them apart, one
// of them can be looked at: a filter on all that is asked of that Prometheus.
func TestDashboardCanBeNarrowed(t *testing.T) {
	t.Parallel()
	type source struct{ UID string }
	var dashboard struct {
		Templating struct {
			List []struct {
				Type       string
				Datasource source
			}
		}
		Panels []struct{ Datasource source }
	}
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, v := range dashboard.Templating.List {
		if v.Type != "adhoc" {
			continue
		}
		for i, p := range dashboard.Panels {
			if p.Datasource != v.Datasource {
				t.Errorf("panel %d asks %v, the filter is on %v", i, p.Datasource, v.Datasource)
			}
		}
		return
	}
	t.Error("there is no filter")
}

// Nothing of the contract is left to be found out: the dashboard has all of it.
func TestDashboardShowsEveryMetric(t *testing.T) {
	t.Parallel()
	dashboard := read(t, dashboardFile)
	for _, m := range row.FindAllStringSubmatch(read(t, referenceFile), -1) {
		if !regexp.MustCompile(`\b` + m[1] + `(_bucket)?\b`).MatchString(dashboard) {
			t.Errorf("the dashboard does not show %s", m[1])
		}
	}
}
