package apply

import (
	"github.com/portcullis-gitops/portcullis/render"
)

// verb is what is to be done to a Cluster.
type verb int

const (
	leave  verb = iota
	write       // the list, by server-side apply
	remove      // the field, by JSON patch
)

// decision is what follows for one cluster from what is wanted and what is
// there.
type decision struct {
	verb verb
	// settled says that the Cluster carries what is wanted; its state follows
	// from the Service. Else state says why nothing is done.
	settled bool
	state   ClusterState
	// replan says that the plan was made for another object.
	replan bool
}

// decide is the controller's whole judgement. The first line that fits counts:
//
//	the Cluster               | wanted               | is done
//	--------------------------|----------------------|-------------------------
//	is not there              | anything             | nothing: Missing
//	has another UID           | anything             | nothing: plan again
//	is being deleted          | anything             | nothing: Missing
//	any                       | held, no good list   | nothing: Held
//	any                       | unmanaged            | nothing: Synced
//	lets everyone in          | open                 | nothing: settled
//	has a list                | open                 | the field is removed
//	not by LoadBalancer       | a list               | nothing: Waiting or Held
//	has the addresses, ours   | a list               | nothing: settled
//	has a newer list, ours    | the one found there  | nothing: plan again
//	anything else             | a list               | the list is written
func decide(w *render.Wanted, c *Cluster, seed render.SeedRanges) decision {
	switch {
	case c == nil:
		return decision{state: say(Missing, "no Cluster of this ID on the seed")}
	case w.UID != string(c.UID):
		return decision{replan: true, state: say(Missing, "another Cluster of this ID than the plan was made for: planning again")}
	case c.DeletionTimestamp != nil:
		return decision{state: say(Missing, "the Cluster is being deleted")}
	case w.Held != nil && !w.Writes():
		return decision{state: say(Held, "%s", w.Held.Message)}
	case w.Access == render.Unmanaged:
		return decision{state: say(Synced, "unmanaged: nothing is written, what is there stays")}
	case w.Access == render.Open:
		return decideOpen(c, seed)
	}
	return decideList(w, c)
}

// decideOpen takes an empty list for open where KKP does: where the Seed adds
// nothing to it. The dashboard makes one of an absent field on every save, and
// removing it each time would be a fight over nothing.
func decideOpen(c *Cluster, seed render.SeedRanges) decision {
	live := liveList(c)
	if !live.Set || len(live.CIDRs) == 0 && len(seed.Default) == 0 {
		return decision{settled: true}
	}
	return decision{verb: remove}
}

func decideList(w *render.Wanted, c *Cluster) decision {
	switch {
	case c.Spec.ExposeStrategy != render.ExposeLoadBalancer:
		return decision{state: unsupported(w, c)}
	case ours(c) && sameAddresses(liveList(c).CIDRs, w.List):
		return decision{settled: true}
	case ours(c) && w.OutdatedBy(liveList(c).CIDRs):
		return decision{replan: true, state: say(Pending, "the leader before wrote a newer list: planning again")}
	}
	return decision{verb: write}
}

func unsupported(w *render.Wanted, c *Cluster) ClusterState {
	if w.Held != nil {
		held := say(Held, "%s", w.Held.Message)
		held.Beneath, held.Unsupported = Waiting, true
		return held
	}
	st := say(Waiting, "expose strategy is %s: KKP restricts LoadBalancer only; the list is written once that is the strategy", c.Spec.ExposeStrategy)
	st.Unsupported = true
	return st
}
