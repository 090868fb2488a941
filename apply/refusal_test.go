package apply_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"k8s.io/client-go/rest"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// refuse makes a policy that refuses lists on clusters with this label.
func (s *seed) refuse(label, words string) *admissionv1.ValidatingAdmissionPolicy {
	s.t.Helper()
	policy := &admissionv1.ValidatingAdmissionPolicy{}
	policy.Name = "refuse-" + label
	policy.Spec.MatchConstraints = &admissionv1.MatchResources{ResourceRules: clusterRules()}
	policy.Spec.Validations = []admissionv1.Validation{{
		Expression: fmt.Sprintf("!('%s' in object.metadata.labels) || !has(object.spec.apiServerAllowedIPRanges)", label),
		Message:    words,
	}}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{}
	binding.Name = policy.Name
	binding.Spec.PolicyName = policy.Name
	binding.Spec.ValidationActions = []admissionv1.ValidationAction{admissionv1.Deny}
	s.make(policy, binding)
	s.dryRun("the policy is not in force yet", func(err error) bool { return err != nil }, kkp.WithLabel(label, ""), kkp.WithList("192.0.2.0/24"))
	return policy
}

func clusterRules() []admissionv1.NamedRuleWithOperations {
	var rule admissionv1.NamedRuleWithOperations
	rule.Operations = []admissionv1.OperationType{admissionv1.Create, admissionv1.Update}
	rule.Rule = admissionv1.Rule{APIGroups: []string{"kubermatic.k8c.io"}, APIVersions: []string{"v1"}, Resources: []string{"clusters"}}
	return []admissionv1.NamedRuleWithOperations{rule}
}

func (s *seed) make(objects ...client.Object) {
	s.t.Helper()
	for _, obj := range objects {
		if err := s.client.Create(context.Background(), obj); err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { s.client.Delete(context.Background(), obj) }) //nolint:errcheck // the plane ends too
	}
}

// dryRun tries to create a cluster until the answer is as it should be.
func (s *seed) dryRun(not string, ok func(error) bool, options ...kkp.Option) {
	s.t.Helper()
	eventually(s.t, func() error {
		err := s.client.Create(context.Background(), kkp.NewCluster(newID(), "project-1", options...), client.DryRunAll)
		if !ok(err) {
			return fmt.Errorf("%s: %w", not, err)
		}
		return nil
	})
}

func TestRefusalOfThePolicyIsToldInItsWords(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	policy := s.refuse("test-refused", "the CNI version is no longer supported")
	cluster := s.create(kkp.WithLabel("test-refused", ""))
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	if got := s.wait(id, apply.Rejected); got != "the admission policy refuse-test-refused refused the write: the CNI version is no longer supported" {
		t.Errorf("Rejected says %q", got)
	}
	if n := s.requests.writes(id); n != 1 {
		t.Errorf("%d writes that are refused", n)
	}

	// News of the cluster that change nothing about it are no reason to try.
	ctx := context.Background()
	other := s.create()
	if err := kkp.Update(ctx, s.client, id, kkp.WithLabel("colour", "blue")); err != nil {
		t.Fatal(err)
	}
	s.plan(restricted(other, "203.0.113.0/24"))
	s.wait(other.GetName(), apply.Synced)
	if n := s.requests.writes(id); n != 1 {
		t.Errorf("%d writes: tried again without reason", n)
	}

	// Once the reason is gone, a change of the object is.
	if err := s.client.Delete(ctx, policy); err != nil {
		t.Fatal(err)
	}
	s.dryRun("the policy is still in force", func(err error) bool { return err == nil }, kkp.WithLabel("test-refused", ""), kkp.WithList("192.0.2.0/24"))
	if err := kkp.Update(ctx, s.client, id, kkp.WithName("mended")); err != nil {
		t.Fatal(err)
	}
	s.wait(id, apply.Synced)
}

func TestListThatIsStoredOtherwiseIsNoHotLoop(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	policy := &admissionv1.MutatingAdmissionPolicy{}
	policy.Name = "refill-list"
	policy.Spec.MatchConstraints = &admissionv1.MatchResources{ResourceRules: clusterRules()}
	policy.Spec.MatchConditions = []admissionv1.MatchCondition{{Name: "labelled", Expression: "'test-refilled' in object.metadata.labels"}}
	policy.Spec.ReinvocationPolicy = admissionv1.NeverReinvocationPolicy
	policy.Spec.Mutations = []admissionv1.Mutation{{PatchType: admissionv1.PatchTypeJSONPatch, JSONPatch: &admissionv1.JSONPatch{
		Expression: `[JSONPatch{op: "add", path: "/spec/apiServerAllowedIPRanges", value: {"cidrBlocks": ["192.0.2.0/24"]}}]`,
	}}}
	binding := &admissionv1.MutatingAdmissionPolicyBinding{}
	binding.Name = policy.Name
	binding.Spec.PolicyName = policy.Name
	s.make(policy, binding)
	eventually(t, func() error {
		probe := kkp.NewCluster(newID(), "project-1", kkp.WithLabel("test-refilled", ""))
		if err := s.client.Create(context.Background(), probe, client.DryRunAll); err != nil {
			return err
		}
		if list, _ := kkp.List(probe); len(list) == 0 {
			return fmt.Errorf("the policy is not in force yet")
		}
		return nil
	})

	cluster := s.create(kkp.WithLabel("test-refilled", ""))
	id := cluster.GetName()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	if got := s.wait(id, apply.Rejected); !strings.Contains(got, "stored something else than was sent: 192.0.2.0/24") {
		t.Errorf("Rejected says %q", got)
	}
	other := s.create()
	s.plan(restricted(other, "203.0.113.0/24"))
	s.wait(other.GetName(), apply.Synced)
	if n := s.requests.writes(id); n != 1 {
		t.Errorf("%d writes of a list that is stored otherwise", n)
	}
}

