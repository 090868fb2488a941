package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Owned are the leaves of managedFields that a field manager owns on a
// cluster, such as f:spec.f:humanReadableName, sorted; and whether all of it
// came about by server-side apply.
func (s *Stage) Owned(ctx context.Context, id, manager string) (leaves []string, applied bool, err error) {
	cluster, err := s.Cluster(ctx, id)
	if err != nil {
		return nil, false, err
	}
	applied = true
	for _, entry := range cluster.GetManagedFields() {
		if entry.Manager != manager {
			continue
		}
		applied = applied && entry.Operation == "Apply"
		var fields map[string]any
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			return nil, false, fmt.Errorf("read the managed fields of %s: %w", id, err)
		}
		leaves = append(leaves, leavesOf(fields, "")...)
	}
	slices.Sort(leaves)
	return leaves, applied, nil
}

// leavesOf are the paths of fields that hold no more fields. "." is the field
// itself beside those in it.
func leavesOf(fields map[string]any, path string) []string {
	if len(fields) == 0 {
		return []string{path}
	}
	var out []string
	for name, below := range fields {
		at := name
		if path != "" {
			at = path + "." + name
		}
		inner, _ := below.(map[string]any)
		out = append(out, leavesOf(inner, at)...)
	}
	return out
}
