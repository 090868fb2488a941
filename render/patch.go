package render

import (
	"encoding/json"
	"net/netip"
)

// FieldManager is the name under which lists are applied.
const FieldManager = "portcullis"

// Patch is the body of a server-side apply: the object's identity and the one
// field, and nothing else. A typed Cluster would send, and claim, the zero
// values of required fields. The uid sees to it that a cluster made anew under
// the same name is never touched by an old plan; it is left out where it is
// not known, as it is offline.
func Patch(cluster, uid string, list []netip.Prefix) ([]byte, error) {
	metadata := map[string]any{"name": cluster}
	if uid != "" {
		metadata["uid"] = uid
	}
	return json.Marshal(map[string]any{
		"apiVersion": "kubermatic.k8c.io/v1",
		"kind":       "Cluster",
		"metadata":   metadata,
		"spec":       map[string]any{"apiServerAllowedIPRanges": map[string]any{"cidrBlocks": Strings(list)}},
	})
}

// Strings are the prefixes as they are written; never nil.
func Strings(list []netip.Prefix) []string {
	out := make([]string, 0, len(list))
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}
