package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestMetricsAndEvents follows a day of the stage by what Prometheus and the
// clusters' users see of it.
func TestMetricsAndEvents(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	address := freeAddress(t)
	p.populate()
	p.start("--metrics-address", address)
	p.await("the first sync", p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.ShopStaging, stage.StagingList()...))
	p.await("its figures", shows(address, "portcullis_leader 1", `portcullis_clusters{state="Synced"} 4`, `portcullis_clusters{state="Held"} 0`,
		`portcullis_push_to_applied_seconds_count{source=`, "portcullis_state_unsaved 0", "portcullis_policy_stale 0"))

	p.must(p.Dashboard(p.ctx, stage.ShopProd, "192.0.2.0/24"))
	p.await("the list to be put back", shows(address, `portcullis_lists_put_right_total{manager=`, `portcullis_cluster_problems{problem="changed"} 1`),
		p.hears(stage.ShopProd, "ListRestored", "is kept in Git"))

	p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/8}\n    - group: vpn")
	p.await("the file to be refused", shows(address, `portcullis_findings{rule="host-bits",severity="error"} 1`, `portcullis_clusters_held{rule="host-bits"} 2`,
		`portcullis_clusters{state="Held"} 2`, `portcullis_files_refused{source=`),
		p.hears(stage.ShopStaging, "ListHeld", "does not follow Git (tenants/acme/staging.yaml"), p.hears(stage.ShopDev, "ListHeld", "Mend it in Git."))

	p.edit("acme/staging.yaml", "192.0.2.96/8", "192.0.2.96/28")
	p.await("the file to be followed again", shows(address, `portcullis_clusters{state="Held"} 0`, `portcullis_clusters{state="Synced"} 4`),
		p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...),
		p.hears(stage.ShopStaging, "ListReleased", "On the cluster is now: 192.0.2.0/28, "), p.hears(stage.ShopDev, "ListReleased", "follows Git again (tenants/acme/staging.yaml"))
}

// TestFiguresOfSourcesAndLists: how old what is in force is and when Git was last
// asked, what expires, what the load balancer has left, what waits and what the
// Git host was not told.
func TestFiguresOfSourcesAndLists(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{Policy: func(d stage.Document) {
		seeds, _ := d["seeds"].(map[string]any)
		seeds["eu-west"].(map[string]any)["loadBalancer"] = map[string]any{"enforces": "yes", "ipv6": "yes", "absentFamily": "denied",
			"budget": map[string]any{"rules": 60, "perEntry": 3, "sharedBy": "cluster"}}
	}})
	address, began := freeAddress(t), time.Now()
	first := p.populate()
	p.start("--metrics-address", address)
	p.await("the first sync", p.InForce(stage.ShopProd, stage.ProdList()...), p.Noted(first, stage.Failure, stage.Reports))
	const budget, seeds = `{balancer="custom",shared_by="cluster"}`, 1 // ranges of the Seed, which KKP adds
	p.await("its figures", shows(address, "portcullis_load_balancer_rules_limit"+budget+" 60", "portcullis_seed_ranges_known 1",
		`portcullis_entries_expiring{within_days="7"} 0`, `portcullis_entries_expiring{within_days="30"} 0`,
		`portcullis_holds{of="commit",source="customers"} 0`, `portcullis_checks_undelivered{source="customers"} 0`, `portcullis_source_behind_seconds{source="customers"} 0`))
	// The cluster that takes most may be one that another test has on the seed.
	p.await("what is taken of the budget", figure(address, "portcullis_load_balancer_rules_used"+budget, float64(3*(len(stage.ProdList())+seeds)), 3*100_000))
	p.await("the last poll", figure(address, `portcullis_source_last_poll_timestamp_seconds{source="customers"}`, float64(began.Unix()), float64(time.Now().Add(patience).Unix())))
	p.await("the age of what is in force", figure(address, `portcullis_source_revision_age_seconds{source="customers"}`, 0.5, time.Since(began).Seconds()+patience.Seconds()))

	p.HTTP.Meter.Fault(servers.On(tells, func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		http.Error(w, "read only", http.StatusServiceUnavailable)
	}))
	until := time.Now().UTC().AddDate(0, 0, 20).Format(time.DateOnly)
	sha := p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: guest, cidr: 192.0.2.96/28, expires: "+until+"}\n    - group: vpn")
	p.await("what is not delivered", shows(address, `portcullis_entries_expiring{within_days="7"} 0`, `portcullis_entries_expiring{within_days="30"} 1`,
		`portcullis_checks_undelivered{source="customers"} 1`), figure(address, `portcullis_checks_undelivered_oldest_seconds{source="customers"}`, 0.5, 2*patience.Seconds()))
	p.HTTP.Meter.Fault(nil)
	p.await("that it is", shows(address, `portcullis_checks_undelivered{source="customers"} 0`, `portcullis_checks_undelivered_oldest_seconds{source="customers"} 0`), p.Noted(sha, stage.Success))

	p.must(p.Rewind(p.ctx, first))
	p.await("the hold", shows(address, `portcullis_holds{of="commit",source="customers"} 1`),
		figure(address, `portcullis_source_behind_seconds{source="customers"}`, 0.5, 2*patience.Seconds()))
}

// tells picks what the reconciler pushes, which are notes; those of the git
// program are the tests'.
func tells(r *http.Request) bool {
	pushes := strings.HasSuffix(r.URL.Path, "/git-receive-pack") || r.URL.Query().Get("service") == "git-receive-pack"
	return pushes && !strings.HasPrefix(r.UserAgent(), "git/")
}

// figure wants the value of a series to be within bounds.
func figure(address, series string, least, most float64) func(context.Context) error {
	return func(ctx context.Context) error {
		text, err := read(ctx, address, "/metrics")
		if err != nil {
			return err
		}
		_, after, found := strings.Cut("\n"+text, "\n"+series+" ")
		line, _, _ := strings.Cut(after, "\n")
		value, err := strconv.ParseFloat(line, 64)
		if !found || err != nil || value < least || value > most {
			return fmt.Errorf("%s is %q, not from %g to %g", series, line, least, most)
		}
		return nil
	}
}

// shows wants each text to begin a line of the metrics.
func shows(address string, lines ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		text, err := read(ctx, address, "/metrics")
		if err != nil {
			return err
		}
		for _, line := range lines {
			if !strings.Contains("\n"+text, "\n"+line) {
				return fmt.Errorf("no line begins with %s", line)
			}
		}
		return nil
	}
}

// hears wants an Event on a cluster.
func (p *play) hears(id, reason, words string) func(context.Context) error {
	return func(ctx context.Context) error {
		var events corev1.EventList
		if err := p.Seed.Client.List(ctx, &events, client.InNamespace("default")); err != nil {
			return err
		}
		for _, e := range events.Items {
			if e.InvolvedObject.Name == p.Own(id) && e.Reason == reason && strings.Contains(e.Message, words) {
				return nil
			}
		}
		return fmt.Errorf("cluster %s has no Event %s that says %q", id, reason, words)
	}
}
