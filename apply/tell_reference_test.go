package apply

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// Every Event on a Cluster is in the documentation, and no other.
func TestEventsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (?:Normal|Warning) \\|").FindAllSubmatch(text, -1) {
		got = append(got, string(m[1]))
	}
	want := []string{reasonAdopted, reasonRestored, reasonContested, reasonByHand, reasonByHandEnded, reasonHeld, reasonFrozen, reasonRejected, reasonReleased, reasonExpired}
	if !slices.Equal(got, want) {
		t.Errorf("documented are %v, written are %v", got, want)
	}
}
