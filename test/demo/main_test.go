package main

import (
	"context"
	"errors"
	"strings"
	"testing"

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
	newPrinter(&out).try(&stage.Stage{Kubeconfig: "/d/kubeconfig", Repository: &stage.Repository{Work: "/d/work"}})
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
