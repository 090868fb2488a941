package apply

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/portcullis-gitops/portcullis/render"
)

// While no reconciler runs, a list that somebody else set is told of, and not
// left out: that is when an operator asks.
func TestWhatIsNotPutRightIsObserved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*oneCluster)
		kept    bool
		state   State // empty: it is not told of
		message string
	}{
		"opened in the dashboard": {func(o *oneCluster) { o.api.dashboard("0.0.0.0/0") }, true, Pending, "kubermatic-api had set the list to 0.0.0.0/0: it is not put right yet"},
		"removed":                 {func(o *oneCluster) { o.api.byOther("kubermatic-api", nil) }, true, Pending, "the list is not there: it is not written yet, or somebody removed it"},
		"not by a load balancer": {func(o *oneCluster) {
			o.api.byOther("kubermatic-api", nil)
			o.api.change(func(cl *Cluster) { cl.Spec.ExposeStrategy = "NodePort" })
		}, true, Waiting, "expose strategy is NodePort: KKP restricts LoadBalancer only; the list is written once that is the strategy"},
		"made anew": {func(o *oneCluster) {
			o.api.dashboard("0.0.0.0/0")
			o.api.change(func(cl *Cluster) { cl.UID = "another" })
		}, true, "", ""},
		"nobody's": {func(o *oneCluster) { o.api.dashboard("0.0.0.0/0") }, false, "", ""},
		"ours":     {func(*oneCluster) {}, true, Synced, "handed to the load balancer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOneCluster(t, "203.0.113.0/24")
			o.settle()
			s := SourceState{Accepted: "a1"}
			if cl := o.api.cluster; c.kept {
				s.Kept = map[string][]string{"acme": {render.KeptAs(cl.Name, string(cl.UID), cl.Labels[projectLabel])}}
			}
			c.change(o)
			services := map[string]*corev1.Service{o.api.cluster.Status.NamespaceName: o.api.service}
			seen := observe([]Cluster{*o.api.cluster}, services, map[string]SourceState{"customers": s})
			switch {
			case c.state == "" && len(seen) == 0:
			case len(seen) != 1 || seen[0].State != c.state || seen[0].Message != c.message:
				t.Errorf("it is observed as %+v", seen)
			}
		})
	}
}
