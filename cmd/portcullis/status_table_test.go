package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
)

const someCommit = "45dbeaec379428e5b3b84e5fab03d2a589cad2d3"

// crowded is a status that has everything, and all of it too long.
func crowded() *status {
	s := &status{console.Status{Seed: "eu-west", Sources: []sourceStatus{{Name: "customers", Accepted: someCommit, Head: someCommit}},
		Holds:   []hold{{Source: "customers", Tenant: "acme", Commit: someCommit, Reason: strings.Repeat("takes access away ", 12), Approve: approveLine("customers", someCommit)}},
		Notices: []string{strings.Repeat("a way around the lists ", 9)}}}
	for i, state := range console.States() {
		s.Clusters = append(s.Clusters, apply.Observed{ID: fmt.Sprintf("qvjdddt7%02d", i), Name: strings.Repeat("shop", i*6), Tenant: strings.Repeat("t", 10+i),
			State: state, Message: strings.Repeat("words of KKP ", 1+i), Revision: someCommit, Since: exampleNow.Add(-time.Duration(i) * 20 * time.Hour)})
	}
	slices.Reverse(s.Clusters) // the best first
	s.Clusters[3].Name, s.Clusters[4].Name = strings.Repeat("店", 30), "two\nlines\x1b[2J"
	return s
}

func TestTableFitsItsColumns(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := crowded().table(&out, tableOptions{name: pluginName}, exampleNow); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	widest := 0
	for _, line := range lines {
		n := columnsOf(line)
		if widest = max(widest, n); n > columns {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if widest < columns-10 {
		t.Errorf("the widest line takes %d columns of %d", widest, columns)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("a name reaches the terminal as it is")
	}
	if want := "seed eu-west: 8 clusters, 1 Contested, 1 Rejected, 1 Missing, 1 Held, 1 Pending, 1 Applied, 1 Waiting, 1 Synced"; lines[0]+" "+strings.TrimSpace(lines[1]) != want {
		t.Errorf("it begins with %q", lines[:2])
	}
	var states []apply.State
	for _, line := range lines {
		for i := range 8 {
			if id := fmt.Sprintf("(qvjdddt7%02d)", i); strings.Contains(line, id) || i == 0 && strings.HasPrefix(line, "qvjdddt700") {
				states = append(states, console.States()[i])
			}
		}
	}
	if !slices.Equal(states, console.States()) {
		t.Errorf("clusters by their IDs, from the top: %v", states)
	}
	if want := "     kubectl portcullis approve customers@" + someCommit + " --reason ..."; !slices.Contains(lines, want) {
		t.Errorf("no line to copy as %q:\n%s", want, &out)
	}
}

// TestWideTableIsWhole: nothing is cut, nor put on another line.
func TestWideTableIsWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := crowded()
	if err := s.table(&out, tableOptions{wide: true, name: ownName}, exampleNow); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{strings.Repeat("店", 30) + " (", strings.TrimSpace(s.Holds[0].Reason) + "\n", strings.TrimSpace(s.Notices[0]) + "\n",
		strings.TrimSpace(s.Clusters[0].Message) + "\n", s.Clusters[0].Tenant + "  ", someCommit} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "…") {
		t.Error("something is cut off")
	}
}
