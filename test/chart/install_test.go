package chart_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubeclient "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// Nothing of the release under test has the names that the chart defaults to.
const (
	release   = "gate"
	namespace = "lists"
	account   = "gate-portcullis"
	patience  = 90 * time.Second
)

// switches are all that is off by default; the Service of the pages is in the
// example's values.
var switches = []string{"rbac.operator.enabled=true", "rbac.reader.enabled=true", "rbac.outside.enabled=true", "webhook.enabled=true",
	"admission.managedLists.enabled=true", "metrics.serviceMonitor.enabled=true", "metrics.alerts.enabled=true", "metrics.dashboard.enabled=true"}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// TestInstallation is the life of a release on a real API server.
func TestInstallation(t *testing.T) {
	t.Parallel()
	servers.Need(t, "etcd", "kube-apiserver", "helm")
	h := newHouse(t)
	h.part("every object is accepted", (*house).everyObject)
	h.install()
	h.part("another release beside it is refused", (*house).another)
	h.part("the pod keeps to the restricted standard", (*house).restricted)
	h.part("everybody's rights", (*house).rights)
	h.part("everybody's rights without what is optional", (*house).rightsSwitchedOff)
	_, err := h.Populate(h.ctx)
	h.must(err)
	h.must(h.Run.Start("--leader-elect"))
	h.await("the first sync", h.InForce(stage.ShopProd, stage.ProdList()...))
	h.change("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, owner: netops@acme.example, cidr: 192.0.2.96/28}\n    - group: vpn",
		stage.ShopDev, append(stage.StagingList(), "192.0.2.96/28"))
	h.part("an upgrade, and back", (*house).upgradeAndBack)
	h.part("the state from a backup", (*house).restore)
	h.part("the image takes over", (*house).image)
	h.part("uninstalling changes no list", (*house).uninstall)
}

// house is a seed with a release of the chart on it, and the reconciler with
// the release's files and under its account.
type house struct {
	*stage.Stage
	t      *testing.T
	ctx    context.Context
	dir    string
	helmed []string       // how helm reaches the seed, and the release's namespace
	token  string         // the account's
	before *stage.Process // that an image's container has taken over from
}

// part is a subtest, which fails by itself.
func (h *house) part(name string, run func(*house)) {
	h.t.Run(name, func(t *testing.T) {
		part := *h
		part.t = t
		run(&part)
	})
}

func newHouse(t *testing.T) *house {
	t.Helper()
	dir := t.TempDir()
	seed, err := stage.StartSeed(t.Context(), servers.ControlPlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, ctx: t.Context(), dir: dir}
	t.Cleanup(func() { h.must(seed.Stop()) })
	binary := filepath.Join(dir, "portcullis")
	h.command(exec.Command("go", "build", "-buildvcs=false", "-o", binary, root+"/cmd/portcullis"))
	h.Stage, err = stage.New(t.Context(), seed, stage.Options{Dir: dir, Binary: binary, HTTP: true})
	h.must(err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what portcullis logged:\n%s", h.Run.Log())
		}
		h.must(h.Close(context.WithoutCancel(t.Context())))
	})
	h.helmed = []string{"--kubeconfig", seed.Plane.Kubeconfig, "--namespace", namespace}
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) await(what string, condition func(context.Context) error) {
	h.t.Helper()
	h.must(h.Await(h.ctx, what, patience, condition))
}

func (h *house) command(cmd *exec.Cmd) string {
	h.t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%v: %v: %s", cmd.Args, err, out)
	}
	return string(out)
}

// change edits a tenant's file, and waits for a list.
func (h *house) change(path, old, new, id string, want []string) {
	h.t.Helper()
	_, err := h.Edit(h.ctx, "Change "+path, path, old, new)
	h.must(err)
	h.await("the change", h.InForce(id, want...))
}

