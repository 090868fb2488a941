package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/render"
)

// Observed is a cluster as it can be told from outside the reconciler: from the
// objects on the seed and from its state.
type Observed struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Tenant   string    `json:"tenant"`
	State    State     `json:"state"`
	Message  string    `json:"message"`
	Revision string    `json:"revision"` // the accepted commit of its source; empty if that cannot be told
	Since    time.Time `json:"since"`
}

// Observe tells how each cluster stands that carries a list of ours, or that
// the state speaks of; sorted by ID. It reads all Clusters and all Services
// named front-loadbalancer, and writes nothing.
func Observe(ctx context.Context, c client.Reader, sources map[string]SourceState) ([]Observed, error) {
	var clusters ClusterList
	if err := c.List(ctx, &clusters); err != nil {
		return nil, fmt.Errorf("list clusters: %w", err)
	}
	services, err := frontServices(ctx, c, client.MatchingFields{"metadata.name": serviceName})
	if err != nil {
		return nil, err
	}
	return observe(clusters.Items, services, sources), nil
}

// Observe is the same from the cache, which has no other Services. It makes no
// request.
func (c *Controller) Observe(ctx context.Context, sources map[string]SourceState) ([]Observed, error) {
	var clusters ClusterList
	if err := c.client.List(ctx, &clusters); err != nil {
		return nil, fmt.Errorf("list clusters from the cache: %w", err)
	}
	services, err := frontServices(ctx, c.client)
	if err != nil {
		return nil, err
	}
	return observe(clusters.Items, services, sources), nil
}

func observe(clusters []Cluster, services map[string]*corev1.Service, sources map[string]SourceState) []Observed {
	o := observer{sources: sources, services: services, seed: lastSeed(sources), balancer: lastBalancer(sources), kept: keptOn(sources), seen: map[string]bool{}}
	for i := range clusters {
		o.look(&clusters[i])
	}
	o.lookForOthers()
	slices.SortFunc(o.found, func(a, b Observed) int { return cmp.Compare(a.ID, b.ID) })
	return o.found
}

// ErrNoState is that of a namespace in which no reconciler has written its state.
var ErrNoState = errors.New("no state")

// LoadAny reads the state in a namespace, of whichever seed it is. Without any, the
// error is ErrNoState.
func LoadAny(ctx context.Context, c client.Client, namespace string) (seed string, sources map[string]SourceState, err error) {
	var list corev1.ConfigMapList
	err = c.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{managedLabel: Manager, kindLabel: sourceKind})
	if err != nil {
		return "", nil, fmt.Errorf("list state in namespace %s: %w", namespace, err)
	}
	if len(list.Items) == 0 {
		return "", nil, fmt.Errorf("%w in namespace %s: is the reconciler running, and is this its --namespace?", ErrNoState, namespace)
	}
	store := NewStore(c, namespace, list.Items[0].Labels[seedLabel])
	sources, _, err = store.Load(ctx)
	for _, s := range sources {
		seed = s.Seed
	}
	return seed, sources, err
}

func frontServices(ctx context.Context, c client.Reader, only ...client.ListOption) (map[string]*corev1.Service, error) {
	var list corev1.ServiceList
	if err := c.List(ctx, &list, only...); err != nil {
		return nil, fmt.Errorf("list services %s: %w", serviceName, err)
	}
	out := make(map[string]*corev1.Service, len(list.Items))
	for i := range list.Items {
		out[list.Items[i].Namespace] = &list.Items[i]
	}
	return out, nil
}

func lastSeed(sources map[string]SourceState) render.SeedRanges {
	for _, s := range sources {
		if s.SeedRanges.Known {
			return s.SeedRanges
		}
	}
	return render.SeedRanges{}
}

func lastBalancer(sources map[string]SourceState) Balancer {
	for _, s := range sources {
		if s.Balancer != (Balancer{}) {
			return s.Balancer
		}
	}
	return Balancer{}
}

type observer struct {
	sources  map[string]SourceState
	services map[string]*corev1.Service
	seed     render.SeedRanges
	balancer Balancer
	kept     map[string]bool // entries of Plan.Kept
	found    []Observed
	seen     map[string]bool
}

