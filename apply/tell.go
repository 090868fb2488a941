package apply

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/portcullis-gitops/portcullis/render"
)

// Reasons of the Events on a Cluster. The KKP dashboard shows them to the
// cluster's users: the one place where they learn where the list is kept.
const (
	reasonRestored    = "ListRestored"
	reasonAdopted     = "ListAdopted"
	reasonContested   = "ListContested"
	reasonByHand      = "ListKeptByHand"
	reasonByHandEnded = "ByHandEnded"
)

// maxEvent is what the API server lets an Event say, in bytes.
const maxEvent = 1024

// event writes an Event on a Cluster; a dry run writes none.
func (c *Controller) event(cl *Cluster, kind, reason, text string) {
	if !c.options.DryRun {
		c.events.Event(cl.reference(), kind, reason, clip(text, maxEvent))
	}
}

// boundedEvent writes an Event of what is done about others' writes to a tenant's
// cluster, within the bounds of its kind.
func (c *Controller) boundedEvent(b *bounds, w *render.Wanted, cl *Cluster, kind, reason, text string) {
	c.mu.Lock()
	allowed := b.allows(w.Claim.Tenant, c.clock.Now())
	c.mu.Unlock()
	if allowed {
		c.event(cl, kind, reason, text)
	}
}

// tellAdopted tells of a list that somebody had set before Git had a say. Our
// own changes, a first restriction of a cluster that had no list, and another
// try of what was refused need no words.
func (c *Controller) tellAdopted(w *render.Wanted, before *Cluster, m *memory) {
	live := liveList(before)
	if ours(before) || !live.Set || m.kept || m.refused != nil {
		return
	}
	c.log.Info("foreign list replaced", "cluster", w.Cluster, "reason", reasonAdopted, "writer", writer(before))
	c.boundedEvent(c.told.writes, w, before, corev1.EventTypeNormal, reasonAdopted, fmt.Sprintf(
		"The API server's allowlist is kept in Git from now on: %s. Change it there; what is set here will be replaced. Until now %s had set the list to %s. Taken away: %s. Added: %s.",
		c.where(w.Claim), who(before), shown(live), orNone(without(live.CIDRs, texts(w))), added(w, live)))
}

// tellForeign tells of a write that took back what somebody else had set, and
// keeps count of those.
func (c *Controller) tellForeign(w *render.Wanted, before *Cluster, m *memory, by string) {
	live := liveList(before)
	did := deed(w, live)
	begins := m.count(by, did, c.clock.Now())
	c.countPutRight(by)
	c.log.Info("foreign list replaced", "cluster", w.Cluster, "reason", reasonRestored, "writer", clip(by, maxWriter))
	c.boundedEvent(c.told.writes, w, before, corev1.EventTypeWarning, reasonRestored, c.story(w, before, clip(by, maxWriter)+" "+did, m))
	if begins {
		c.log.Error(nil, "List is contested: another writer keeps changing it", "cluster", w.Cluster, "writer", clip(by, maxWriter), "wrote", did)
		c.boundedEvent(c.told.fights, w, before, corev1.EventTypeWarning, reasonContested, fmt.Sprintf(
			"%s changes the API server's allowlist again and again. It is kept in Git: %s. It is put right all the same; have the other writer stopped.",
			clip(by, maxWriter), c.where(w.Claim)))
	}
}

// story says who did what, what was done about it, and where to do it instead.
func (c *Controller) story(w *render.Wanted, before *Cluster, did string, m *memory) string {
	live := liveList(before)
	text := fmt.Sprintf("The API server's allowlist is kept in Git: %s. Change it there; what is set here is replaced. %s; removed again: %s; put back: %s.",
		c.where(w.Claim), did, orNone(without(live.CIDRs, texts(w))), added(w, live))
	if _, marked := before.Labels[migrationLabel]; marked {
		text += " To leave the expose strategy LoadBalancer, say access: open in Git first."
	}
	if refused := c.mayStay(w, before, m, c.clock.Now()).refused; refused != "" {
		text += " It is not kept for a time: " + refused + "."
	}
	return text
}

func added(w *render.Wanted, live render.Live) string {
	if w.Access == render.Open {
		return "nothing, access is open to everyone"
	}
	return orNone(without(texts(w), live.CIDRs))
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
