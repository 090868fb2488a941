package apply

import (
	"fmt"
	"maps"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// Whatever labels Clusters carry, each keeps its own; those with the same share
// one map.
func TestLabelsAreSharedByThoseWhoCarryTheSame(t *testing.T) {
	t.Parallel()
	sets := rapid.SliceOf(rapid.MapOfN(rapid.StringMatching(`[a-c]{1,2}`), rapid.StringMatching(`[a-c]{0,2}`), 0, 3))
	rapid.Check(t, func(t *rapid.T) {
		l, first := &labelSets{}, map[string]*Cluster{}
		for _, labels := range sets.Draw(t, "labels") {
			c := &Cluster{}
			c.Labels = maps.Clone(labels)
			if _, err := l.trim(c); err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(c.Labels, labels) {
				t.Fatalf("%v became %v", labels, c.Labels)
			}
			text := fmt.Sprint(labels)
			if first[text] == nil {
				first[text] = c
			}
			if a, b := reflect.ValueOf(c.Labels), reflect.ValueOf(first[text].Labels); a.Pointer() != b.Pointer() {
				t.Fatalf("%v is kept twice", labels)
			}
		}
	})
}

// Labels that change for ever do not fill the memory.
func TestLabelsThatNobodyCarriesAreForgotten(t *testing.T) {
	t.Parallel()
	l := &labelSets{}
	for i := range mostLabelSets + 10 {
		l.shared(map[string]string{"n": fmt.Sprint(i)})
	}
	if len(l.known) > mostLabelSets {
		t.Errorf("%d sets are held", len(l.known))
	}
}
