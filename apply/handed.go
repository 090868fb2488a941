package apply

// Balancer is what the policy says of a seed's load balancer, as far as states
// tell of it. The zero value is one of which nothing is known.
type Balancer struct {
	// Name is that of its profile; empty: "the load balancer".
	Name string `json:"name,omitempty"`
	// Ignores says that it is known to ignore lists: states then say what a list
	// is worth there.
	Ignores bool `json:"ignores,omitempty"`
}

func (b Balancer) words() string {
	if b.Name == "" {
		return "the load balancer"
	}
	return b.Name
}

// handedTo is the message of a list that its Service carries. It claims no more
// than is known, never that the load balancer heeds the list.
func (b Balancer) handedTo() string {
	if b.Ignores {
		return "not enforced by " + b.words()
	}
	return "handed to " + b.words()
}

// SetBalancer says what the policy says by now; where that is new, all clusters
// are looked at again, for their states tell of it. Nothing is written to them.
func (c *Controller) SetBalancer(b Balancer) {
	if before := c.balancer.Swap(&b); *before != b {
		c.lookAtAll()
	}
}
