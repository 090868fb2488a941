package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// TestHintsOnAnAPIServer asks a real one that is no seed, in ways that do not work.
func TestHintsOnAnAPIServer(t *testing.T) {
	t.Parallel()
	plane := servers.ControlPlaneFor(t, servers.ControlPlaneOptions{})
	nobody, err := plane.User("nobody")
	if err != nil {
		t.Fatal(err)
	}
	other := httptest.NewTLSServer(nil) // with a certificate of its own
	t.Cleanup(other.Close)
	imports := []string{"import", "--out", filepath.Join(t.TempDir(), "files")}
	for name, c := range map[string]struct {
		who    *rest.Config
		change func(*rest.Config)
		args   []string
		want   string
	}{
		"no KKP":                 {plane.Config, nil, imports, "so it is no seed's"},
		"no state":               {plane.Config, nil, []string{"status"}, "finds its namespace, for --namespace"},
		"no rights to the state": {nobody, nil, []string{"status"}, "rbac.operator"},
		"a token of nobody's": {nobody, func(c *rest.Config) { c.CertData, c.KeyData, c.BearerToken = nil, nil, "canary-of-a-token" },
			[]string{"status"}, "log in anew"},
		"another's certificate": {nobody, func(c *rest.Config) { c.Host = other.URL }, imports, "another API server"},
		"nobody there":          {nobody, func(c *rest.Config) { c.Host = "https://127.0.0.1:1" }, []string{"status"}, "no API server answers there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := rest.CopyConfig(c.who)
			if c.change != nil {
				c.change(config)
			}
			path := filepath.Join(t.TempDir(), "kubeconfig")
			if err := servers.WriteKubeconfig(config, path); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			code := execute(context.Background(), append(c.args, "--kubeconfig", path), &out, &errs)
			said, next, ok := strings.Cut(errs.String(), "\nhint: ")
			if code != 2 || out.Len() > 0 || !ok || strings.Count(said, "\n") > 0 || !strings.Contains(next, c.want) || strings.Count(next, "\n") != 1 {
				t.Errorf("exit code %d, it says %q and %q", code, out.String(), errs.String())
			}
			if strings.Contains(errs.String(), "canary") {
				t.Errorf("it repeats the token: %s", errs.String())
			}
		})
	}
}
