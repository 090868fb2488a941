package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// TestLiveScripts runs what the scripts in testdata/live say of a real seed, one
// file a subcommand. The seed is found as kubectl finds it, by KUBECONFIG; its
// clusters are the same for all scripts, which only read them.
//
//	shopprod01  of acmeproj01: 203.0.113.0/24, and the platform's 192.0.2.0/28
//	shopnone01  of acmeproj01, without a list
//	globexprod  of globexproj: 198.51.100.7/32
//	nodeport01  of globexproj, exposed by NodePort
func TestLiveScripts(t *testing.T) {
	t.Parallel()
	s := newLiveSeed(t)
	s.create(t, "shopprod01", "acmeproj01", kkp.WithName("shop-prod"), kkp.WithList("203.0.113.0/24", "192.0.2.0/28"))
	s.create(t, "shopnone01", "acmeproj01", kkp.WithName("shop-none"))
	s.create(t, "globexprod", "globexproj", kkp.WithList("198.51.100.7/32"))
	s.create(t, "nodeport01", "globexproj", kkp.WithStrategy("NodePort"))
	first := syncOnce(t, s)
	watchEnds(t, s)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/live",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("KUBECONFIG", s.kubeconfig)
			env.Setenv("FIRST", first)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits, "findings": findings, "keys": keys},
	})
}

// syncOnce runs the reconciler until it has followed a first commit, and answers
// that. What its file says is what is live, so that no list changes.
func syncOnce(t *testing.T, s *liveSeed) string {
	t.Helper()
	dir := t.TempDir()
	repository := filepath.Join(dir, "repository")
	writeFile(t, filepath.Join(repository, "tenants", "acme", "a.yaml"), `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: a}
spec: {clusters: [shopprod01], nodeEgress: none, entries: [{cidr: 203.0.113.0/24}]}
`)
	inGit(t, repository, "init", "-q", "-b", "main")
	inGit(t, repository, "add", "tenants")
	inGit(t, repository, "commit", "-q", "-m", "first")
	writeFile(t, filepath.Join(dir, "policy.yaml"), livePolicy)
	config := writeFile(t, filepath.Join(dir, "config.yaml"), `apiVersion: portcullis.dev/v1alpha1
kind: Config
seed: eu-west
policyFile: policy.yaml
sources: [{name: customers, url: "file://`+filepath.ToSlash(repository)+`", path: tenants}]
`)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int)
	var said bytes.Buffer
	go func() {
		ended <- execute(ctx, []string{"run", "--config", config, "--kubeconfig", s.kubeconfig}, &said, &said)
	}()
	defer func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("run ended with %d: %s", code, said.String())
		}
	}()
	accepted := func() string {
		var out, errs bytes.Buffer
		execute(ctx, []string{"status", "-o", "json", "--kubeconfig", s.kubeconfig}, &out, &errs)
		var doc struct {
			Sources  []struct{ Accepted string }
			Clusters []struct{ ID, State string }
		}
		if json.Unmarshal(out.Bytes(), &doc) == nil && len(doc.Sources) == 1 && len(doc.Clusters) > 0 && doc.Clusters[0].State != string(apply.Pending) {
			return doc.Sources[0].Accepted
		}
		return ""
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if commit := accepted(); commit != "" {
			return commit
		}
	}
	t.Fatal("no commit is followed")
	return ""
}

// watchEnds interrupts a watch once it has shown a cluster that is neither Synced
// nor Waiting: that is what its exit code then tells.
func watchEnds(t *testing.T, s *liveSeed) {
	t.Helper()
	shown, out := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, []string{"status", "--watch", "--exit-code", "--kubeconfig", s.kubeconfig}, out, io.Discard)
		_ = out.Close()
	}()
	for lines := bufio.NewScanner(shown); lines.Scan(); {
		if strings.Contains(lines.Text(), "(shopprod01)") {
			stop()
		}
	}
	if code := <-ended; code != 1 || t.Context().Err() != nil {
		t.Errorf("the watch ended with %d", code)
	}
}
