package apply

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// State is how a cluster stands towards what is wanted of it.
type State string

// The states of a cluster.
const (
	// Pending: not looked at since the plan changed, or a write that is going
	// to be tried again: the seed is away, or busy. It says nothing bad yet.
	Pending State = "Pending"
	// Synced: Cluster and Service carry the list.
	Synced State = "Synced"
	// Applied: the Cluster carries the list, the Service does not yet.
	Applied State = "Applied"
	// Waiting: not exposed by LoadBalancer; or, with the Cluster written,
	// paused or without a namespace.
	Waiting State = "Waiting"
	// Held: the last good list stays, whatever the files say.
	Held State = "Held"
	// Rejected: KKP or the API server refuses the write.
	Rejected State = "Rejected"
	// Contested: others changed the list more than 5 times in 10 minutes. It is
	// put right all the same, not as often, until 10 minutes pass without.
	Contested State = "Contested"
	// Missing: no Cluster of this ID, or none that the plan was made for.
	Missing State = "Missing"
)

// ClusterState is a cluster's state with the words for it.
type ClusterState struct {
	State   State
	Message string // one line, up to 500 bytes
	// Beneath is, of a cluster that is Held or Contested, how the list that it
	// keeps stands: Synced, Applied or Waiting.
	Beneath State
	// Unsupported is set where a cluster is Waiting because of how it is
	// exposed: nothing was written. Without it the list was.
	Unsupported bool
	// ByHand is set where a cluster is Held because of a list that somebody set
	// on it: that one is live, and not the one in Git.
	ByHand bool
	// Trouble is what the load balancer or KKP says against the list since it
	// was written; nil if nothing.
	Trouble *Trouble
	// Standing is what outlasts the state; nil if there is nothing.
	Standing *Standing
	// Since is when the cluster came into this state, by Options.Clock; a
	// change of the message alone does not move it.
	Since time.Time
}

// maxMessage bounds what a state says, in bytes: others' words are in it.
const maxMessage = 500

func say(state State, format string, args ...any) ClusterState {
	return ClusterState{State: state, Message: clip(fmt.Sprintf(format, args...), maxMessage)}
}

// clip cuts a text to so many bytes, at a character, and makes it one line.
func clip(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= limit {
		return text
	}
	cut := limit - len("...")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
