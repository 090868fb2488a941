package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// lastLines is how many lines of the reconciler's log a failure shows.
const lastLines = 20

// printer writes the story for people. It implements stage.Teller.
type printer struct{ out io.Writer }

func newPrinter(out io.Writer) *printer { return &printer{out} }

func (p *printer) heading(text string) { fmt.Fprintf(p.out, "\n== %s\n", text) }

// Say prints a line of the story.
func (p *printer) Say(format string, args ...any) { fmt.Fprintf(p.out, "   "+format+"\n", args...) }

// Show prints what a program printed, indented.
func (p *printer) Show(caption, text string) {
	p.Say("%s", caption)
	for line := range strings.Lines(text) {
		fmt.Fprintf(p.out, "     | %s\n", strings.TrimSuffix(line, "\n"))
	}
}

func (p *printer) held() { fmt.Fprintln(p.out, "   ✓ as it should be") }

func (p *printer) failed(err error) { fmt.Fprintf(p.out, "   ✗ %v\n", err) }

// log shows the end of the reconciler's log.
func (p *printer) log(log string) {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	p.Show("the last that portcullis logged:", strings.Join(lines[max(0, len(lines)-lastLines):], "\n"))
}

// try says what can be done with what is left running.
func (p *printer) try(st *stage.Stage) {
	p.heading("It goes on running until Ctrl-C")
	p.Say("the pages: %s", pagesIn(st.Run.Log()))
	p.heading("In another terminal")
	for _, line := range []string{
		"export KUBECONFIG=" + st.Kubeconfig,
		"bin/portcullis status",
		"kubectl get clusters.kubermatic.k8c.io " + stage.ShopProd + " -o yaml",
		"kubectl get services -A -o custom-columns=NS:.metadata.namespace,LETS-IN:.spec.loadBalancerSourceRanges",
		"cd " + st.Work + "   # a clone: change a file below tenants/, then",
		"git commit -am 'My change' && git push origin main",
		"git fetch origin '+refs/notes/*:refs/notes/*' && git notes --ref=" + stage.NotesRef + " show",
		"git rm tenants/acme/production.yaml && git commit -m 'Remove it' && git push origin main   # nothing opens",
	} {
		p.Say("%s", line)
	}
}

// served is what the reconciler logs of where its pages are.
var served = regexp.MustCompile(`"Serving the pages","address":"([^"]+)"`)

// pagesIn is the address of the pages, by the reconciler's log: that of the last
// start.
func pagesIn(log string) string {
	found := served.FindAllStringSubmatch(log, -1)
	if len(found) == 0 {
		return "not served"
	}
	return found[len(found)-1][1]
}