// install installs the release as a user does, with the two files as they are
// and all that is optional, and has the reconciler run with what is in it.
func (h *house) install() {
	h.t.Helper()
	args := append([]string{"install", release, chart, "--create-namespace",
		"--set-file", "config=" + h.Config, "--set-file", "policy=" + filepath.Join(filepath.Dir(h.Config), "policy.yaml"),
		"--values", filepath.Join(chart, "examples", "oauth2-proxy.yaml"), "--set", strings.Join(switches, ",")}, h.helmed...)
	out, err := helm(h.t, args...)
	h.must(err)
	if !strings.Contains(out, "lists of seed eu-west") || !strings.Contains(out, "port-forward \"${leader%_*}\" 8082\n") {
		h.t.Errorf("the notes: %s", out)
	}
	clients, err := kubeclient.NewForConfig(h.Seed.Plane.Config)
	h.must(err)
	token, err := clients.CoreV1().ServiceAccounts(namespace).CreateToken(h.ctx, account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	h.must(err)
	h.token = token.Status.Token
	agent := rest.CopyConfig(h.Seed.Plane.Config)
	agent.CertData, agent.KeyData, agent.BearerToken = nil, nil, h.token
	h.must(servers.WriteKubeconfig(agent, h.Kubeconfig))
	settings := filepath.Join(h.dir, "settings")
	h.must(os.Mkdir(settings, 0o755))
	for name, text := range h.settings() {
		h.must(os.WriteFile(filepath.Join(settings, name), []byte(text), 0o644))
	}
	h.Namespace = namespace
	h.Run.Args = []string{"run", "--config", filepath.Join(settings, "config.yaml"), "--kubeconfig", h.Kubeconfig,
		"--namespace", namespace, "--data-dir", filepath.Join(h.dir, "data")}
}

// another is a second release in the namespace, which would share the lease.
func (h *house) another() {
	out, err := helm(h.t, append([]string{"install", "other", chart, "--values", values, "--set", "namespace.create=false,nameOverride=lists"}, h.helmed...)...)
	if err == nil || !strings.Contains(err.Error(), "release "+release+" of this chart is in namespace "+namespace+" already") {
		h.t.Errorf("it is installed, or refused for another reason: %v\n%s", err, out)
	}
}

// settings are the files that the release's Secret holds.
func (h *house) settings() map[string]string {
	h.t.Helper()
	var secret corev1.Secret
	h.must(h.Seed.Client.Get(h.ctx, client.ObjectKey{Namespace: namespace, Name: account + "-settings"}, &secret))
	files := map[string]string{}
	for name, text := range secret.Data {
		files[name] = string(text)
	}
	return files
}

// monitors stands in for a CRD of the Prometheus operator, named by its kind:
// that the object has its fields' names right is not seen by it.
const monitors = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[2]ss.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: %[1]s, plural: %[2]ss, singular: %[2]s, listKind: %[1]sList}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

// monitoring has the API server know the Prometheus operator's kinds.
func (h *house) monitoring() {
	h.t.Helper()
	for _, kind := range []string{"ServiceMonitor", "PrometheusRule"} {
		h.must(h.Seed.Client.Create(h.ctx, objects(h.t, fmt.Sprintf(monitors, kind, strings.ToLower(kind)))[0]))
		h.must(stage.Await(h.ctx, kind, patience, func(ctx context.Context) error {
			list := &unstructured.UnstructuredList{}
			list.SetAPIVersion("monitoring.coreos.com/v1")
			list.SetKind(kind + "List")
			return h.Seed.Client.List(ctx, list)
		}))
	}
}

// more is what the shipped values leave off, and what is empty by default.
const more = `
mounts: [{name: git, secret: a}, {name: authorities, configMap: b}]
image: {digest: "sha256:0123456789012345678901234567890123456789012345678901234567890123", pullSecrets: [registry]}
podAnnotations: {a: b}
podLabels: {c: d}
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: a, operator: Exists}]
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
priorityClassName: system-cluster-critical
env: [{name: HTTPS_PROXY, value: "http://proxy.example:3128"}]
args: [--dry-run]
networkPolicy:
  egress: [{ports: [{port: 3128}]}]
  metricsFrom: [{namespaceSelector: {matchLabels: {a: b}}}]
webhook: {enabled: true, from: [{podSelector: {}}]}
admission: {managedLists: {breakGlassGroups: [one, "it's"], where: "a \"repository\", it's said", actions: [Warn, Audit]}}
metrics: {serviceMonitor: {enabled: true, labels: {a: b}}, alerts: {enabled: true, labels: {a: b}}, dashboard: {enabled: true, annotations: {a: b}}}
`

// everyObject applies all that the chart can make to the API server, in a dry
// run with strict fields: what is misspelt, or no CEL, is refused.
func (h *house) everyObject() {
	file := filepath.Join(h.t.TempDir(), "more.yaml")
	h.must(os.WriteFile(file, []byte(more), 0o600))
	ns := &corev1.Namespace{}
	ns.SetName("portcullis")
	h.must(h.Seed.Client.Create(h.ctx, ns))
	h.monitoring()
	strict := client.WithFieldValidation(h.Seed.Client, metav1.FieldValidationStrict)
	proxied := rendered(h.t, "--values", filepath.Join(chart, "examples", "oauth2-proxy.yaml"))
	nobody := rendered(h.t, "--set-json", "admission.managedLists.breakGlassGroups=[]")
	for _, list := range [][]*unstructured.Unstructured{rendered(h.t), rendered(h.t, "--values", file), proxied, nobody} {
		for _, o := range list {
			//lint:ignore SA1019 objects of any kind are applied
			if err := strict.Patch(h.ctx, o, client.Apply, client.DryRunAll, client.ForceOwnership, client.FieldOwner("chart")); err != nil {
				h.t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
			}
		}
	}
}

