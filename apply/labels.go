package apply

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// labelSets shares labels between the Clusters that carry the same ones, as those
// of a project mostly do: a map is as large as the rest of what is kept of a
// Cluster. Nobody changes what is in the cache.
type labelSets struct {
	mu    sync.Mutex
	known map[string]map[string]string // by their text
}

// mostLabelSets bounds what is held of sets that nobody carries any more. Those
// that are carried when it is reached are shared anew from then on.
const mostLabelSets = 50_000

// trim is trimCluster, with labels that are shared.
func (l *labelSets) trim(obj any) (any, error) {
	out, err := trimCluster(obj)
	if c, ok := out.(*Cluster); ok {
		c.Labels = l.shared(c.Labels)
	}
	return out, err
}

// shared is a map of the same labels, for reading only.
func (l *labelSets) shared(labels map[string]string) map[string]string {
	key := textOf(labels)
	l.mu.Lock()
	defer l.mu.Unlock()
	if set, ok := l.known[key]; ok {
		return set
	}
	if l.known == nil || len(l.known) >= mostLabelSets {
		l.known = map[string]map[string]string{}
	}
	l.known[key] = labels
	return labels
}

// textOf tells sets of labels apart: neither names nor values hold a line feed
// (k8s.io/apimachinery, validation of labels).
func textOf(labels map[string]string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		text.WriteString(name + "\n" + labels[name] + "\n")
	}
	return text.String()
}