func TestMissingRightIsToldWithItsRemedy(t *testing.T) {
	t.Parallel()
	s := startAs(t, readerConfig(t), apply.Options{})
	cluster := s.create()
	s.plan(restricted(cluster, "203.0.113.0/24"))
	if got := s.wait(cluster.GetName(), apply.Rejected); !strings.Contains(got, "grant") || !strings.Contains(got, "clusters.kubermatic.k8c.io") {
		t.Errorf("Rejected says %q", got)
	}
}

// readerConfig is the connection of a user who may read, and nothing else.
func readerConfig(t *testing.T) *rest.Config {
	t.Helper()
	c, name := admin(t), "reader-"+newID()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{"", "kubermatic.k8c.io"}, Resources: []string{"clusters", "services"}, Verbs: []string{"get", "list", "watch"},
	}}}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: name}},
	}
	for _, obj := range []client.Object{role, binding} {
		if err := c.Create(context.Background(), obj); err != nil {
			t.Fatal(err)
		}
	}
	cfg := needPlane(t)
	cfg.Impersonate.UserName = name
	return cfg
}

func TestTroubleOfTheAPIServerIsRiddenOut(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*http.Request) *http.Response{
		"unavailable": unavailable,
		"too many requests, with a time to wait": func(req *http.Request) *http.Response {
			res := answer(req, http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, "too many requests")
			res.Header.Set("Retry-After", "1")
			return res
		},
		"a webhook that does not answer": func(req *http.Request) *http.Response {
			return answer(req, http.StatusInternalServerError, metav1.StatusReasonInternalError,
				`failed calling webhook "clusters.kubermatic.k8c.io": context deadline exceeded`)
		},
		"an answer that is no answer": func(req *http.Request) *http.Response {
			return &http.Response{StatusCode: http.StatusBadGateway, Request: req, Header: http.Header{"Content-Type": {"text/html"}},
				Body: io.NopCloser(strings.NewReader("<html>bad gateway</html>"))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, apply.Options{})
			cluster := s.create()
			id := cluster.GetName()
			var failed atomic.Int32
			s.requests.failing(func(req *http.Request) *http.Response {
				if req.Method != http.MethodPatch || failed.Add(1) > 2 {
					return nil
				}
				return trouble(req)
			})
			s.plan(restricted(cluster, "203.0.113.0/24"))
			s.wait(id, apply.Synced)
			if failed.Load() < 3 {
				t.Errorf("%d writes failed", failed.Load())
			}
		})
	}
}

func TestPendingSaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	id := cluster.GetName()
	s.requests.failing(unavailable)
	s.plan(restricted(cluster, "203.0.113.0/24"))
	eventually(t, func() error {
		st := s.ctl.States()[id]
		if st.State != apply.Pending || !strings.Contains(st.Message, "not written yet: ") || !strings.Contains(st.Message, "leader changed") {
			return fmt.Errorf("%s: %s", st.State, st.Message)
		}
		return nil
	})
	s.requests.failing(nil)
	s.wait(id, apply.Synced)
}

func TestConflictPlansAgain(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create()
	eventuallyKnown(t, s, cluster)
	s.news()
	s.requests.failing(func(req *http.Request) *http.Response {
		if req.Method != http.MethodPatch {
			return nil
		}
		return answer(req, http.StatusConflict, metav1.StatusReasonConflict, "uid mismatch")
	})
	s.plan(restricted(cluster, "203.0.113.0/24"))
	s.wait(cluster.GetName(), apply.Missing)
	s.news()
}

func TestWhatMustNotBeWrittenIsNot(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	empty, unmasked := s.create(), s.create()
	w := wanted(unmasked, render.Restricted)
	w.List = append(w.List, prefix("203.0.113.7/24"))
	s.plan(wanted(empty, render.Restricted), w)
	for _, id := range []string{empty.GetName(), unmasked.GetName()} {
		s.wait(id, apply.Rejected)
		s.live(id, nil)
		if n := s.requests.writes(id); n != 0 {
			t.Errorf("%d writes to %s", n, id)
		}
	}
}

// A JSON patch whose tests fail must change nothing, and be tried again with
// what is there then.
func TestRemovalOfWhatChangedMeanwhileIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := start(t, apply.Options{})
	cluster := s.create(kkp.WithList("192.0.2.0/24"))
	id := cluster.GetName()
	var once atomic.Bool
	s.requests.failing(func(req *http.Request) *http.Response {
		if req.Method == http.MethodPatch && strings.HasSuffix(req.URL.Path, id) && once.CompareAndSwap(false, true) {
			label := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"colour":"blue"}}}`))
			if err := s.client.Patch(context.Background(), cluster.DeepCopy(), label); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	s.plan(wanted(cluster, render.Open))
	s.wait(id, apply.Synced)
	s.live(id, nil)
	if n := s.requests.writes(id); n < 2 {
		t.Errorf("%d writes: the first one should have failed", n)
	}
}

// answer is one of the API server, in its form.
func answer(req *http.Request, code int32, reason metav1.StatusReason, message string) *http.Response {
	body, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Reason: reason, Message: message, Code: code,
	})
	if err != nil {
		panic(err)
	}
	return &http.Response{
		StatusCode: int(code), Request: req, Body: io.NopCloser(strings.NewReader(string(body))),
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// unavailable answers writes to Clusters as an API server in trouble does.
func unavailable(req *http.Request) *http.Response {
	if req.Method != http.MethodPatch {
		return nil
	}
	return answer(req, http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "etcdserver: leader changed")
}
