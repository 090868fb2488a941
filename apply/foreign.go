package apply

import (
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
)

// Foreign are the writes to a cluster's list that others made and that were
// put right.
type Foreign struct {
	Writer string    `json:"writer"` // the last one's field manager
	Wrote  string    `json:"wrote"`  // in words: "had set the list to 192.0.2.0/24"
	At     time.Time `json:"at"`     // when the last was put right
	Count  int       `json:"count"`  // since it was last forgotten
	// Recent are when the last of them were put right, as many as it takes to
	// tell a fight.
	Recent []time.Time `json:"recent,omitempty"`
	// Contested says that they have become a fight that goes on.
	Contested bool `json:"contested,omitempty"`
}

const (
	// fight is how many foreign writes within fightWithin are one, and the
	// time without any after which it is over.
	fight       = 6
	fightWithin = 10 * time.Minute
	// rememberForeign is how long a foreign write is shown after it.
	rememberForeign = 24 * time.Hour

	// In a fight a list is put right at most so often: one that lets in more
	// than the wanted one, and one that does not. Half of what is promised
	// (10 s and 10 minutes), for writes take time as well.
	spaceWider    = 5 * time.Second
	spaceNarrower = 5 * time.Minute
)

// Names for writers that their field manager does not tell.
const (
	anotherInstallation = "another portcullis installation"
	ownNameElsewhere    = "another client by the name of " + Manager
)

// sight is the list as it stood when it was last in force.
type sight struct {
	live render.Live
	ours bool
}

func sightOf(c *Cluster) *sight { return &sight{liveList(c), ours(c)} }

func sameLive(a, b render.Live) bool { return a.Set == b.Set && slices.Equal(a.CIDRs, b.CIDRs) }

// foreign tells whether somebody else wrote the list since it was in force,
// and who. A list under our own name that this process neither saw in force
// nor sent is another installation's: two of them on one seed would put each
// other right for ever. Of a list that was never seen in force nothing can be
// said: it may be an older plan's.
func (m *memory) foreign(c *Cluster) (by string, yes bool) {
	live := liveList(c)
	switch {
	case !m.kept, m.sent != nil && sameLive(*m.sent, live) && (ours(c) || !live.Set):
		return "", false
	case m.seen != nil && sameLive(m.seen.live, live) && m.seen.ours == ours(c):
		return "", false // what is wanted is new, not what is there
	case !ours(c) && writer(c) == Manager:
		return ownNameElsewhere, true
	case !ours(c):
		return writer(c), true
	}
	return anotherInstallation, m.seen != nil
}

// deed is what somebody did to a list, in words that tell apart what happens
// for different reasons.
func deed(w *render.Wanted, live render.Live) string {
	switch {
	case !live.Set:
		return "had removed the list"
	case len(live.CIDRs) == 0:
		return "had emptied the list ([]), as a save in the dashboard does where its form shows none"
	case w.Access == render.Restricted && sameAddresses(live.CIDRs, w.List):
		return "had set the same addresses in other words, " + some(live.CIDRs)
	}
	return "had set the list to " + some(live.CIDRs)
}

// count notes a foreign write that was put right, and tells whether it made
// a fight of it.
func (m *memory) count(by, did string, now time.Time) (begins bool) {
	next := Foreign{}
	if m.standing.Foreign != nil {
		next = *m.standing.Foreign
	}
	now = now.UTC().Truncate(time.Second)
	next.Writer, next.Wrote, next.At = clip(by, maxWriter), clip(did, maxWrote), now
	next.Count++
	next.Recent = append(slices.Clone(next.Recent), now)
	next.Recent = next.Recent[max(0, len(next.Recent)-fight):]
	if !next.Contested && len(next.Recent) == fight && now.Sub(next.Recent[0]) < fightWithin {
		next.Contested, begins = true, true
	}
	m.standing.Foreign = &next
	return begins
}

// notAhead takes what is dated later than now for of now: the clock was set back,
// or that of the leader before is ahead. A fight would wait for those times to
// come, with a list that lets in more on the Cluster, and a time by hand begin
// only then.
func (m *memory) notAhead(now time.Time) {
	now = now.UTC().Truncate(time.Second)
	if f := m.standing.Foreign; f != nil && f.At.After(now) {
		next := *f
		next.At, next.Recent = now, slices.Clone(f.Recent)
		for i, at := range next.Recent {
			if at.After(now) {
				next.Recent[i] = now
			}
		}
		m.standing.Foreign = &next
	}
	if b := m.standing.ByHand; b != nil && b.Start.After(now) {
		m.standing.ByHand = &ByHand{Start: now, Over: b.Over}
	}
}

// calm ends a fight, and in the end forgets what others wrote. It is asked
// while the list is in force, and answers when to ask again; zero: never.
func (m *memory) calm(now time.Time) time.Time {
	f := m.standing.Foreign
	switch {
	case f == nil:
		return time.Time{}
	case !now.Before(f.At.Add(rememberForeign)):
		m.standing.Foreign = nil
		return time.Time{}
	case f.Contested && now.Before(f.At.Add(fightWithin)):
		return f.At.Add(fightWithin)
	case f.Contested:
		over := *f
		over.Contested, over.Recent = false, nil
		m.standing.Foreign = &over
	}
	return f.At.Add(rememberForeign)
}

// due is when a list may be put right: at once, but in a fight. What is new in
// Git waits for none: there our own list stands.
func (m *memory) due(w *render.Wanted, c *Cluster, seed render.SeedRanges) time.Time {
	f := m.standing.Foreign
	if f == nil || !f.Contested {
		return time.Time{}
	}
	if _, foreign := m.foreign(c); !foreign && ours(c) {
		return time.Time{}
	}
	if wider(w, liveList(c), seed) {
		return f.At.Add(spaceWider)
	}
	return f.At.Add(spaceNarrower)
}
