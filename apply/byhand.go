package apply

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/portcullis-gitops/portcullis/render"
)

// pauseUntil is the annotation of a Cluster by which its tenant asks that a
// list set in the dashboard be kept until then, an RFC 3339 time. Anybody in
// the project can set it; it is the policy's breakGlass that grants it.
const pauseUntil = annotationPrefix + "pause-until"

// ByHand is a list that somebody set past Git and may keep for a time.
type ByHand struct {
	// Start is when the first such list was set; further ones, and other
	// annotations, do not begin anew.
	Start time.Time `json:"start"`
	// Over says that the time has come to its end, and that this was told.
	// The time can be had again once the list in Git has been in force.
	Over bool `json:"over,omitempty"`
}

// grace is what is said of a list that somebody set by hand.
type grace struct {
	until time.Time
	// refused is why the list is put right although a time was asked for; empty
	// where it was not, or was granted.
	refused string
}

// mayStay judges a list that somebody else set on a cluster.
func (c *Controller) mayStay(w *render.Wanted, cl *Cluster, m *memory, now time.Time) grace {
	asked, set := cl.Annotations[pauseUntil]
	granted := c.granted()
	if !set || ours(cl) {
		return grace{}
	}
	until, err := time.Parse(time.RFC3339, asked)
	if err != nil {
		return grace{refused: fmt.Sprintf("the annotation %s holds %.40q, which is no RFC 3339 time", pauseUntil, asked)}
	}
	if granted.Longest <= 0 {
		return grace{refused: "the provider's policy grants no time for lists set by hand (breakGlass)"}
	}
	if why := granted.Refuse(liveList(cl), w.List, c.seed.last()); why != "" {
		return grace{refused: "a list like this is not kept for any time: " + why}
	}
	if last := firstByHand(cl, m, now).Add(granted.Longest); until.After(last) {
		until = last
	}
	if !now.Before(until) {
		return grace{refused: "the time for a list set by hand is over since " + stamp(until)}
	}
	return grace{until: until}
}

// firstByHand is when the first list was set that is not Git's: what was
// noted, else when the last one to write did, which may have been while
// nobody looked.
func firstByHand(cl *Cluster, m *memory, now time.Time) time.Time {
	if b := m.standing.ByHand; b != nil {
		return b.Start
	}
	if at := writtenAt(cl); !at.IsZero() && at.Before(now) {
		return at
	}
	return now
}

func (c *Controller) granted() render.ByHand {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byHand
}

// letStay notes that a list set by hand is kept, and tells of it at first.
func (c *Controller) letStay(w *render.Wanted, cl *Cluster, m *memory, until, now time.Time) ClusterState {
	st := say(Held, "kept by hand until %s: %s %s (annotation %s); in Git it is %s; what Git says is written by itself then",
		stamp(until), who(cl), deed(w, liveList(cl)), pauseUntil, inGit(w))
	st.ByHand = true
	if b := m.standing.ByHand; b != nil && !b.Over {
		return st
	}
	m.standing.ByHand = &ByHand{Start: firstByHand(cl, m, now).UTC().Truncate(time.Second)}
	c.log.Info("list set by hand is kept for a time", "cluster", w.Cluster, "writer", writer(cl), "until", until)
	c.boundedEvent(c.told.writes, w, cl, corev1.EventTypeWarning, reasonByHand, fmt.Sprintf(
		"The API server's allowlist is not the one in Git (%s): %s %s, and the provider's policy lets that stay until %s. Then the list in Git is written again.",
		c.where(w.Claim), who(cl), deed(w, liveList(cl)), stamp(until)))
	return st
}

func inGit(w *render.Wanted) string {
	if w.Access == render.Open {
		return "open"
	}
	return some(texts(w))
}

// endByHand tells, once, that the time is over.
func (c *Controller) endByHand(w *render.Wanted, cl *Cluster, m *memory, why string) {
	b := m.standing.ByHand
	if b == nil || b.Over {
		return
	}
	m.standing.ByHand = &ByHand{Start: b.Start, Over: true}
	c.log.Info("list set by hand is no longer kept", "cluster", w.Cluster, "reason", why)
	c.boundedEvent(c.told.writes, w, cl, corev1.EventTypeNormal, reasonByHandEnded, fmt.Sprintf(
		"The API server's allowlist is the one in Git again: %s. Why now: %s.", c.where(w.Claim), why))
}
