package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
)

const runPolicy = `apiVersion: portcullis.dev/v1alpha1
kind: Policy
seeds: {eu-west: {}}
`

const runConfig = `apiVersion: portcullis.dev/v1alpha1
kind: Config
seed: eu-west
policyFile: policy.yaml
sources:
  - {name: customers, url: "http://127.0.0.1:1/none.git", path: tenants}
`

// runAs is the command line of a reconciler that somebody runs on a seed.
func runAs(t *testing.T, who *rest.Config, args ...string) []string {
	t.Helper()
	dir := t.TempDir()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := servers.WriteKubeconfig(who, kubeconfig); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "policy.yaml"), runPolicy)
	config := writeFile(t, filepath.Join(dir, "config.yaml"), runConfig)
	return append([]string{"run", "--config", config, "--kubeconfig", kubeconfig}, args...)
}

// A reconciler whose account the seed does not know, or lets do nothing, ends at
// once and says so: informers would ask again for ever, and nothing be applied.
func TestRunSaysThatTheSeedRefusesIt(t *testing.T) {
	t.Parallel()
	plane := servers.ControlPlaneFor(t, servers.ControlPlaneOptions{})
	if err := kkp.Install(context.Background(), plane.Config); err != nil {
		t.Fatal(err)
	}
	nobody, err := plane.User("nobody")
	if err != nil {
		t.Fatal(err)
	}
	wrong := rest.CopyConfig(nobody)
	wrong.CertData, wrong.KeyData, wrong.BearerToken = nil, nil, "canary-of-a-token"
	for name, c := range map[string]struct {
		who  *rest.Config
		args []string
		want string
	}{
		"a wrong token":             {wrong, nil, "log in anew"},
		"a wrong token, dry run":    {wrong, []string{"--dry-run"}, "log in anew"},
		"a wrong token, election":   {wrong, []string{"--leader-elect"}, "log in anew"},
		"nothing granted":           {nobody, nil, "its own account"},
		"nothing granted, dry run":  {nobody, []string{"--dry-run"}, "its own account"},
		"nothing granted, election": {nobody, []string{"--leader-elect"}, "its own account"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := runAs(t, c.who, c.args...)
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			var out, errs bytes.Buffer
			code := execute(ctx, args, &out, &errs)
			said, next, ok := strings.Cut(errs.String(), "\nhint: ")
			if code != 2 || !ok || !strings.Contains(next, c.want) || ctx.Err() != nil {
				t.Errorf("exit code %d after %v, it says %q and %q", code, ctx.Err(), said, next)
			}
			if strings.Contains(errs.String(), "canary") {
				t.Errorf("it repeats the token: %s", errs.String())
			}
		})
	}
}

// A process that is told to end while it begins ends well:
// else a Pod that is taken away early looks as if it had crashed.
func TestRunIsToldToEndWhileItBegins(t *testing.T) {
	t.Parallel()
	plane := servers.ControlPlaneFor(t, servers.ControlPlaneOptions{})
	if err := kkp.Install(context.Background(), plane.Config); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"--leader-elect=false", "--leader-elect"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			ctx, end := context.WithCancel(t.Context())
			end()
			var out, errs bytes.Buffer
			if code := execute(ctx, runAs(t, plane.Config, how), &out, &errs); code != 0 || !strings.Contains(errs.String(), `"msg":"Ended`) {
				t.Errorf("exit code %d: %s", code, errs.String())
			}
		})
	}
}
