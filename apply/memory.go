package apply

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/portcullis-gitops/portcullis/render"
)

// memory is what the controller remembers of a cluster between two looks. All
// but what stands is lost with the process, which costs at most an Event with
// other words or one write too many. Only the worker that has the cluster
// touches it.
type memory struct {
	uid types.UID
	// kept says that this process, or an earlier one, saw the Cluster as
	// wanted: a difference is then somebody's overwrite, else a list that is
	// taken over.
	kept bool
	// seen is the list as it was then; nil of an earlier process.
	seen *sight
	// sent is the list that was sent last, whether or not it arrived.
	sent *render.Live
	// looked says that this is not the first look.
	looked   bool
	standing Standing
	heard    heard
	// written is the Cluster as our last write left it, until the cache has it.
	written *Cluster
	// failures in a row of writes that are tried again.
	failures int
	refused  *refused
}

// refused is a write that is not tried again for now.
type refused struct {
	wanted     *render.Wanted
	generation int64
	state      ClusterState
	next       time.Time // zero: not before the plan or the object changes
	delay      time.Duration
}

// stands tells whether a refusal still counts for what is wanted and there.
func (r *refused) stands(w *render.Wanted, cl *Cluster, now time.Time) bool {
	return r != nil && sameWanted(r.wanted, w) && r.generation == cl.Generation &&
		(r.next.IsZero() || now.Before(r.next))
}

// freshest is the newer one of the cached Cluster and the one that our last
// write answered: the cache may lag behind, and judging its copy would write
// the same list again.
func (m *memory) freshest(cached *Cluster) *Cluster {
	if m.uid != cached.UID {
		*m = memory{uid: cached.UID}
	}
	if m.written == nil {
		return cached
	}
	older, err := resourceversion.CompareResourceVersion(cached.ResourceVersion, m.written.ResourceVersion)
	if err == nil && older < 0 {
		return m.written
	}
	m.written = nil
	return cached
}

// Waits between tries. What the seed's rules refuse is tried again at all
// because KKP judges the whole Cluster, and may refuse it for something that
// its operators then mend.
const (
	firstRetry, longestRetry     = 200 * time.Millisecond, 30 * time.Second
	firstRefusal, longestRefusal = 10 * time.Minute, time.Hour
)

// backoff is how long to wait after one more failure.
func (m *memory) backoff() time.Duration {
	wait := firstRetry << min(m.failures, 10)
	m.failures++
	return min(wait, longestRetry)
}

// refuse remembers a refusal. A slow one that comes again waits twice as long.
func (m *memory) refuse(w *render.Wanted, cl *Cluster, state ClusterState, slowly bool, now time.Time) time.Duration {
	next := &refused{wanted: w, generation: cl.Generation, state: state}
	if slowly {
		next.delay = firstRefusal
		if before := m.refused; before != nil && before.generation == cl.Generation && sameWanted(before.wanted, w) {
			next.delay = min(2*before.delay, longestRefusal)
		}
		next.delay = max(next.delay, firstRefusal)
		next.next = now.Add(next.delay)
	}
	m.refused, m.failures = next, 0
	return next.delay
}