// pod is one as the release's Deployment makes it.
func (h *house) pod() *corev1.Pod {
	h.t.Helper()
	var d appsv1.Deployment
	h.must(h.Seed.Client.Get(h.ctx, client.ObjectKey{Namespace: namespace, Name: account}, &d))
	if *d.Spec.Replicas != 2 {
		h.t.Errorf("%d replicas", *d.Spec.Replicas)
	}
	pod := &corev1.Pod{Spec: d.Spec.Template.Spec}
	pod.Labels = d.Spec.Template.Labels
	pod.Namespace, pod.Name = namespace, "one"
	return pod
}

// restricted has the API server judge the pod by the Pod Security Standard; and
// one with less, to see that it does.
func (h *house) restricted() {
	ns := &corev1.Namespace{}
	ns.SetName(namespace)
	h.must(h.Seed.Client.Patch(h.ctx, ns, client.RawPatch("application/merge-patch+json",
		[]byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`))))
	pod := h.pod()
	if err := h.Seed.Client.Create(h.ctx, pod.DeepCopy(), client.DryRunAll); err != nil {
		h.t.Error(err)
	}
	lax := pod.DeepCopy()
	lax.Spec.Containers[0].SecurityContext = nil
	if err := h.Seed.Client.Create(h.ctx, lax, client.DryRunAll); err == nil || !strings.Contains(err.Error(), "PodSecurity") {
		h.t.Errorf("one without a security context is not refused: %v", err)
	}
	h.hasItsAccount(pod)
	if own := pod.Spec.Containers[0].SecurityContext; own.ReadOnlyRootFilesystem == nil || !*own.ReadOnlyRootFilesystem {
		h.t.Error("the root file system can be written to")
	}
}

// hasItsAccount: the reconciler's container finds its token, the API server's
// authority and its namespace where the client looks for them.
func (h *house) hasItsAccount(pod *corev1.Pod) {
	h.t.Helper()
	var files []string
	for _, v := range pod.Spec.Volumes {
		if v.Name != "account" {
			continue
		}
		for _, s := range v.Projected.Sources {
			switch {
			case s.ServiceAccountToken != nil:
				files = append(files, s.ServiceAccountToken.Path)
			case s.ConfigMap != nil:
				files = append(files, s.ConfigMap.Items[0].Path)
			case s.DownwardAPI != nil:
				files = append(files, s.DownwardAPI.Items[0].Path)
			}
		}
	}
	if want := []string{"token", "ca.crt", "namespace"}; !slices.Equal(files, want) {
		h.t.Errorf("the volume holds %q, want %q", files, want)
	}
	if !slices.ContainsFunc(pod.Spec.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool {
		return m.Name == "account" && m.MountPath == "/var/run/secrets/kubernetes.io/serviceaccount"
	}) {
		h.t.Errorf("it is not mounted where clients look: %v", pod.Spec.Containers[0].VolumeMounts)
	}
}

// uninstall takes the release away while the reconciler runs on, as a pod may
// for some seconds: no Cluster is written to.
func (h *house) uninstall() {
	before := h.specs()
	if out, err := helm(h.t, append([]string{"uninstall", release}, h.helmed...)...); err != nil {
		h.t.Fatalf("%v: %s", err, out)
	}
	h.await("the end of the rights", func(context.Context) error {
		if err := h.Run.Running(); err == nil && !strings.Contains(h.Run.Log(), "forbidden") {
			return fmt.Errorf("the reconciler has not been refused anything")
		}
		return nil
	})
	if after := h.specs(); !reflect.DeepEqual(before, after) {
		h.t.Errorf("clusters were %v and are %v", before, after)
	}
	var maps corev1.ConfigMapList
	h.must(h.Seed.Client.List(h.ctx, &maps, client.InNamespace(namespace)))
	if len(maps.Items) == 0 {
		h.t.Error("the state is gone, and another installation would begin anew")
	}
	left := must[string](h.t)(h.leftovers())
	if left != "" {
		h.t.Errorf("left behind: %s", left)
	}
	h.must(h.Run.Kill())
}

// leftovers are objects outside of the namespace that bear the release's label.
func (h *house) leftovers() (string, error) {
	var out []string
	for _, kind := range []string{"rbac.authorization.k8s.io/v1 ClusterRole", "rbac.authorization.k8s.io/v1 ClusterRoleBinding", "rbac.authorization.k8s.io/v1 Role",
		"rbac.authorization.k8s.io/v1 RoleBinding", "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding",
		"v1 ServiceAccount", "v1 Secret", "apps/v1 Deployment"} {
		version, name, _ := strings.Cut(kind, " ")
		list := &unstructured.UnstructuredList{}
		list.SetAPIVersion(version)
		list.SetKind(name + "List")
		if err := h.Seed.Client.List(h.ctx, list, client.MatchingLabels{"app.kubernetes.io/instance": release}); err != nil {
			return "", err
		}
		out = append(out, names(pointers(list.Items))...)
	}
	return strings.Join(out, ", "), nil
}

func pointers(list []unstructured.Unstructured) []*unstructured.Unstructured {
	out := make([]*unstructured.Unstructured, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}
