package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestUsageErrorsExitWith2(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"a tool it does not know": {[]string{"etcd", "nosuch"}, `no tool "nosuch"; there are staticcheck, helm, etcd, kube-apiserver, gitea`},
		"a flag it does not know": {[]string{"-nosuch"}, "flag provided but not defined"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), c.args, &stdout, &stderr); code != 2 {
				t.Errorf("exit %d", code)
			}
			if !strings.Contains(stderr.String(), c.says) || stdout.Len() > 0 {
				t.Errorf("stdout %q, stderr %q", &stdout, &stderr)
			}
		})
	}
}

func TestHelpExitsWith0(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-h"}, &stdout, &stderr); code != 0 || !strings.Contains(stderr.String(), "-control-plane") {
		t.Errorf("exit %d, stderr %q", code, &stderr)
	}
}

// TestPins reads the modules that are really built: each must name its tool,
// and kube-apiserver must be told the version that clients will ask for.
func TestPins(t *testing.T) {
	t.Parallel()
	s, err := openShop(&log{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range all() {
		r, err := s.recipe(t.Context(), tool)
		if err != nil {
			t.Errorf("%s: %v", tool.name, err)
			continue
		}
		if !strings.HasPrefix(r.version, "v") || len(r.key) != 12 {
			t.Errorf("%s has version %q and key %q", tool.name, r.version, r.key)
		}
	}
}

func TestKubernetesVersionFlags(t *testing.T) {
	t.Parallel()
	got := kubernetesVersion("v1.37.2")
	for _, want := range []string{"gitVersion=v1.37.2", "gitMajor=1", "gitMinor=37"} {
		if !strings.Contains(got, "-X k8s.io/component-base/version."+want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}
