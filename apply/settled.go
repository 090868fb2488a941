package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/render"
)

// settledState is the state of a Cluster that carries what is wanted: how far
// KKP has come with it.
func (c *Controller) settledState(ctx context.Context, w *render.Wanted, cl *Cluster, m *memory) (ClusterState, error) {
	st, err := c.progress(ctx, w, cl, m)
	if err != nil || w.Held == nil {
		return st, err
	}
	held := say(Held, "%s", w.Held.Message)
	held.Beneath, held.Unsupported, held.Trouble = st.State, st.Unsupported, st.Trouble
	return held, nil
}

// progress is how far the list on the Cluster has come, be it held or not.
func (c *Controller) progress(ctx context.Context, w *render.Wanted, cl *Cluster, m *memory) (ClusterState, error) {
	c.listenToKKP(cl, m)
	if st, done := withoutService(cl); done {
		m.deaf(st.Unsupported)
		return st, nil
	}
	svc, err := c.service(ctx, cl.Status.NamespaceName)
	if err != nil {
		return ClusterState{}, err
	}
	if m.deaf(svc == nil); svc != nil {
		m.listen(c.said(svc.Namespace), svc)
	}
	seed := c.seed.last()
	ranges := serviceRanges(seed, liveList(cl))
	carried := svc != nil && carries(svc, ranges)
	st := say(Applied, "%s%s", lagging(svc, ranges, cl, seed), migrating(cl))
	if carried {
		st = say(Synced, "%s%s", c.handedOver(w, cl, &m.standing), migrating(cl))
	}
	st.Trouble = m.standing.fails(carried, c.balancer.Load().Ignores, written(cl))
	return st, nil
}

// migrationLabel lets KKP's operators change the expose strategy of a Cluster
// (kubermatic/kubermatic v2.31); project users can set it too.
const migrationLabel = "unsafe-expose-strategy-migration"

// migrating says, of a Cluster that is to leave its load balancer or came to
// it that way, what becomes of its list: nothing, by a label.
func migrating(cl *Cluster) string {
	if _, marked := cl.Labels[migrationLabel]; !marked || len(liveList(cl).CIDRs) == 0 {
		return ""
	}
	return "; the label " + migrationLabel + " releases nothing: to leave LoadBalancer, say access: open in Git first"
}

// withoutService answers the states that do not depend on the Service.
func withoutService(cl *Cluster) (ClusterState, bool) {
	switch {
	case cl.Spec.ExposeStrategy != render.ExposeLoadBalancer:
		st := say(Waiting, "expose strategy is %s: KKP restricts LoadBalancer only", cl.Spec.ExposeStrategy)
		st.Unsupported = true
		return st, true
	case cl.Spec.Pause:
		return say(Waiting, "written; the cluster is paused%s: KKP carries it out once it is resumed", because(cl.Spec.PauseReason)), true
	case cl.Status.NamespaceName == "":
		return say(Waiting, "written; KKP has not made the cluster's namespace yet"), true
	}
	return ClusterState{}, false
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + clip(reason, 100) + ")"
}

// service reads front-loadbalancer from the cache; nil if it is not there.
func (c *Controller) service(ctx context.Context, namespace string) (*corev1.Service, error) {
	svc := &corev1.Service{}
	err := c.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: serviceName}, svc)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("get service %s/%s from the cache: %w", namespace, serviceName, err)
	}
	if err != nil {
		return nil, nil
	}
	return svc, nil
}

// handedOver claims no more than is known: that KKP gave the list to the load
// balancer, not that the load balancer heeds it.
func (c *Controller) handedOver(w *render.Wanted, cl *Cluster, s *Standing) string {
	balancer := c.balancer.Load()
	to := balancer.words()
	switch {
	case w.Access == render.Open && liveList(cl).Set:
		return "open: handed to " + to + " without a list; the empty one on the Cluster ([]), as a save in the dashboard leaves it, lets in the same"
	case w.Access == render.Open:
		return "open: handed to " + to + " without a list"
	case s.Ignored != nil && !balancer.Ignores:
		return "not enforced: " + to + " says " + s.Ignored.Reason
	}
	return balancer.handedTo()
}

// lagging says what keeps the Service from carrying the list, as far as that
// can be told.
func lagging(svc *corev1.Service, ranges []string, cl *Cluster, seed render.SeedRanges) string {
	text := "written; Service " + serviceName + " does not carry it yet"
	if svc == nil {
		text = "written; KKP has not made Service " + serviceName + " yet"
	}
	if cl.Status.ErrorReason != "" {
		text += fmt.Sprintf("; KKP says %s: %s", cl.Status.ErrorReason, cl.Status.ErrorMessage)
	}
	if more := beyond(svc, ranges); len(more) > 0 && !seed.Known {
		text += "; it also carries " + some(more) + ", and the Seed's own ranges are not known (seedResource)"
	}
	return text
}

// beyond are the ranges of a Service that the formula does not explain.
func beyond(svc *corev1.Service, ranges []string) []string {
	if svc == nil {
		return nil
	}
	return without(svc.Spec.LoadBalancerSourceRanges, ranges)
}

// without is list less what is in others.
func without(list, others []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(others, s) {
			out = append(out, s)
		}
	}
	return out
}

// some shows the first of many values.
func some(values []string) string {
	const shown = 8
	if len(values) <= shown {
		return strings.Join(values, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(values[:shown], ", "), len(values)-shown)
}
