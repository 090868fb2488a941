package metrics

import (
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// View is the reconciler as it is at one moment. Whoever makes it copies what
// the loop goes on to change.
type View struct {
	Version, Seed string
	// Leading says that this replica leads and has read the state: else nothing
	// that follows is looked at.
	Leading bool
	Now     time.Time

	Plan     *render.Plan
	States   map[string]apply.ClusterState
	PutRight map[string]int64 // by field manager
	Budget   Budget
	Sources  []Source

	PolicyStale, Unsaved, SeedRangesKnown bool
	// StateWrites and StateFailures are of this process.
	StateWrites, StateFailures uint64
}

// Budget is what the lists take of the load balancer; Limit 0: not known.
type Budget struct {
	Balancer, SharedBy string
	Used, Limit        int
}

// Source is one source at that moment.
type Source struct {
	Name  string
	State apply.SourceState
	// Head is where the branch is, Found when that was found. Zero: not polled.
	Head  string
	Found time.Time
	// Polled is when it was last polled with success; zero: never.
	Polled time.Time
	// Checks are the outbox's figures; nil where commits are told nothing.
	Checks *forge.Stats
	// Gone says that the Config does not have it any more: it only holds.
	Gone bool
}

// behind is for how long the head has not been the accepted commit.
func (s Source) behind(now time.Time) time.Duration {
	if s.Head == "" || s.Head == s.State.Accepted {
		return 0
	}
	return max(0, now.Sub(s.Found))
}

// open counts the pull requests that were not merged.
func (s Source) open() (n int) {
	for _, p := range s.State.Pulls {
		if p.Merged == "" {
			n++
		}
	}
	return n
}