func (o *observer) look(cl *Cluster) {
	id := cl.Name
	entry := Observed{ID: id, Name: cl.Spec.HumanReadableName, Tenant: o.tenant(cl.Labels[projectLabel]), Revision: o.revision(id)}
	d, source, deviates := o.deviation(id)
	lost := !deviates && !ours(cl)
	if lost && (cl.DeletionTimestamp != nil || !o.kept[render.KeptAs(id, string(cl.UID), cl.Labels[projectLabel])]) {
		return
	}
	entry.State, entry.Message, entry.Since = d.State, d.Message, d.Since
	if deviates {
		entry.Tenant, entry.Revision = d.Tenant, o.sources[source].Accepted
	}
	switch {
	case lost:
		st := notThere(cl)
		entry.State, entry.Message, entry.Since = st.State, st.Message, writtenAt(cl)
	case d.State == "": // it follows from the objects
		st := o.derive(cl)
		entry.State, entry.Message, entry.Since = st.State, st.Message, written(cl)
	}
	if d.Standing != nil && d.Standing.UID == string(cl.UID) {
		entry.Message = besides(entry.State, entry.Message, d.Standing.Problems())
	}
	o.seen[id] = true
	o.found = append(o.found, entry)
}

// besides is a state's message with the problems that stand: before it where
// nothing else is wrong, and each said once.
func besides(state State, message string, problems []string) string {
	if state == Synced {
		return strings.Join(append(problems, message), "; ")
	}
	for _, p := range problems {
		if words, _, _ := strings.Cut(p, ", since "); !strings.Contains(message, words) {
			message += "; " + p
		}
	}
	return message
}

// lookForOthers adds what the state speaks of and the seed does not have.
func (o *observer) lookForOthers() {
	for _, s := range o.sources {
		for id, d := range s.Deviations {
			if !o.seen[id] && d.State != "" {
				o.found = append(o.found, Observed{ID: id, Tenant: d.Tenant, State: d.State, Message: d.Message, Revision: s.Accepted, Since: d.Since})
			}
		}
	}
}

func (o *observer) deviation(id string) (Deviation, string, bool) {
	for name, s := range o.sources {
		if d, ok := s.Deviations[id]; ok {
			return d, name, true
		}
	}
	return Deviation{}, "", false
}

// keptOn are the clusters on which lists are kept.
func keptOn(sources map[string]SourceState) map[string]bool {
	out := map[string]bool{}
	for _, s := range sources {
		for _, entries := range s.Kept {
			for _, entry := range entries {
				out[entry] = true
			}
		}
	}
	return out
}

// notThere is the state of a cluster that is to carry a list and does not: that
// lasts for as long as no reconciler runs.
func notThere(cl *Cluster) ClusterState {
	switch live := liveList(cl); {
	case cl.Spec.ExposeStrategy != render.ExposeLoadBalancer:
		return unsupported(&render.Wanted{}, cl)
	case !live.Set:
		return say(Pending, "the list is not there: it is not written yet, or somebody removed it")
	default:
		return say(Pending, "%s %s: it is not put right yet", who(cl), deed(&render.Wanted{}, live))
	}
}

func (o *observer) derive(cl *Cluster) ClusterState {
	if st, done := withoutService(cl); done {
		return st
	}
	svc := o.services[cl.Status.NamespaceName]
	if svc != nil && carries(svc, serviceRanges(o.seed, liveList(cl))) {
		return say(Synced, "%s%s", o.balancer.handedTo(), migrating(cl))
	}
	return say(Applied, "%s%s", lagging(svc, serviceRanges(o.seed, liveList(cl)), cl, o.seed), migrating(cl))
}

func (o *observer) tenant(project string) string {
	for _, s := range o.sources {
		if t, ok := s.Tenants[project]; ok {
			return t
		}
	}
	return project
}

// revision is the commit that a cluster is in line with: that of the only
// source, or of the one that last set its list.
func (o *observer) revision(id string) string {
	for _, s := range o.sources {
		if len(o.sources) == 1 {
			return s.Accepted
		}
		for _, r := range s.Commits {
			if slices.Contains(r.Clusters, id) {
				return s.Accepted
			}
		}
	}
	return ""
}

// written is when we last wrote the list.
func written(cl *Cluster) time.Time {
	for _, e := range cl.ManagedFields {
		if e.Manager == Manager && ownsList(e) && e.Time != nil {
			return e.Time.Time
		}
	}
	return time.Time{}
}
