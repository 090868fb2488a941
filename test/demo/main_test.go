package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

func TestPrinterIndentsWhatProgramsPrint(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := newPrinter(&out)
	p.heading("1. A first commit")
	p.Say("pushed as %s", "abc")
	p.Show("git notes show abc", "success: 1 list\n  100% in force\n")
	p.held()
	p.failed(errors.New("not so"))
	want := "\n== 1. A first commit\n" +
		"   pushed as abc\n" +
		"   git notes show abc\n" +
		"     | success: 1 list\n" +
		"     |   100% in force\n" +
		"   ✓ as it should be\n" +
		"   ✗ not so\n"
	if out.String() != want {
		t.Errorf("it prints\n%s\nnot\n%s", &out, want)
	}
}

func TestPrinterShowsTheEndOfALog(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	newPrinter(&out).log("first\n" + strings.Repeat("a line\n", lastLines-1) + "last\n")
	if got := out.String(); strings.Contains(got, "first") || !strings.HasSuffix(got, "| last\n") || strings.Count(got, "| ") != lastLines {
		t.Errorf("it prints\n%s", got)
	}
}

func TestPrinterNamesWhatToTry(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	newPrinter(&out).try(&stage.Stage{Run: &stage.Process{}, Kubeconfig: "/d/kubeconfig", Repository: &stage.Repository{Work: "/d/work"}})
	for _, want := range []string{"export KUBECONFIG=/d/kubeconfig\n", "bin/portcullis status\n", "cd /d/work "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &out)
		}
	}
}

func TestDemoSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	var out strings.Builder // the working directory of a test has no bin
	if err := run(context.Background(), newPrinter(&out), false); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("without the command: %v", err)
	}
}

// TestReviewOnGitea plays the second act; PORTCULLIS_TEST_SERVERS=required has
// it play wherever the tests run.
func TestReviewOnGitea(t *testing.T) {
	t.Parallel()
	servers.Need(t, "etcd", "kube-apiserver", "gitea")
	binary := filepath.Join(t.TempDir(), "portcullis")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "github.com/portcullis-gitops/portcullis/cmd/portcullis").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	seed, err := stage.StartSeed(t.Context(), servers.ControlPlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := seed.Stop(); err != nil {
			t.Error(err)
		}
	})
	var out strings.Builder
	if err := reviewOn(t.Context(), newPrinter(&out), seed, stage.Options{Dir: t.TempDir(), Binary: binary}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	t.Log(out.String())
	rest := out.String()
	for _, want := range []string{"| portcullis/eu-west failure: review: tenants/", "host-bits", "error[host-bits]",
		"| portcullis/eu-west success: routine: ", "| **routine**: ", "Graz office", "| **in force on `eu-west`**: ", "All 4 steps held"} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("it does not say %q where it should:\n%s", want, &out)
		}
		rest = after
	}
}

// It takes another working directory, which no other test may have meanwhile.
func TestReviewIsLeftOutAloud(t *testing.T) {
	t.Chdir(t.TempDir())
	var out strings.Builder
	if err := reviewOn(t.Context(), newPrinter(&out), nil, stage.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "left out: find gitea") || !strings.Contains(got, "make tools") {
		t.Errorf("it says\n%s", got)
	}
}
