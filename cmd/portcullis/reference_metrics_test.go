package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/metrics"
)

// metricsPage has a row for each metric.
func metricsPage(*testing.T) string {
	var b strings.Builder
	b.WriteString("# Metrics\n\nWhat `portcullis run` shows at `/metrics` of `--metrics-address`, beside what Go and controller-runtime show of themselves\n" +
		"(`go_`, `process_`, `controller_runtime_`, `workqueue_`, `rest_client_`). Names and labels are a contract: they change only with a note in\n" +
		"the changelog. No label is of a tenant, a cluster, a commit or an address, so that the number of series does not grow with the seed;\n" +
		"`portcullis status` has those. Only the leader shows all of them; what a standby shows is marked. Figures that count begin anew with\n" +
		"the process. Alerts on them: `deploy/alerts/portcullis.yaml`, what to do then: [runbook](../runbook.md).\n\n" +
		"| metric | kind | labels | |\n|---|---|---|---|\n")
	for _, m := range metrics.Table() {
		var labels []string
		for _, l := range m.Labels {
			labels = append(labels, code(l))
		}
		help := m.Help
		if m.Standby {
			help += " A standby shows it, too."
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(m.Name), m.Kind, strings.Join(labels, ", "), cell(help))
	}
	return b.String()
}
