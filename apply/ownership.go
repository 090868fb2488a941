package apply

import (
	"bytes"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/portcullis-gitops/portcullis/render"
)

// Manager is the field manager under which lists are written.
const Manager = render.FieldManager

// The field whose owner matters, as metadata.managedFields spells it.
var (
	listField  = []byte(`"f:apiServerAllowedIPRanges":`)
	listOwned  = []byte(`{"f:spec":{"f:apiServerAllowedIPRanges":{"f:cidrBlocks":{}}}}`)
	blockField = []byte(`"f:cidrBlocks"`)
	// ownsListAlone is shared by all Clusters in the cache, which nobody changes.
	ownsListAlone = fieldsOf(listOwned)
)

func fieldsOf(text []byte) *metav1.FieldsV1 {
	fields := &metav1.FieldsV1{}
	fields.SetRawBytes(text)
	return fields
}

// owners reduces managedFields to those entries that own the list, each with
// one and the same text for what it owns: the full text lists every field of a
// Cluster and is the largest part of it. The result reduces to itself.
func owners(entries []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	var out []metav1.ManagedFieldsEntry
	for _, e := range entries {
		if !ownsList(e) {
			continue
		}
		out = append(out, metav1.ManagedFieldsEntry{
			Manager: intern(e.Manager), Operation: metav1.ManagedFieldsOperationType(intern(string(e.Operation))), Time: e.Time, FieldsV1: ownsListAlone,
		})
	}
	return out
}

// ownsList looks for the list in the text of an entry. The API server writes
// that text itself, without white space, so that parsing it for 10,000
// clusters can be saved. Only what stands within the field counts: other
// fields of a Cluster have cidrBlocks too.
func ownsList(e metav1.ManagedFieldsEntry) bool {
	if e.FieldsV1 == nil || e.Subresource != "" {
		return false
	}
	_, after, found := bytes.Cut(e.FieldsV1.GetRawBytes(), listField)
	return found && bytes.Contains(within(after), blockField)
}

// within is the JSON object at the start of a text. No brace stands in its
// keys: they are the names of fields.
func within(text []byte) []byte {
	depth := 0
	for i, b := range text {
		switch b {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return text[:i]
		}
	}
	return text
}

// ours tells whether the list was last written by server-side apply under our
// name.
func ours(c *Cluster) bool {
	for _, e := range c.ManagedFields {
		if e.Manager == Manager && e.Operation == metav1.ManagedFieldsOperationApply && ownsList(e) {
			return true
		}
	}
	return false
}

// writer names who else wrote the list, the newest first; "another client"
// where the API server no longer knows, as after a removal of the field.
func writer(c *Cluster) string {
	name, _ := lastWriter(c)
	return name
}

// who is a writer's name as it is shown: any client chooses its own.
func who(c *Cluster) string { return clip(writer(c), maxWriter) }

// writtenAt is when somebody else last wrote to the object with the list in
// hand; zero where that is not known.
func writtenAt(c *Cluster) time.Time {
	_, at := lastWriter(c)
	return at.Time
}

func lastWriter(c *Cluster) (name string, newest metav1.Time) {
	name = "another client"
	for _, e := range c.ManagedFields {
		mine := e.Manager == Manager && e.Operation == metav1.ManagedFieldsOperationApply
		if mine || !ownsList(e) || e.Time == nil || e.Time.Before(&newest) {
			continue
		}
		name, newest = e.Manager, *e.Time
	}
	return name, newest
}
