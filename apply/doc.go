// Package apply brings a render.Plan into one seed: it writes the allowlists of
// KKP's Clusters, keeps them as they are wanted, and knows how each one stands.
// It knows nothing of Git; a Plan is all it is told, and it can be told a new
// one at any time.
//
// # What it writes
//
// One field, spec.apiServerAllowedIPRanges of a Cluster, by server-side apply
// as field manager "portcullis", or by a JSON patch that removes it where a
// plan says open. Each write names the UID of the object the plan was made
// for, so that a Cluster made anew under an old name is never touched. Only
// canonical prefixes leave this package, and never an empty list. Besides:
// Events on a Cluster whose list somebody else changed, or does not follow Git,
// or lost an entry whose time was over, and the state, in
// ConfigMaps of a namespace of its own (Store).
//
// # When it writes
//
// Level by level, not edge by edge: whatever wakes it, it compares what is
// wanted now with what is there now. Nothing is sent where the addresses are
// the same, each live value is canonical and the field is ours. What wakes it:
//
//   - SetPlan, for the clusters of which something else is wanted than before;
//   - a watch, for the Cluster, its Service front-loadbalancer or the Seed;
//   - time, for writes that failed and are worth another try.
//
// With nothing changed no request is made, the watches aside.
//
// # Who else writes
//
// A list that was in force and is another is a foreign write, whoever made it:
// also one under our own field manager that this process did not send, which
// is another installation's. It is put right at once, with an Event, and
// stands as a problem of the cluster for 24 hours after the last one, whatever
// Git says meanwhile (Standing). Six within 10 minutes are a fight: the cluster
// is Contested until 10 minutes pass without. Then a list that may let in more
// than the wanted one, absent and [] among them, is put right 5 seconds after
// the last time, and any other 5 minutes after it. What is new in Git is written
// over our own list at once.
//
// What the plan's ByHand grants, a list set by hand under the annotation
// portcullis.dev/pause-until, is left there: Held, until the annotation's time
// or the grant's, counted from the first such write. It can be had again once
// the list in Git has been on the Service: another expose strategy, access:
// unmanaged or a plan without the cluster end it as little as they renew it.
//
// A list of ours that is overwritten is remembered from the first look at the
// Clusters on, by a standby as well, until ours is there again: Inventory says
// which list was the last one of ours (render.Cluster.Ours), so that a process
// that cannot read any file yet knows what to put right. What was overwritten
// between two leaders is a foreign write to the next one.
//
// # What others say
//
// Warning Events on the Service and status.errorReason of the Cluster stand as
// problems too. Those of the balancer go when it says that it is done, or when
// ranges or status of the Service change after them; KKP's with the field. They
// speak against a list (ClusterState.Trouble), and fail the check that set it:
// the balancer's where the Service carries the list, or since the list was
// written; KKP's since the list was written, unless it was there already when
// this process looked first. That a balancer ignores the ranges speaks against
// the list unless it is known of its profile, where a rule has said it.
//
// # Joining it up
//
//	cached := apply.CacheOptions()
//	_ = apply.WatchQuickly(&cached, cfg)
//	mgr, _ := ctrl.NewManager(cfg, ctrl.Options{Scheme: scheme, Cache: cached})
//	c, _ := apply.Add(mgr, apply.Options{Rate: 20})
//	go mgr.Start(ctx)
//	for {
//		inventory, _ := c.Inventory(ctx)
//		c.SetPlan(render.Render(..., inventory, now))
//		select {
//		case <-c.News():     // plan anew
//		case <-c.Outcomes(): // look at c.States()
//		}
//	}
//
// The rest.Config must not limit requests by itself (QPS: -1), else its limit
// and not Options.Rate decides. What its user needs is in
// deploy/manifests/rbac-reconciler.yaml; without the rights to read the Seed and
// Events, it goes on without what these say.
package apply
