package chart_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	kubeclient "k8s.io/client-go/kubernetes"
)

// may is all that the account may do: verbs by resource, place and name. A star
// for a name: whatever the name. What anybody may who is known to the API server
// is at the end.
var may = map[string]string{
	"kubermatic.k8c.io/clusters * *":                    "list watch patch",
	"/services * front-loadbalancer":                    "list watch",
	"/events * *":                                       "list watch",
	"/events default *":                                 "create patch",
	"/events lists *":                                   "create",
	"/configmaps lists *":                               "get list create update",
	"/configmaps lists portcullis-approvals":            "watch",
	"coordination.k8s.io/leases lists *":                "create",
	"coordination.k8s.io/leases lists portcullis":       "get update",
	"kubermatic.k8c.io/seeds kubermatic eu-west":        "list watch",
	"/namespaces lists lists":                           "get", // rbac.outside
	"authorization.k8s.io/selfsubjectaccessreviews * *": "create",
	"authorization.k8s.io/selfsubjectrulesreviews * *":  "create",
	"certificates.k8s.io/clustertrustbundles * *":       "get list watch",
	"authentication.k8s.io/selfsubjectreviews * *":      "create",
}

var (
	places  = []string{"lists", "default", "kubermatic", "cluster-qvjdddt72t", "kube-system"}
	special = []string{"", "another", "front-loadbalancer", "portcullis-approvals", "portcullis", "eu-west", "lists"}
	asked   = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate"}
)

func allowed(verb, resource, place, name string) bool {
	for _, at := range []string{"*", place} {
		for _, as := range []string{"*", name} {
			if slices.Contains(strings.Fields(may[resource+" "+at+" "+as]), verb) {
				return true
			}
		}
	}
	return false
}

// rights asks the API server about every verb on every resource that it
// serves, in places where the account has business and where it has none.
func (h *house) rights() {
	clients, err := kubeclient.NewForConfig(h.Seed.Plane.Config)
	h.must(err)
	resources := served(h.t, clients.Discovery())
	questions := make(chan authorizationv1.ResourceAttributes)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for q := range questions {
				h.ask(clients, q)
			}
		})
	}
	count := 0
	for _, r := range resources {
		for _, place := range places {
			for _, name := range special {
				// What is named by no rule at all need not be asked under each name.
				if name != "" && !strings.Contains(strings.Join(keys(may), " "), r.Group+"/"+r.Resource+" ") {
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
	if count < 3000 {
		h.t.Errorf("only %d questions were asked", count)
	}
}

func (h *house) ask(clients kubeclient.Interface, q authorizationv1.ResourceAttributes) {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + namespace + ":" + account,
		Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
		ResourceAttributes: &q,
	}}
	answer, err := clients.AuthorizationV1().SubjectAccessReviews().Create(h.ctx, review, metav1.CreateOptions{})
	if err != nil {
		h.t.Error(err)
		return
	}
	resource := q.Group + "/" + q.Resource
	if q.Subresource != "" {
		resource += "/" + q.Subresource
	}
	if want := allowed(q.Verb, resource, q.Namespace, q.Name); answer.Status.Allowed != want {
		h.t.Errorf("%s %s in %s, named %q: allowed: %v, want %v", q.Verb, resource, q.Namespace, q.Name, answer.Status.Allowed, want)
	}
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
