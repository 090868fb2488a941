package apply

import (
	"fmt"
	"maps"
	"slices"

	"github.com/portcullis-gitops/portcullis/render"
)

// serviceTypeLoadBalancer is the value of apiServerServiceType, of a Seed's
// datacenter, that makes a second load balancer (kubermatic/kubermatic v2.31).
const serviceTypeLoadBalancer = "LoadBalancer"

// Notices are the ways around the lists that KKP leaves open on this seed, as
// far as the Seed is known: nothing that is written to a Cluster closes them.
// One line each, in the same order each time.
func (c *Controller) Notices() []string {
	around, known := c.seed.waysAround()
	out := []string{"Service apiserver-external of each cluster is a NodePort on the seed's nodes, which no list filters: " +
		"keep those ports from the outside by the nodes' firewall"}
	if len(around) > 0 {
		out = append(out, fmt.Sprintf("in datacenter %s, apiServerServiceType: LoadBalancer of the Seed gives each cluster a second load balancer without a list",
			some(around)))
	}
	if !known && c.seed.asked() {
		out = append(out, "whether datacenters have a second load balancer without a list (apiServerServiceType) is not known: the Seed could not be read (seedResource)")
	}
	return out
}

// logNotices logs the notices when they are new.
func (c *Controller) logNotices() {
	notices := c.Notices()
	c.mu.Lock()
	fresh := without(notices, c.noticed)
	c.noticed = notices
	c.mu.Unlock()
	for _, notice := range fresh {
		c.log.Info("There is a way around the lists", "notice", notice)
	}
}

// asked tells whether it is known by now if the Seed can be read. Before, at a
// start, nothing is missing yet.
func (s *seedWatch) asked() bool {
	select {
	case <-s.tried:
		return true
	default:
		return false
	}
}

func (s *seedWatch) waysAround() (datacenters []string, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.around, s.read
}

// waysAround are the datacenters of a Seed whose clusters get a second load
// balancer, sorted.
func waysAround(seed *Seed) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(seed.Spec.Datacenters)) {
		if seed.Spec.Datacenters[name].Spec.APIServerServiceType == serviceTypeLoadBalancer {
			out = append(out, name)
		}
	}
	return out
}

// refilledBy says where to look when something else is stored than was sent:
// KKP fills an absent or empty list from the Seed's cluster template, each time.
func (c *Controller) refilledBy(w *render.Wanted) string {
	if template := c.seed.templateName(); template != "" && w.Access == render.Open {
		return "the cluster template " + clip(template, 100) + " (defaultClusterTemplate of the Seed) refills it: take the ranges out of the template"
	}
	return "look for a cluster template of the Seed, or a webhook"
}

func (s *seedWatch) templateName() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.template
}
