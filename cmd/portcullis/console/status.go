package console

import (
	"fmt"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
)

// Status is `portcullis status -o json`, and /api/v1/status.
type Status struct {
	Seed     string           `json:"seed"`
	Sources  []SourceStatus   `json:"sources"`
	Clusters []apply.Observed `json:"clusters"`
	Holds    []Hold           `json:"holds"`
	// Notices are what is to be known of the seed as a whole.
	Notices []string `json:"notices"`
}

// SourceStatus is how far a source is.
type SourceStatus struct {
	Name     string `json:"name"`
	Accepted string `json:"accepted"`
	Head     string `json:"head"`
	// Age is how long ago the accepted commit was taken up, in seconds.
	Age int64 `json:"age"`
}

// Hold is what waits for `portcullis approve`.
type Hold struct {
	Source  string `json:"source"`
	Tenant  string `json:"tenant,omitempty"` // where one tenant's lists are held
	Commit  string `json:"commit"`
	Reason  string `json:"reason"`
	Approve string `json:"approve"` // empty for those who cannot: limited viewers
}

// NewStatus is one of a seed without sources and clusters yet: its lists are
// empty, and never null.
func NewStatus(seed string) Status {
	return Status{Seed: seed, Sources: []SourceStatus{}, Clusters: []apply.Observed{}, Holds: []Hold{}, Notices: []string{}}
}

// Add takes up what a source's state says. Clusters are not of it.
func (s *Status) Add(state apply.SourceState, now time.Time) {
	entry := SourceStatus{Name: state.Name, Accepted: state.Accepted, Head: state.Accepted}
	if !state.Since.IsZero() {
		entry.Age = int64(now.Sub(state.Since).Seconds())
	}
	if h := state.Held; h != nil {
		entry.Head = h.Commit
		s.Holds = append(s.Holds, Hold{Source: state.Name, Commit: h.Commit, Reason: h.Reason, Approve: ApproveLine(state.Name, h.Commit)})
	}
	for _, h := range state.Holds {
		s.Holds = append(s.Holds, Hold{state.Name, h.Tenant, h.Commit, h.Reason, ApproveLine(state.Name, h.Commit)})
	}
	s.Sources = append(s.Sources, entry)
	for _, notice := range state.Notices { // the same ones of each source
		if !slices.Contains(s.Notices, notice) {
			s.Notices = append(s.Notices, notice)
		}
	}
}

// ApproveLine is what lifts a hold.
func ApproveLine(source, commit string) string {
	return fmt.Sprintf("portcullis approve %s@%s --reason ...", source, commit)
}

// Badness orders states, the worst first.
func Badness(s apply.State) int { return slices.Index(States(), s) }

// States are all of them, the worst first.
func States() []apply.State {
	return []apply.State{apply.Contested, apply.Rejected, apply.Missing, apply.Held, apply.Pending, apply.Applied, apply.Waiting, apply.Synced}
}
