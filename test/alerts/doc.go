// Package alerts holds deploy/alerts/portcullis.yaml and deploy/dashboard.json
// to Prometheus' own parser and rule engine, to docs/reference/metrics.md, which
// is made from the code, and to docs/runbook.md. It is a module of its own, so
// that Prometheus is no dependency of the program.
//
// (make alerts; what is outside of its folder does not count for the cache)
//
//	cd test/alerts && go test -count=1 ./...
package alerts
