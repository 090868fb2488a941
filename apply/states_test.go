package apply

import (
	"maps"
	"reflect"
	"testing"
)

// States that were handed out stay as they were, whatever happens afterwards;
// while nothing does, everybody is given the same.
func TestStatesThatWereHandedOutStay(t *testing.T) {
	t.Parallel()
	o := newOneCluster(t, "203.0.113.0/24")
	for _, step := range []struct {
		name   string
		change func()
	}{
		{"a look", func() { o.settle() }},
		{"a plan", func() { o.want("198.51.100.0/24") }},
		{"a plan without any", func() { o.planFor(nil) }},
	} {
		handed := o.ctl.States()
		before := maps.Clone(handed)
		if again := o.ctl.States(); reflect.ValueOf(again).Pointer() != reflect.ValueOf(handed).Pointer() {
			t.Errorf("%s: states are copied though nothing changed", step.name)
		}
		step.change()
		if !reflect.DeepEqual(handed, before) {
			t.Errorf("%s changed what was handed out: %v became %v", step.name, before, handed)
		}
		if reflect.DeepEqual(o.ctl.States(), before) {
			t.Errorf("%s: nothing changed", step.name)
		}
	}
}
