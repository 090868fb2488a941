package apply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Labels of the ConfigMaps, by which they are found.
const (
	managedLabel  = "app.kubernetes.io/managed-by"
	seedLabel     = "portcullis.dev/seed"
	kindLabel     = "portcullis.dev/state"
	documentLabel = "portcullis.dev/document"

	sourceKind   = "source"
	retainedKind = "retained"

	// content is the one key of a ConfigMap.
	content = "state.json"
)

// list reads the ConfigMaps of this seed, by document.
func (s *Store) list(ctx context.Context) (map[string][]*corev1.ConfigMap, error) {
	var list corev1.ConfigMapList
	err := s.client.List(ctx, &list, client.InNamespace(s.namespace),
		client.MatchingLabels{managedLabel: Manager, seedLabel: slug(s.seed)})
	if err != nil {
		return nil, fmt.Errorf("list state in namespace %s: %w", s.namespace, err)
	}
	s.known = map[string]*corev1.ConfigMap{}
	out := map[string][]*corev1.ConfigMap{}
	for i := range list.Items {
		cm := &list.Items[i]
		base := cm.Labels[documentLabel]
		if base == "" {
			continue // somebody else's, such as a lock
		}
		s.known[cm.Name] = cm
		out[base] = append(out[base], cm)
	}
	return out, nil
}

// read puts a document together from its ConfigMaps.
func read(cms []*corev1.ConfigMap) (document, error) {
	parts := map[int]part{}
	for _, cm := range cms {
		p, err := decodePart(cm.Data[content])
		if err != nil {
			return document{}, fmt.Errorf("ConfigMap %s, key %s: %w", cm.Name, content, err)
		}
		parts[p.Index] = p
	}
	return join(parts)
}

func (s *Store) corrupt(base string, err error) error {
	return fmt.Errorf("%w: %s in namespace %s: %w; restore its ConfigMaps from a backup, or delete all of them "+
		"(label %s=%s): what was accepted and held is then forgotten, and large changes wait for approval",
		ErrCorrupt, base, s.namespace, err, documentLabel, base)
}

// put writes one part, unless it stands there already.
func (s *Store) put(ctx context.Context, base string, index int, kind, text string) error {
	name := partName(base, index)
	cm := s.known[name]
	if cm == nil {
		return s.create(ctx, name, base, kind, text)
	}
	if cm.Data[content] == text {
		return nil
	}
	err := s.update(ctx, cm, text)
	if apierrors.IsConflict(err) && s.answerWasLost(ctx, name) {
		err = s.update(ctx, s.known[name], text)
	}
	if err != nil {
		s.tried[name] = text
		return fmt.Errorf("update state %s/%s: %w", s.namespace, name, conflict(err))
	}
	delete(s.tried, name)
	return nil
}

func (s *Store) update(ctx context.Context, cm *corev1.ConfigMap, text string) error {
	next := cm.DeepCopy() // with its resourceVersion: nobody else's write is lost
	next.Data = map[string]string{content: text}
	if err := s.count(s.client.Update(ctx, next, client.FieldOwner(Manager))); err != nil {
		return err
	}
	s.known[next.Name] = next
	return nil
}

// answerWasLost tells a write of our own that took effect without our hearing
// of it from one of somebody else's.
func (s *Store) answerWasLost(ctx context.Context, name string) bool {
	tried, failed := s.tried[name]
	cm := &corev1.ConfigMap{}
	if !failed || s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, cm) != nil || cm.Data[content] != tried {
		return false
	}
	s.known[name] = cm
	return true
}

func (s *Store) create(ctx context.Context, name, base, kind, text string) error {
	cm := &corev1.ConfigMap{Data: map[string]string{content: text}}
	cm.Namespace, cm.Name = s.namespace, name
	cm.Labels = map[string]string{
		managedLabel: Manager, seedLabel: slug(s.seed), kindLabel: kind, documentLabel: base,
	}
	if err := s.count(s.client.Create(ctx, cm, client.FieldOwner(Manager))); err != nil {
		return fmt.Errorf("create state %s/%s: %w", s.namespace, name, conflict(err))
	}
	s.known[name] = cm
	return nil
}

// conflict marks the answers that say that somebody else was there.
func conflict(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return err
}

// partsOf is the number of parts that a document was last to have. After a
// crash not all of them are there; the last is, because it is written first.
func (s *Store) partsOf(base string) int {
	n := 1
	for i := range maxParts {
		for s.known[partName(base, i)] != nil && n <= i {
			n *= 2
		}
	}
	return n
}

func (s *Store) baseName(kind, name string) string {
	if name == "" {
		return slug("portcullis-" + s.seed + "-" + kind)
	}
	return slug("portcullis-" + s.seed + "-" + kind + "-" + name)
}

func partName(base string, index int) string {
	if index == 0 {
		return base
	}
	return base + "-" + strconv.Itoa(index)
}

// slug is a name that does for a ConfigMap and for a label's value: itself if
// it can be, else a hash of it.
func slug(name string) string {
	if len(validation.IsDNS1123Label(name)) == 0 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "portcullis-" + hex.EncodeToString(sum[:8])
}
