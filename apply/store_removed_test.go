package apply_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
)

// What somebody removes while the store is in use is written again with the next
// change, all of it: a part that is missing would make the rest unreadable.
func TestStateRemovedUnderTheStoreIsWrittenAgain(t *testing.T) {
	t.Parallel()
	for name, clusters := range map[string]int{"in one part": 1, "in several": 20_000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, namespace, _ := stateOf(t)
			state := someState()
			for i := range clusters {
				state.Deviations[fmt.Sprintf("c%06d", i)] = apply.Deviation{State: apply.Held, Message: "its file is refused", Tenant: "acme"}
			}
			if err := store.SaveSource(t.Context(), state); err != nil {
				t.Fatal(err)
			}
			removeState(t, namespace)
			state.Deviations = maps.Clone(state.Deviations)
			state.Deviations["c2"] = apply.Deviation{State: apply.Rejected}
			if err := store.SaveSource(t.Context(), state); err != nil {
				t.Fatal(err)
			}
			again, _ := storeIn(t, namespace)
			sources, _, err := again.Load(context.Background())
			if err != nil || !reflect.DeepEqual(sources["customers"].Deviations, state.Deviations) {
				t.Errorf("%d deviations were read back, not %d (%v)", len(sources["customers"].Deviations), len(state.Deviations), err)
			}
		})
	}
}

func removeState(t *testing.T, namespace string) {
	t.Helper()
	var list corev1.ConfigMapList
	c := admin(t)
	if err := c.List(t.Context(), &list, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		if err := c.Delete(t.Context(), &list.Items[i]); err != nil {
			t.Fatal(err)
		}
	}
}
