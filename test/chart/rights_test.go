package chart_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	kubeclient "k8s.io/client-go/kubernetes"
)

// mayDo are verbs by resource, place and name. A star for a name: whatever the
// name.
type mayDo map[string]string

// The account's rights are all that it may do.
func accountMay() mayDo {
	return mayDo{
		"kubermatic.k8c.io/clusters * *":              "list watch patch",
		"/services * front-loadbalancer":              "list watch",
		"/events * *":                                 "list watch",
		"/events default *":                           "create patch",
		"/events lists *":                             "create",
		"/configmaps lists *":                         "get list create update",
		"/configmaps lists portcullis-approvals":      "watch",
		"coordination.k8s.io/leases lists *":          "create",
		"coordination.k8s.io/leases lists portcullis": "get update",
		"kubermatic.k8c.io/seeds kubermatic eu-west":  "list watch",
	}
}

// everybodyMay is what anybody may who is known to the API server.
func everybodyMay() mayDo {
	return mayDo{
		"authorization.k8s.io/selfsubjectaccessreviews * *": "create",
		"authorization.k8s.io/selfsubjectrulesreviews * *":  "create",
		"authentication.k8s.io/selfsubjectreviews * *":      "create",
	}
}

func (m mayDo) and(others ...mayDo) mayDo {
	out := maps.Clone(m)
	for _, other := range others {
		maps.Copy(out, other)
	}
	return out
}

// subject is somebody, with all that optional parts of the chart grant them.
type subject struct {
	user   string
	groups []string
	always mayDo // whatever is switched on
	parts  mayDo // with rbac.operator, rbac.reader and rbac.outside
}

func subjects() []subject {
	return []subject{
		{"system:serviceaccount:" + namespace + ":" + account, []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
			accountMay().and(everybodyMay(), mayDo{"certificates.k8s.io/clustertrustbundles * *": "get list watch"}),
			mayDo{"/namespaces lists lists": "get"}},
		{"ann", []string{"portcullis-operators", "system:authenticated"}, everybodyMay(), mayDo{
			"kubermatic.k8c.io/clusters * *":         "list",
			"/services * front-loadbalancer":         "list",
			"/configmaps lists *":                    "list",
			"/configmaps lists portcullis-approvals": "get update",
		}},
		{"bob", []string{"portcullis-readers", "system:authenticated"}, everybodyMay(), mayDo{
			"kubermatic.k8c.io/clusters * *":             "list",
			"kubermatic.k8c.io/seeds kubermatic eu-west": "get",
		}},
	}
}

var (
	places  = []string{"lists", "default", "kubermatic", "cluster-qvjdddt72t", "kube-system"}
	special = []string{"", "another", "front-loadbalancer", "portcullis-approvals", "portcullis", "eu-west", "lists"}
	asked   = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate"}
)

func (m mayDo) allows(verb, resource, place, name string) bool {
	for _, at := range []string{"*", place} {
		for _, as := range []string{"*", name} {
			if slices.Contains(strings.Fields(m[resource+" "+at+" "+as]), verb) {
				return true
			}
		}
	}
	return false
}

// rights asks the API server about everybody's rights, with all that is optional.
func (h *house) rights() {
	for _, s := range subjects() {
		h.hasRights(s, s.always.and(s.parts), func(string) bool { return true })
	}
}

