package apply

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/portcullis-gitops/portcullis/render"
)

// Reasons of the Events that tell the cluster's users of a state that they
// have to do something about, or of access that ended by itself.
const (
	reasonHeld     = "ListHeld"
	reasonFrozen   = "ListFrozen"
	reasonRejected = "ListRejected"
	reasonReleased = "ListReleased"
	reasonExpired  = "AccessExpired"
)

// told is what users were told of states. The controller's mutex guards it.
type told struct {
	// started says that there was a plan: what the first one finds wrong was
	// told by an earlier process, and a start is no flood of old news.
	started bool
	old     map[string]bool   // clusters of the first plan, until first looked at
	last    map[string]string // what was last told, by cluster
	ended   map[string][]render.Entry
	// What is told of states, of others' writes, and of fights over lists each
	// has bounds of its own: a mass change is not to hide a fight.
	states, writes, fights *bounds
}

func newTold() told {
	return told{old: map[string]bool{}, last: map[string]string{}, ended: map[string][]render.Entry{},
		states: newBounds(), writes: newBounds(), fights: newBounds()}
}

// replanned takes up what a new plan means for what is told. before is what was
// wanted until now, at the given moment.
func (t *told) replanned(before map[string]*render.Wanted, then time.Time, plan *render.Plan) {
	for id := range before {
		if plan.Clusters[id] == nil {
			delete(t.last, id)
			delete(t.ended, id)
		}
	}
	for id, w := range plan.Clusters {
		if !t.started {
			t.old[id] = true
		}
		if ended := endedBetween(before[id], w, then, plan.Now); len(ended) > 0 {
			t.ended[id] = ended
		}
	}
	t.started = true
}

// endedBetween are the entries whose time came to its end and whose prefix is
// not let in by another one.
func endedBetween(before, w *render.Wanted, then, now time.Time) []render.Entry {
	if before == nil || before.Access != render.Restricted || w.Access != render.Restricted {
		return nil
	}
	var out []render.Entry
	for _, e := range w.Entries {
		if e.Expired(now) && !e.Expired(then) && !covered(w.List, e.Prefix) && covered(before.List, e.Prefix) {
			out = append(out, e)
		}
	}
	return out
}

func covered(list []netip.Prefix, p netip.Prefix) bool {
	return slices.ContainsFunc(list, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) })
}

// news is what a cluster's state is to be told as: nothing where it was told
// before, is none to be told, or too much is told already. What it says may
// change in its numbers without being news.
func (t *told) news(w *render.Wanted, st ClusterState, now time.Time) (reason string) {
	if st.State == Pending { // says nothing yet
		return ""
	}
	reason, about := topic(w, st)
	key := reason + " " + Gist(about)
	first := t.old[w.Cluster]
	delete(t.old, w.Cluster)
	if reason == "" {
		if t.last[w.Cluster] != "" && follows(w, st) && t.states.allows(w.Claim.Tenant, now) {
			reason = reasonReleased
		}
		delete(t.last, w.Cluster)
		return reason
	}
	if t.last[w.Cluster] == key {
		return ""
	}
	t.last[w.Cluster] = key
	if first || !t.states.allows(w.Claim.Tenant, now) {
		return ""
	}
	return reason
}

// follows tells whether the Cluster carries what Git says, whatever its load
// balancer does.
func follows(w *render.Wanted, st ClusterState) bool {
	return w.Held == nil && w.Access != render.Unmanaged && slices.Contains([]State{Synced, Applied, Waiting}, st.State)
}

// topic is what a state is told as, and what makes it another one. A list set
// by hand, and one that is fought over, have Events of their own.
func topic(w *render.Wanted, st ClusterState) (reason, about string) {
	switch {
	case st.State == Rejected:
		return reasonRejected, st.Message
	case st.State != Held || st.ByHand || w.Held == nil:
		return "", ""
	case w.Held.Rule == render.RuleFreeze:
		return reasonFrozen, ""
	}
	return reasonHeld, w.Held.Rule
}

// tellState writes the Event of a state, in words for the cluster's users.
func (c *Controller) tellState(reason string, w *render.Wanted, st ClusterState) {
	where, stays := c.where(w.Claim), "The list that was in force stays."
	if reason == reasonReleased {
		c.event(subject(w), corev1.EventTypeNormal, reason, fmt.Sprintf(
			"The API server's allowlist follows Git again (%s): what held it back is over. On the cluster is now: %s.", where, inGit(w)))
		return
	}
	if len(w.List) == 0 && w.Access != render.Open {
		stays = "Nothing is written, what is there stays."
	}
	var text string
	switch reason {
	case reasonRejected:
		text = fmt.Sprintf("The API server's allowlist could not be set to what Git says (%s): %s. What was there stays, and it is tried again.", where, st.Message)
	case reasonFrozen:
		text = fmt.Sprintf("The change of the API server's allowlist in Git (%s) waits: the provider keeps the cluster %s. %s", where, st.Message, stays)
	default:
		text = fmt.Sprintf("The API server's allowlist does not follow Git (%s): %s. %s%s", where, st.Message, stays, remedyOf(w.Held.Rule))
	}
	c.event(subject(w), corev1.EventTypeWarning, reason, text)
}

// remedyOf says who is to do something about a hold.
func remedyOf(rule string) string {
	if rule == render.RuleBlastRadius {
		return " It goes ahead once the provider approves it."
	}
	return " Mend it in Git."
}

// tellEnded tells of access that ended by itself, once the list without it is
// in force on the Cluster.
func (c *Controller) tellEnded(w *render.Wanted) {
	c.mu.Lock()
	ended := c.told.ended[w.Cluster]
	delete(c.told.ended, w.Cluster)
	tell := len(ended) > 0 && c.told.states.allows(w.Claim.Tenant, c.clock.Now())
	c.mu.Unlock()
	if !tell {
		return
	}
	c.event(subject(w), corev1.EventTypeNormal, reasonExpired, fmt.Sprintf(
		"No longer let in to the API server, because the time given in Git is over (%s): %s. To let in again, give a later date there.",
		c.where(w.Claim), some(entryWords(ended))))
}

// entryWords names entries as their file does.
func entryWords(entries []render.Entry) []string {
	var out []string
	for _, e := range entries {
		words := []string{e.Prefix.String()}
		if e.Description != "" {
			words = append(words, "("+clip(e.Description, 60)+")")
		}
		out = append(out, strings.Join(append(words, "until "+stamp(e.Expires)), " "))
	}
	return out
}

// subject is the Cluster that a plan was made for, to name it to an Event.
func subject(w *render.Wanted) *Cluster {
	cl := &Cluster{}
	cl.Name, cl.UID = w.Cluster, types.UID(w.UID)
	return cl
}
