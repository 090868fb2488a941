package chart_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestWhatIsSelected: what names pods, ports and Services by a selector finds
// them, and leaves another release's alone. Nothing else would tell: a selector
// of nothing is valid.
func TestWhatIsSelected(t *testing.T) {
	t.Parallel()
	list := rendered(t, "--values", filepath.Join(chart, "examples", "oauth2-proxy.yaml"),
		"--set", "webhook.enabled=true,metrics.serviceMonitor.enabled=true,podLabels.team=net")
	pod := the[appsv1.Deployment](t, list, "Deployment", "portcullis").Spec.Template
	ours, theirs := labels.Set(pod.Labels), labels.Set(maps.Clone(pod.Labels))
	theirs["app.kubernetes.io/instance"] = "another"
	finds := func(what string, s labels.Selector) {
		t.Helper()
		if s.Empty() || !s.Matches(ours) || s.Matches(theirs) {
			t.Errorf("%s selects pods by %q, and the pods have %v", what, s, ours)
		}
	}
	of := func(s *metav1.LabelSelector) labels.Selector {
		return must[labels.Selector](t)(metav1.LabelSelectorAsSelector(s))
	}
	finds("the Deployment", of(the[appsv1.Deployment](t, list, "Deployment", "portcullis").Spec.Selector))
	finds("the disruption budget", of(the[policyv1.PodDisruptionBudget](t, list, "PodDisruptionBudget", "portcullis").Spec.Selector))
	finds("the network policy", of(&the[networkingv1.NetworkPolicy](t, list, "NetworkPolicy", "portcullis").Spec.PodSelector))
	for _, name := range []string{"metrics", "webhook", "webhook-peers", "console"} {
		service := the[corev1.Service](t, list, "Service", "portcullis-"+name)
		finds("the Service "+service.Name, labels.SelectorFromSet(service.Spec.Selector))
		if port := service.Spec.Ports[0].TargetPort; !slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool { return opens(c, port) }) {
			t.Errorf("no container opens %s of the Service %s", port.String(), service.Name)
		}
	}
	monitor := the[struct {
		Spec struct {
			Selector  metav1.LabelSelector `json:"selector"`
			Endpoints []struct {
				Port string `json:"port"`
			} `json:"endpoints"`
		} `json:"spec"`
	}](t, list, "ServiceMonitor", "portcullis").Spec
	metrics := the[corev1.Service](t, list, "Service", "portcullis-metrics")
	for _, o := range list {
		if o.GetKind() == "Service" && of(&monitor.Selector).Matches(labels.Set(o.GetLabels())) != (o.GetName() == metrics.Name) {
			t.Errorf("the monitor selects %v; the Service %s has %v", monitor.Selector, o.GetName(), o.GetLabels())
		}
	}
	if len(monitor.Endpoints) != 1 || monitor.Endpoints[0].Port != metrics.Spec.Ports[0].Name {
		t.Errorf("the monitor asks the ports %v", monitor.Endpoints)
	}
}

func opens(c corev1.Container, port intstr.IntOrString) bool {
	return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
		return port.Type == intstr.String && p.Name == port.StrVal || port.Type == intstr.Int && p.ContainerPort == port.IntVal
	})
}

// TestWhatIsLetIn: the network policy lets in what is served to others, and
// nothing else: not the pages, not the probes.
func TestWhatIsLetIn(t *testing.T) {
	t.Parallel()
	ports := func(list []*unstructured.Unstructured) (out []int) {
		for _, rule := range the[networkingv1.NetworkPolicy](t, list, "NetworkPolicy", "portcullis").Spec.Ingress {
			for _, p := range rule.Ports {
				out = append(out, p.Port.IntValue())
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		args []string
		want []int
	}{
		"by default":                 {nil, []int{8080}},
		"pages at the pod's address": {[]string{"--set", "console.address=:8082"}, []int{8080}},
		"pages behind their Service": {[]string{"--set", "console.address=:8082,console.service.enabled=true,console.service.targetPort=8082"}, []int{8080, 8082}},
		"webhooks, pages by a proxy": {[]string{"--set", "webhook.enabled=true", "--values", filepath.Join(chart, "examples", "oauth2-proxy.yaml")}, []int{8080, 9443, 4180}},
	} {
		if got := ports(rendered(t, c.args...)); !slices.Equal(got, c.want) {
			t.Errorf("%s: ports %v, want %v", name, got, c.want)
		}
	}
}