// rightsSwitchedOff has the release without the optional rights, and asks again;
// they are back afterwards.
func (h *house) rightsSwitchedOff() {
	set := func(on bool) {
		_, err := helm(h.t, append([]string{"upgrade", release, chart, "--reuse-values", "--set",
			fmt.Sprintf("rbac.operator.enabled=%[1]v,rbac.reader.enabled=%[1]v,rbac.outside.enabled=%[1]v", on)}, h.helmed...)...)
		h.must(err)
	}
	set(false)
	h.await("the end of the operators' rights", func(ctx context.Context) error { // the authorizer learns of it by watch
		for _, s := range subjects() {
			for what, verbs := range s.parts {
				words := strings.Fields(what)
				group, resource, _ := strings.Cut(words[0], "/")
				allowed, err := h.allowed(s, authorizationv1.ResourceAttributes{Group: group, Resource: resource, Version: "*",
					Namespace: strings.Trim(words[1], "*"), Name: strings.Trim(words[2], "*"), Verb: strings.Fields(verbs)[0]})
				if err != nil || allowed && !s.always.allows(strings.Fields(verbs)[0], words[0], words[1], words[2]) {
					return fmt.Errorf("%s still may: %s %s (%w)", s.user, verbs, what, err)
				}
			}
		}
		return nil
	})
	switched := mayDo{}
	for _, s := range subjects() {
		switched = switched.and(s.parts)
	}
	for _, s := range subjects() {
		h.hasRights(s, s.always, switched.names)
	}
	approved := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "portcullis-approvals"}}
	h.must(h.Seed.Client.Create(h.ctx, approved)) // as an administrator's first `approve` does
	set(true)                                     // and it is left alone
	h.must(h.Seed.Client.Delete(h.ctx, approved))
	set(true) // the release's own again
}

// names tells whether there is a right to a resource, or to what is below it.
func (m mayDo) names(resource string) bool {
	return slices.ContainsFunc(keys(m), func(what string) bool { return strings.HasPrefix(what, resource+" ") })
}

// hasRights asks the API server about every verb on every resource that it serves
// and that is meant, in places where somebody has business and where they have
// none.
func (h *house) hasRights(s subject, may mayDo, meant func(resource string) bool) {
	clients, err := kubeclient.NewForConfig(h.Seed.Plane.Config)
	h.must(err)
	resources := served(h.t, clients.Discovery())
	questions := make(chan authorizationv1.ResourceAttributes)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for q := range questions {
				h.ask(s, may, q)
			}
		})
	}
	count := 0
	for _, r := range resources {
		if !meant(r.Group + "/" + r.Resource) {
			continue
		}
		for _, place := range places {
			for _, name := range special {
				// What is named by no rule at all need not be asked under each name.
				if name != "" && !may.names(r.Group+"/"+r.Resource) {
					continue
				}
				for _, verb := range asked {
					r.Verb, r.Name, r.Namespace = verb, name, place
					questions <- r
					count++
				}
			}
		}
	}
	close(questions)
	wait.Wait()
	if count < 500 {
		h.t.Errorf("only %d questions were asked", count)
	}
}

func (h *house) ask(s subject, may mayDo, q authorizationv1.ResourceAttributes) {
	allowed, err := h.allowed(s, q)
	if err != nil {
		h.t.Error(err)
		return
	}
	resource := q.Group + "/" + q.Resource
	if q.Subresource != "" {
		resource += "/" + q.Subresource
	}
	if want := may.allows(q.Verb, resource, q.Namespace, q.Name); allowed != want {
		h.t.Errorf("%s: %s %s in %s, named %q: allowed: %v, want %v", s.user, q.Verb, resource, q.Namespace, q.Name, allowed, want)
	}
}

func (h *house) allowed(s subject, q authorizationv1.ResourceAttributes) (bool, error) {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: s.user, Groups: s.groups, ResourceAttributes: &q}}
	err := h.Seed.Client.Create(h.ctx, review)
	return review.Status.Allowed, err
}

// served are all resources and subresources.
func served(t *testing.T, d discovery.DiscoveryInterface) []authorizationv1.ResourceAttributes {
	t.Helper()
	lists, err := d.ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	_, all, err := d.ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var out []authorizationv1.ResourceAttributes
	for _, list := range append(lists, all...) {
		group, version, ok := strings.Cut(list.GroupVersion, "/")
		if !ok {
			group, version = "", list.GroupVersion
		}
		for _, r := range list.APIResources {
			name, sub, _ := strings.Cut(r.Name, "/")
			if key := group + "/" + r.Name; !seen[key] {
				seen[key] = true
				out = append(out, authorizationv1.ResourceAttributes{Group: group, Version: version, Resource: name, Subresource: sub})
			}
		}
	}
	return out
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}
