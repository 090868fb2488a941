package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// shows wants each text to begin a line of the metrics.
func shows(address string, lines ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		for _, line := range lines {
			if !strings.Contains("\n"+string(text), "\n"+line) {
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
