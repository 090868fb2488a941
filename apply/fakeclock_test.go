package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/render"
)

// oneCluster is a controller with one cluster, a clock that stands still until
// it is stepped, and an API server of a few lines: for what depends on time.
// What a real API server makes of the same writes is tried elsewhere.
type oneCluster struct {
	t        *testing.T
	ctl      *Controller
	clock    *clocktesting.FakePassiveClock
	api      *tinyServer
	recorder *record.FakeRecorder
	errors   []string // what was logged as one
	plan     *render.Plan
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const theCluster = "qvjdddt72t"

func newOneCluster(t *testing.T, list ...string) *oneCluster {
	t.Helper()
	o := &oneCluster{t: t, clock: clocktesting.NewFakePassiveClock(noon)}
	o.api = &tinyServer{clock: o.clock}
	cl := &Cluster{}
	cl.Name, cl.UID, cl.Generation, cl.ResourceVersion = theCluster, "uid-1", 1, "1"
	cl.Labels = map[string]string{projectLabel: "acmeproj01"}
	cl.Spec.ExposeStrategy, cl.Status.NamespaceName = render.ExposeLoadBalancer, "cluster-"+theCluster
	o.api.cluster = cl
	o.api.kkp()
	o.start(nil)
	o.want(list...)
	return o
}

// start begins a process anew, with what an earlier one left.
func (o *oneCluster) start(left map[string]Standing) {
	sink := funcr.New(func(_, args string) {
		if strings.Contains(args, `"logger"`) || !strings.Contains(args, `"level"`) {
			o.errors = append(o.errors, args)
		}
	}, funcr.Options{})
	o.recorder = record.NewFakeRecorder(1000)
	o.ctl = newController(o.api, Options{Clock: o.clock, Log: sink, Balancer: Balancer{Name: "azure"}})
	o.ctl.events = o.recorder
	o.ctl.said = func(string) []*corev1.Event { return o.api.events }
	o.ctl.Restore(left)
	if o.plan != nil {
		o.ctl.SetPlan(o.plan)
	}
}

// restart begins anew with what the state would have kept, as it is kept.
func (o *oneCluster) restart() {
	o.t.Helper()
	left := map[string]Standing{}
	if s := o.state().Standing; s != nil {
		text, err := json.Marshal(s)
		if err != nil {
			o.t.Fatal(err)
		}
		var kept Standing
		if err := json.Unmarshal(text, &kept); err != nil {
			o.t.Fatal(err)
		}
		left[theCluster] = kept
	}
	o.start(left)
}

// want plans a list; without one, open.
func (o *oneCluster) want(list ...string) {
	w := &render.Wanted{Cluster: theCluster, UID: string(o.api.cluster.UID), Access: render.Restricted,
		Claim: render.Claim{Source: "customers", Tenant: "acme", Path: "acme/production.yaml"}}
	for _, cidr := range list {
		w.List = append(w.List, netip.MustParsePrefix(cidr))
	}
	if len(list) == 0 {
		w.Access = render.Open
	}
	plan := render.Plan{Clusters: map[string]*render.Wanted{theCluster: w}}
	if o.plan != nil {
		plan.ByHand = o.plan.ByHand
	}
	o.plan = &plan
	o.ctl.SetPlan(o.plan)
}

// look has the cluster looked at once, and KKP do its part.
func (o *oneCluster) look() time.Duration {
	o.t.Helper()
	res, err := o.ctl.Reconcile(context.Background(), request(theCluster))
	if err != nil {
		o.t.Fatal(err)
	}
	return res.RequeueAfter
}

// settle looks until KKP has nothing to do any more.
func (o *oneCluster) settle() time.Duration {
	o.t.Helper()
	for range 5 {
		again := o.look()
		if !o.api.kkp() {
			return again
		}
	}
	o.t.Fatal("it does not come to rest")
	return 0
}

func (o *oneCluster) state() ClusterState { return o.ctl.States()[theCluster] }

func (o *oneCluster) wantState(state State, words ...string) {
	o.t.Helper()
	st := o.state()
	if st.State != state {
		o.t.Errorf("the cluster is %s (%s), not %s", st.State, st.Message, state)
	}
	said := strings.Join(append([]string{st.Message}, st.Standing.Problems()...), "; ")
	for _, word := range words {
		if !strings.Contains(said, word) {
			o.t.Errorf("%s does not say %q: %s", st.State, word, said)
		}
	}
}

func (o *oneCluster) wantLive(want ...string) {
	o.t.Helper()
	if got := liveList(o.api.cluster); !slices.Equal(got.CIDRs, want) {
		o.t.Errorf("the list is %v, not %v", got.CIDRs, want)
	}
}

// happened are the Events since it was last asked, "Warning ListRestored ...".
func (o *oneCluster) happened() []string {
	var out []string
	for {
		select {
		case e := <-o.recorder.Events:
			out = append(out, e)
		default:
			return out
		}
	}
}

func (o *oneCluster) wantEvents(want ...string) {
	o.t.Helper()
	got := o.happened()
	if len(got) != len(want) {
		o.t.Errorf("%d events, not %d: %q", len(got), len(want), got)
		return
	}
	for i := range want {
		for part := range strings.SplitSeq(want[i], "|") {
			if !strings.Contains(got[i], part) {
				o.t.Errorf("event %d does not say %q: %s", i, part, got[i])
			}
		}
	}
}

// tinyServer answers for one Cluster and its Service.
type tinyServer struct {
	client.Client // what is not needed panics
	clock         *clocktesting.FakePassiveClock
	cluster       *Cluster
	service       *corev1.Service
	events        []*corev1.Event
	writes        int
	template      []string // refills a list that is absent or empty
}

func (s *tinyServer) Get(_ context.Context, key client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	switch out := obj.(type) {
	case *Cluster:
		if s.cluster != nil {
			*out = *s.cluster.DeepCopyObject().(*Cluster)
			return nil
		}
	case *corev1.Service:
		if s.service != nil {
			s.service.DeepCopyInto(out)
			return nil
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{Resource: "things"}, key.Name)
}

// Patch does what server-side apply, or the removal, does to the list.
func (s *tinyServer) Patch(_ context.Context, obj client.Object, patch client.Patch, _ ...client.PatchOption) error {
	body, err := patch.Data(obj)
	if err != nil {
		return err
	}
	s.writes++
	if patch.Type() == types.JSONPatchType {
		s.set(nil, "", "")
	} else {
		var sent Cluster
		if err := json.Unmarshal(body, &sent); err != nil {
			return err
		}
		s.set(sent.Spec.AllowedIPRanges, Manager, metav1.ManagedFieldsOperationApply)
	}
	*obj.(*Cluster) = *s.cluster.DeepCopyObject().(*Cluster)
	return nil
}

// set stores a list with its owner, now.
func (s *tinyServer) set(list *AllowedIPRanges, by string, how metav1.ManagedFieldsOperationType) {
	if (list == nil || len(list.CIDRBlocks) == 0) && s.template != nil {
		list, by, how = &AllowedIPRanges{CIDRBlocks: s.template}, "kkp-webhook", metav1.ManagedFieldsOperationUpdate
	}
	next := s.cluster.DeepCopyObject().(*Cluster)
	next.Spec.AllowedIPRanges, next.ManagedFields = list, nil
	if by != "" && list != nil {
		next.ManagedFields = []metav1.ManagedFieldsEntry{managed(by, how, string(listOwned), s.clock.Now())}
	}
	s.replace(next)
}

func (s *tinyServer) replace(next *Cluster) {
	next.Generation++
	next.ResourceVersion = strconv.FormatInt(next.Generation, 10)
	s.cluster = next
}

// change changes anything else of the Cluster.
func (s *tinyServer) change(how func(*Cluster)) {
	next := s.cluster.DeepCopyObject().(*Cluster)
	how(next)
	s.replace(next)
}

// dashboard is a write of somebody else; absent is nil.
func (s *tinyServer) dashboard(list ...string) {
	s.byOther("kubermatic-api", &AllowedIPRanges{CIDRBlocks: slices.Clone(list)})
}

func (s *tinyServer) byOther(by string, list *AllowedIPRanges) {
	s.set(list, by, metav1.ManagedFieldsOperationUpdate)
}

// kkp makes the Service what KKP would, and tells whether it was another.
func (s *tinyServer) kkp() bool {
	ranges := serviceRanges(render.SeedRanges{}, liveList(s.cluster))
	if s.service != nil && carries(s.service, ranges) || s.cluster.Spec.Pause || s.cluster.DeletionTimestamp != nil {
		return false
	}
	svc := &corev1.Service{}
	svc.Name, svc.Namespace, svc.UID = serviceName, s.cluster.Status.NamespaceName, "svc-1"
	svc.Spec.LoadBalancerSourceRanges = ranges
	if len(ranges) > 0 {
		svc.Annotations = map[string]string{rangesAnnotation: strings.Join(ranges, ",")}
	}
	svc.ManagedFields = lastChange([]metav1.ManagedFieldsEntry{managed("kkp", metav1.ManagedFieldsOperationUpdate, `{"f:loadBalancerSourceRanges":{}}`, s.clock.Now())})
	s.service = svc
	return true
}

// says is an Event on the Service, now.
func (s *tinyServer) says(kind, reason, message string) {
	e := &corev1.Event{Type: kind, Reason: reason, Message: message}
	e.Name = fmt.Sprintf("front-loadbalancer.%d", len(s.events))
	e.LastTimestamp = metav1.NewTime(s.clock.Now())
	e.InvolvedObject.UID = s.service.UID
	s.events = append(s.events, e)
}

func (o *oneCluster) step(d time.Duration) { o.clock.SetTime(o.clock.Now().Add(d)) }
