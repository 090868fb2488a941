package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestDryRunWritesNothing, neither to the seed nor to the repository, and says
// what it would do.
func TestDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	p.populate()
	p.start("--dry-run")
	p.await("what would be done", func(context.Context) error {
		for _, id := range []string{stage.ShopProd, stage.ShopStaging, stage.Billing, stage.Edge, stage.Lab} {
			if !strings.Contains(p.Run.Log(), p.Own(id)) {
				return fmt.Errorf("the log does not name %s", id)
			}
		}
		return nil
	})
	p.morePolls(3)
	changes := func(e servers.AuditEvent) bool { return e.Verb != "get" && e.Verb != "list" }
	if asked := p.requests(changes); len(asked) > 0 {
		t.Errorf("the seed was asked to change:\n%s", describe(asked))
	}
	if n := p.HTTP.Meter.Count(pushes); n > 0 {
		t.Errorf("%d pushes", n)
	}
	p.holds(p.Absent(stage.ShopProd), p.Absent(stage.Billing))
}

// TestConfigIsJudgedBeforeAnythingIsContacted: all faults at once, and nobody
// to contact.
func TestConfigIsJudgedBeforeAnythingIsContacted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config, policy string
		want           []string
	}{
		"config": {
			config: "apiVersion: portcullis.dev/v1alpha1\nkind: Config\nseed: eu-west\nschedule: never\npolicyFile: policy.yaml\n" +
				"sources:\n  - name: customers\n    url: http://git.example.com/a/b.git\n    bransh: main\n",
			policy: "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {eu-west: {}}\n",
			want:   []string{"config.yaml:4:11: error[invalid-config]", "config.yaml:8:10: error[", "config.yaml:9:5: error["},
		},
		"policy": {
			config: "apiVersion: portcullis.dev/v1alpha1\nkind: Config\nseed: eu-west\npolicyFile: policy.yaml\n" +
				"sources: [{name: customers, url: \"https://git.example.com/a/b.git\", path: tenants}]\n",
			policy: "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds:\n  eu-west: {loadBalancer: nonesuch, platform: [{cidr: 10.0.0.1/8}]}\n",
			want:   []string{"policy.yaml:4:27: error[", "policy.yaml:4:55: error["},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write := func(name, content string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("config.yaml", c.config)
			write("policy.yaml", c.policy)
			run := &stage.Process{Binary: binary(t), Args: []string{"run", "--config", filepath.Join(dir, "config.yaml"),
				"--kubeconfig", filepath.Join(dir, "not-there")}}
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			code, err := run.Wait(t.Context(), patience)
			if err != nil || code != 2 {
				t.Errorf("it ended with %d (%v)", code, errors.Join(err, run.Kill()))
			}
			for _, want := range c.want {
				if !strings.Contains(run.Log(), want) {
					t.Errorf("it does not say %q:\n%s", want, run.Log())
				}
			}
		})
	}
}

const ownFile = `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: billing}
spec:
  seed: eu-west
  clusters: [` + stage.Billing + `]
  nodeEgress: none
  entries: [{description: head office, cidr: 203.0.113.128/25}]
`

// TestTenantsOwnRepositoryBesideTheSharedOne has both kinds of source in one
// Config.
func TestTenantsOwnRepositoryBesideTheSharedOne(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	own, url, err := p.NewRepository(p.ctx, "globex", "")
	p.must(err)
	p.must(p.Reconfigure(func(d stage.Document) {
		d.Source()["tenants"] = []any{"acme", stage.InitechProject}
		d.AddSource(stage.Document{"name": "globex", "url": url, "tenant": stage.GlobexProject,
			"credentials": map[string]any(p.Credentials()), "checks": map[string]any{"forge": "notes"}})
	}))
	p.populate()
	sha, err := own.Push(p.ctx, stage.Commit{Message: "Our own", Write: map[string]string{"billing.yaml": ownFile}})
	p.must(err)
	p.start()
	list := []string{"203.0.113.128/25", "192.0.2.0/28"}
	p.await("the lists of both", p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.Billing, list...),
		p.HasList(stage.Edge, stage.InitechList()...))
	p.await("the checks of both", p.Noted(p.head(), stage.Success), own.Noted(sha, stage.Success, stage.Billing))

	// What one may not have is not its own either way: globex' folder in the
	// shared repository is nobody's, and acme's cluster is not globex'.
	foreign := strings.Replace(ownFile, stage.Billing, stage.Billing+", "+stage.ShopProd, 1)
	bad, err := own.Push(p.ctx, stage.Commit{Message: "And theirs", Write: map[string]string{"billing.yaml": foreign}})
	p.must(err)
	place, err := own.Place("billing.yaml", stage.ShopProd)
	p.must(err)
	p.await("the check", own.Noted(bad, stage.Failure, place+": error[foreign-cluster]"))
	p.holds(p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.Billing, list...))
}
