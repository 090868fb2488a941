package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// command runs another subcommand on the seed, and answers what it printed and
// its exit code.
func (p *play) command(args ...string) (string, int) {
	p.t.Helper()
	cmd := exec.CommandContext(p.ctx, p.Run.Binary, append(args, "--kubeconfig", p.Kubeconfig, "--namespace", p.Namespace)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	if stderr.Len() > 0 {
		p.t.Logf("portcullis %s: %s", args[0], &stderr)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// TestStatusTellsOfEachCluster, whatever it is up to.
func TestStatusTellsOfEachCluster(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	if _, code := p.command("status", "--exit-code"); code != 0 {
		t.Errorf("with all Synced or Waiting the exit code is %d", code)
	}
	sha := p.edit("acme/production.yaml", "203.0.113.0/24", "10.0.0.1/8")
	p.await("the refusal", p.Noted(sha, stage.Failure, "host-bits"))
	p.settled()
	want := map[string]string{stage.ShopProd: "Held", stage.ShopDev: "Synced", stage.Billing: "Synced",
		stage.Reports: "Waiting", stage.Edge: "Waiting", stage.Lab: "Waiting"}
	out, code := p.command("status", "-o", "json", "--exit-code")
	if code != 1 {
		t.Errorf("with a cluster Held the exit code is %d", code)
	}
	for id, state := range want {
		if got := stateOf(t, out, p.Own(id)); got != state {
			t.Errorf("%s is %s, not %s", id, got, state)
		}
	}
}

func stateOf(t *testing.T, status, id string) string {
	t.Helper()
	var document struct {
		Seed     string
		Clusters []struct{ ID, State string }
	}
	if err := json.Unmarshal([]byte(status), &document); err != nil {
		t.Fatalf("%v: %s", err, status)
	}
	if document.Seed != "eu-west" {
		t.Errorf("the seed is %q", document.Seed)
	}
	for _, c := range document.Clusters {
		if c.ID == id {
			return c.State
		}
	}
	return fmt.Sprintf("not among %d clusters", len(document.Clusters))
}

// TestApprovedRewindIsFollowed does what the check of a rewind proposes.
func TestApprovedRewindIsFollowed(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	second := p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	p.await("the second commit", p.Noted(second, stage.Success))
	p.must(p.Rewind(p.ctx, first))
	other := p.edit("acme/staging.yaml", "203.0.113.0/24", "203.0.113.0/25")
	p.await("the hold", p.Noted(other, stage.Failure, "held: rewinds"))
	if out, code := p.command("approve", "customers@"+other, "--reason", "the second commit was a mistake"); code != 0 {
		t.Fatalf("approve ended with %d: %s", code, out)
	}
	list := strings.Split(strings.ReplaceAll(strings.Join(stage.StagingList(), " "), "203.0.113.0/24", "203.0.113.0/25"), " ")
	p.await("the approved commit", p.InForce(stage.ShopStaging, list...), p.Noted(other, stage.Success))
}

// TestStatusIsWatched until it is interrupted, which is no failure.
func TestStatusIsWatched(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure))
	watching := &stage.Process{Binary: p.Run.Binary, Args: []string{"status", "--watch", "--kubeconfig", p.Kubeconfig, "--namespace", p.Namespace}}
	p.must(watching.Start())
	t.Cleanup(func() { _ = watching.Kill() })
	says := func(commit string) func(context.Context) error {
		return func(context.Context) error {
			if !strings.Contains(watching.Log(), "source customers at "+commit[:7]) {
				return fmt.Errorf("it does not show %s:\n%s", commit, watching.Log())
			}
			return nil
		}
	}
	p.await("the first look", says(first))
	second := p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	p.await("what is new", says(second))
	p.must(watching.Stop(p.ctx))
}
