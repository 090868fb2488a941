package apply

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/portcullis-gitops/portcullis/render"
)

// Reasons of the Events on a Cluster. The KKP dashboard shows them to the
// cluster's users: the one place where they learn where the list is kept.
const (
	reasonRestored = "ListRestored"
	reasonAdopted  = "ListAdopted"
)

// maxEvent is what the API server lets an Event say, in bytes.
const maxEvent = 1024

// tell writes an Event where a write of ours took back what somebody else had
// set. Kept says that the list was as wanted before. Our own changes, and a
// first restriction of a cluster that had no list, need no words.
func (c *Controller) tell(w *render.Wanted, before *Cluster, kept bool) {
	live := liveList(before)
	switch {
	case ours(before), !kept && !live.Set:
		return
	case kept && w.Access == render.Restricted && sameAddresses(live.CIDRs, w.List):
		return // only the ownership had moved
	}
	kind, reason := corev1.EventTypeNormal, reasonAdopted
	if kept {
		kind, reason = corev1.EventTypeWarning, reasonRestored
	}
	text := clip(c.story(w, live, writer(before), kept), maxEvent)
	c.log.Info("foreign list replaced", "cluster", w.Cluster, "reason", reason, "writer", writer(before))
	c.events.Event(before.reference(), kind, reason, text)
}

// story says who did what, what was done about it, and where to do it instead.
func (c *Controller) story(w *render.Wanted, live render.Live, who string, kept bool) string {
	where := c.where(w.Claim)
	wanted := texts(w)
	add := orNone(without(wanted, live.CIDRs))
	if w.Access == render.Open {
		add = "nothing, access is open to everyone"
	}
	did := fmt.Sprintf("%s had set the list to %s", clip(who, 100), shown(live))
	if !kept {
		return fmt.Sprintf("The API server's allowlist is kept in Git from now on: %s. Change it there; what is set here will be replaced. Until now %s. Taken away: %s. Added: %s.",
			where, did, orNone(without(live.CIDRs, wanted)), add)
	}
	return fmt.Sprintf("The API server's allowlist is kept in Git: %s. Change it there; what is set here is replaced. %s; removed again: %s; put back: %s.",
		where, did, orNone(without(live.CIDRs, wanted)), add)
}

func (c *Controller) where(claim render.Claim) string {
	if c.options.Where == nil {
		return clip(claim.Path, 300)
	}
	return clip(c.options.Where(claim), 300)
}

// pretend says what a dry run does not do, once for each cluster and plan.
func (c *Controller) pretend(v verb, w *render.Wanted, cl *Cluster, cidrs []string) {
	st := say(Pending, "dry run: would write %s over %s", some(cidrs), shown(liveList(cl)))
	if v == remove {
		st = say(Pending, "dry run: would remove the list, %s", shown(liveList(cl)))
	}
	c.mu.Lock()
	known := c.states[w.Cluster].Message == st.Message
	c.mu.Unlock()
	if !known {
		live := liveList(cl).CIDRs
		c.log.Info("dry run: cluster would be written", "cluster", w.Cluster, "access", w.Access,
			"add", without(cidrs, live), "remove", without(live, cidrs))
	}
	c.record(w.Cluster, w, st)
}

// shown is a live list in words that tell absent from empty.
func shown(live render.Live) string {
	switch {
	case !live.Set:
		return "nothing (everyone)"
	case len(live.CIDRs) == 0:
		return "an empty list"
	}
	return some(live.CIDRs)
}

func orNone(values []string) string {
	if len(values) == 0 {
		return "nothing"
	}
	return some(values)
}

func texts(w *render.Wanted) []string {
	var out []string
	for _, p := range w.List {
		out = append(out, p.String())
	}
	return out
}

// reference names a Cluster to an Event.
func (c *Cluster) reference() *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: groupVersion.String(), Kind: "Cluster",
		Name: c.Name, UID: c.UID, ResourceVersion: c.ResourceVersion,
	}
}
