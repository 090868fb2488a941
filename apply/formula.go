package apply

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/portcullis-gitops/portcullis/render"
)

const (
	// serviceName is that of the Service KKP makes for each cluster that is
	// exposed by LoadBalancer, in the cluster's namespace.
	serviceName = "front-loadbalancer"
	// rangesAnnotation is written by KKP beside the field, joined with ",".
	rangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges"
)

// serviceRanges is KKP's formula (kubermatic/kubermatic v2.31): the Seed's
// source ranges; then, where the Cluster's field is set, be it to an empty
// list, its blocks and the Seed's default ranges; each string once, sorted as
// strings. Without any, the load balancer lets everyone in.
func serviceRanges(seed render.SeedRanges, live render.Live) []string {
	ranges := slices.Clone(seed.Source)
	if live.Set {
		ranges = slices.Concat(ranges, live.CIDRs, seed.Default)
	}
	slices.Sort(ranges)
	return slices.Compact(ranges)
}

// carries tells whether a Service has exactly these ranges, in its field and
// in its annotation. KKP writes both, and load balancers read one or the other.
func carries(svc *corev1.Service, ranges []string) bool {
	joined, annotated := svc.Annotations[rangesAnnotation]
	if annotated != (len(ranges) > 0) || joined != strings.Join(ranges, ",") {
		return false
	}
	return slices.Equal(svc.Spec.LoadBalancerSourceRanges, ranges)
}
