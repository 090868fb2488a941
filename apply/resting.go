package apply

// Resting are the times by hand, by cluster, of clusters that are in no plan: a
// plan that has one again goes on from there, also one of a later process, to
// which it is given by Restore.
func (c *Controller) Resting() map[string]Standing {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out map[string]Standing // nil where there are none, as it is read back
	for id, s := range c.restored {
		if c.wanted[id] != nil || s.ByHand == nil {
			continue
		}
		if out == nil {
			out = map[string]Standing{}
		}
		out[id] = Standing{UID: s.UID, ByHand: s.ByHand}
	}
	return out
}
