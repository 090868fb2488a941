package stage

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// reconciler is the field manager under which lists are applied.
const reconciler = "portcullis"

// version is one that a Cluster came to have; before is nil where it is the
// first.
type version struct {
	id          string
	before, now *unstructured.Unstructured
}

// line is the list in one line, in which absent and empty are told apart.
func (v version) line() string { return listLine(v.now) }

func (v version) lineBefore() string {
	if v.before == nil {
		return "not there"
	}
	return listLine(v.before)
}

func listLine(c *unstructured.Unstructured) string {
	list, set := kkp.List(c)
	return lineOf(list, set)
}

func lineOf(list []string, set bool) string {
	if !set {
		return "absent"
	}
	return fmt.Sprint(slices.Sorted(slices.Values(list)))
}

// moved tells whether the list is another than before, or has another owner.
func (v version) moved() bool {
	return v.before == nil || v.line() != v.lineBefore() || v.ours() != ownedByUs(v.before)
}

// ours tells whether the reconciler owns the list.
func (v version) ours() bool { return ownedByUs(v.now) }

// byUs tells whether the reconciler made this version: who writes a list of
// ours takes it over, so one that is ours and another than before is by us.
func (v version) byUs() bool { return v.ours() && v.moved() }

func ownedByUs(c *unstructured.Unstructured) bool {
	return slices.ContainsFunc(c.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == reconciler && e.Operation == metav1.ManagedFieldsOperationApply && ownsTheList(e)
	})
}

func ownsTheList(e metav1.ManagedFieldsEntry) bool {
	var fields struct {
		Spec map[string]json.RawMessage `json:"f:spec"`
	}
	if e.FieldsV1 == nil || json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) != nil {
		return false
	}
	_, owns := fields.Spec["f:apiServerAllowedIPRanges"]
	return owns
}

// overreach is what a version of the reconciler's must not have: a value that
// is no canonical prefix, or another field than the one.
func (v version) overreach() (faults []string) {
	list, _ := kkp.List(v.now)
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err != nil || p != p.Masked() || p.Addr().Is4In6() || p.String() != s {
			faults = append(faults, fmt.Sprintf("%s: the reconciler wrote %q, which is no canonical prefix", v.id, s))
		}
	}
	if v.before == nil {
		return append(faults, v.id+": the reconciler made the Cluster")
	}
	if a, b := others(v.before), others(v.now); !reflect.DeepEqual(a, b) {
		faults = append(faults, fmt.Sprintf("%s: the reconciler changed another field:\n%v\n%v", v.id, a, b))
	}
	return faults
}

// others is a Cluster without its list and without what each write moves.
func others(c *unstructured.Unstructured) map[string]any {
	out := c.DeepCopy().Object
	for _, path := range [][]string{{"spec", "apiServerAllowedIPRanges"},
		{"metadata", "resourceVersion"}, {"metadata", "generation"}, {"metadata", "managedFields"}} {
		unstructured.RemoveNestedField(out, path...)
	}
	return out
}

// older tells whether a was there before b, of the same Cluster.
func older(a, b *unstructured.Unstructured) bool {
	order, err := resourceversion.CompareResourceVersion(a.GetResourceVersion(), b.GetResourceVersion())
	return err == nil && order < 0
}
