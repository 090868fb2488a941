package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ErrCorrupt marks state that is there and cannot be read. It must never be
// taken for no state: what was accepted and held is in it.
var ErrCorrupt = errors.New("state is corrupt")

// ErrConflict marks state that somebody else has changed since it was loaded:
// another reconciler of the same seed, or a hand. Load it again.
var ErrConflict = errors.New("state was changed by someone else")

// Store keeps state of one seed in ConfigMaps of one namespace: one for each
// source and one for the lists that are retained, more where they outgrow
// 900 KiB. Nothing is written that stands there already. Methods may be called
// from several goroutines.
type Store struct {
	client    client.Client
	namespace string
	seed      string

	writes, failures atomic.Uint64

	mu    sync.Mutex
	known map[string]*corev1.ConfigMap // by name, as last read or written
	tried map[string]string            // by name, what was written without an answer
}

// NewStore makes a store for a seed. The client must not be a cached one: a
// cache would hand out state that was just replaced. It needs get, list,
// create and update on configmaps of the namespace, and get and create on
// namespaces for EnsureNamespace.
func NewStore(c client.Client, namespace, seed string) *Store {
	return &Store{client: c, namespace: namespace, seed: seed, known: map[string]*corev1.ConfigMap{}, tried: map[string]string{}}
}

// EnsureNamespace makes the namespace of the state if it is missing.
func (s *Store) EnsureNamespace(ctx context.Context) error {
	ns := &corev1.Namespace{}
	err := s.client.Get(ctx, client.ObjectKey{Name: s.namespace}, ns)
	if err == nil {
		return nil
	}
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("get namespace %s: %w", s.namespace, err)
	}
	ns.Name = s.namespace
	if err := s.client.Create(ctx, ns); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %s: %w", s.namespace, err)
	}
	return nil
}

// Load reads all state: of each source by its name, and the retained lists by
// cluster ID. Without any both are empty. State that cannot be read is an
// error that wraps ErrCorrupt, names the ConfigMap and says what to do.
func (s *Store) Load(ctx context.Context) (map[string]SourceState, map[string]Retained, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.list(ctx)
	if err != nil {
		return nil, nil, err
	}
	sources, retained := map[string]SourceState{}, map[string]Retained{}
	for base, cms := range found {
		d, err := read(cms)
		if err != nil {
			return nil, nil, s.corrupt(base, err)
		}
		if err := collect(d, cms[0].Labels[kindLabel], sources, retained); err != nil {
			return nil, nil, s.corrupt(base, err)
		}
	}
	return sources, retained, nil
}

func collect(d document, kind string, sources map[string]SourceState, retained map[string]Retained) error {
	if kind == retainedKind {
		lists, err := take[Retained](d, "")
		for id, list := range lists {
			retained[id] = list
		}
		return err
	}
	state, err := d.sourceState()
	sources[state.Name] = state
	return err
}

// SaveSource stores the state of one source, in one write unless it has many
// deviations. It fails with ErrConflict where somebody else wrote meanwhile.
func (s *Store) SaveSource(ctx context.Context, state SourceState) error {
	d, err := sourceDocument(state)
	if err != nil {
		return err
	}
	return s.save(ctx, s.baseName(sourceKind, state.Name), sourceKind, d)
}

// SaveRetained stores the retained lists, all of them; those that are not
// given are forgotten. Only what changed is written.
func (s *Store) SaveRetained(ctx context.Context, lists map[string]Retained) error {
	d := document{head: json.RawMessage("{}"), entries: map[string]json.RawMessage{}}
	if err := put(d, "", lists); err != nil {
		return fmt.Errorf("encode retained lists: %w", err)
	}
	base := s.baseName(retainedKind, "")
	s.mu.Lock()
	_, stored := s.known[partName(base, 0)]
	s.mu.Unlock()
	if len(lists) == 0 && !stored {
		return nil // nothing there, nothing to say
	}
	return s.save(ctx, base, retainedKind, d)
}

// save writes the parts that changed, the first one last: it holds the head,
// which must not be newer than the entries it speaks of.
func (s *Store) save(ctx context.Context, base, kind string, d document) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts, err := d.split(s.partsOf(base))
	if err != nil {
		return fmt.Errorf("store %s: %w", base, err)
	}
	err = s.putAll(ctx, base, kind, parts)
	if apierrors.IsNotFound(err) && s.forgetRemoved(ctx, base) == nil {
		err = s.putAll(ctx, base, kind, parts)
	}
	return err
}

func (s *Store) putAll(ctx context.Context, base, kind string, parts []json.RawMessage) error {
	for i := len(parts) - 1; i >= 0; i-- {
		if err := s.put(ctx, base, i, kind, string(parts[i])); err != nil {
			return err
		}
	}
	return nil
}

// forgetRemoved forgets the parts of a document that somebody removed under us,
// so that they are made again: what was in them is known here.
func (s *Store) forgetRemoved(ctx context.Context, base string) error {
	for name, cm := range s.known {
		if cm.Labels[documentLabel] != base {
			continue
		}
		err := s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, &corev1.ConfigMap{})
		if apierrors.IsNotFound(err) {
			delete(s.known, name)
			delete(s.tried, name)
		} else if err != nil {
			return fmt.Errorf("look for state %s/%s: %w", s.namespace, name, err)
		}
	}
	return nil
}

// Writes counts the writes of this process that went well, and those that
// failed. It waits for none.
func (s *Store) Writes() (done, failed uint64) { return s.writes.Load(), s.failures.Load() }

func (s *Store) count(err error) error {
	if err != nil {
		s.failures.Add(1)
	} else {
		s.writes.Add(1)
	}
	return err
}
