package chart_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

func TestLint(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"lint", "--strict", chart}, {"lint", "--strict", chart, "--values", values}} {
		if out, err := helm(t, args...); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestParts switches each optional part over, and looks at what comes or goes.
func TestParts(t *testing.T) {
	t.Parallel()
	const withoutSeed = "config without seedResource"
	all := names(rendered(t))
	for setting, parts := range map[string][]string{
		"namespace.create=false":               {"Namespace portcullis"},
		"disruptionBudget.enabled=false":       {"PodDisruptionBudget portcullis portcullis"},
		"networkPolicy.enabled=false":          {"NetworkPolicy portcullis portcullis"},
		"metrics.service.enabled=false":        {"Service portcullis portcullis-metrics"},
		"metrics.serviceMonitor.enabled=true":  {"ServiceMonitor portcullis portcullis"},
		"webhook.enabled=true":                 {"Service portcullis portcullis-webhook", "Service portcullis portcullis-webhook-peers"},
		"metrics.alerts.enabled=true":          {"PrometheusRule portcullis portcullis"},
		"metrics.dashboard.enabled=true":       {"ConfigMap portcullis portcullis-dashboard"},
		"admission.reconciler.enabled=false":   {"ValidatingAdmissionPolicy portcullis-reconciler", "ValidatingAdmissionPolicyBinding portcullis-reconciler"},
		"admission.managedLists.enabled=false": {"ValidatingAdmissionPolicy portcullis-managed-lists", "ValidatingAdmissionPolicyBinding portcullis-managed-lists"},
		"rbac.outside.enabled=false":           {"Role portcullis portcullis-outside", "RoleBinding portcullis portcullis-outside"},
		"rbac.operator.enabled=false": {"ClusterRole portcullis-operator", "ClusterRoleBinding portcullis-operator", "ConfigMap portcullis portcullis-approvals",
			"Role portcullis portcullis-operator", "RoleBinding portcullis portcullis-operator"},
		"rbac.reader.enabled=false": {"ClusterRole portcullis-reader", "ClusterRoleBinding portcullis-reader",
			"Role kubermatic portcullis-reader", "RoleBinding kubermatic portcullis-reader"},
		withoutSeed: {"Role kubermatic portcullis-reader", "RoleBinding kubermatic portcullis-reader",
			"Role kubermatic portcullis-seed", "RoleBinding kubermatic portcullis-seed"},
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			args := []string{"--set", setting}
			if setting == withoutSeed {
				args = []string{"--set-string", "config=seed: eu-west\npolicyFile: policy.yaml"}
			}
			got := names(rendered(t, args...))
			on := strings.HasSuffix(setting, "=true")
			for _, part := range parts {
				if slices.Contains(got, part) != on || slices.Contains(all, part) == on {
					t.Errorf("%s: there: %v, before: %v", part, slices.Contains(got, part), slices.Contains(all, part))
				}
			}
			if want := len(parts); max(len(got)-len(all), len(all)-len(got)) != want {
				t.Errorf("%d objects, and %d before: something else came or went", len(got), len(all))
			}
		})
	}
}

// TestTheNamespaceStays: with it would go the state, which uninstalling leaves.
func TestTheNamespaceStays(t *testing.T) {
	t.Parallel()
	made := the[corev1.Namespace](t, rendered(t), "Namespace", "portcullis")
	if made.Annotations["helm.sh/resource-policy"] != "keep" {
		t.Errorf("helm takes it away: %v", made.Annotations)
	}
}

// TestEverySwitchIsTried: what the chart has off by default is on where it is
// installed, but for the namespace, which helm makes.
func TestEverySwitchIsTried(t *testing.T) {
	t.Parallel()
	var defaults map[string]any
	if err := yaml.Unmarshal(must[[]byte](t)(os.ReadFile(filepath.Join(chart, "values.yaml"))), &defaults); err != nil {
		t.Fatal(err)
	}
	var off []string
	var look func(path string, v any)
	look = func(path string, v any) {
		if v == false && path != "namespace.create" && path != "console.service.enabled" {
			off = append(off, path+"=true")
		}
		if m, ok := v.(map[string]any); ok {
			for key, below := range m {
				look(strings.TrimPrefix(path+"."+key, "."), below)
			}
		}
	}
	look("", defaults)
	tried := slices.Sorted(slices.Values(switches))
	if slices.Sort(off); !slices.Equal(off, tried) {
		t.Errorf("off by default are %q, and tried are %q", off, tried)
	}
}

// TestNamesAreOfTheRelease: nothing of one release is named as another's, but
// for what the command itself has a fixed name for.
func TestNamesAreOfTheRelease(t *testing.T) {
	t.Parallel()
	for prefix, args := range map[string][]string{
		"gate-portcullis": nil,
		"gate-lists":      {"--set", "nameOverride=lists"},
		"allow":           {"--set", "fullnameOverride=allow,nameOverride=lists"},
	} {
		list, err := template(t, "gate", "lists", append(args, "--set", "webhook.enabled=true")...)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list {
			name := o.GetName()
			if !strings.HasPrefix(name, prefix) && name != "portcullis-approvals" && name != "lists" {
				t.Errorf("%s: %s %s", prefix, o.GetKind(), name)
			}
			if at := o.GetNamespace(); at != "lists" && at != "default" && at != "kubermatic" && at != "" {
				t.Errorf("%s: %s %s is in %s", prefix, o.GetKind(), name, at)
			}
		}
		text := string(must[[]byte](t)(json.Marshal(list)))
		if strings.Count(text, "'system:serviceaccount:lists:"+prefix+"'") != 2 {
			t.Errorf("%s: the two admission policies do not both know the account", prefix)
		}
		if strings.Contains(text, "serviceaccount:portcullis:") {
			t.Errorf("%s: a policy knows the account of another release", prefix)
		}
		if !strings.Contains(text, "--webhook-peers=http://"+prefix+"-webhook-peers.lists.svc:9443") {
			t.Errorf("%s: replicas do not find each other", prefix)
		}
	}
}

// TestWrongValuesAreRefused: with a message that names the value.
func TestWrongValuesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		says []string
	}{
		"a name it does not know": {[]string{"--set", "replica=3"}, []string{"'replica'", "additional properties"}},
		"a word for a number":     {[]string{"--set", "replicas=two"}, []string{"/replicas", "want integer"}},
		"a number for a switch":   {[]string{"--set", "networkPolicy.enabled=1"}, []string{"/networkPolicy/enabled", "want boolean"}},
		"a mount of nothing":      {[]string{"--set-json", `mounts=[{"name":"git"}]`}, []string{"/mounts/0", "secret"}},
		"a mount named as a path": {[]string{"--set", "mounts[0].name=../etc,mounts[0].secret=a"}, []string{"/mounts/0/name"}},
		"a secret as a value":     {[]string{"--set", "mounts[0].name=git,mounts[0].token=abc"}, []string{"'token'"}},
		"a port out of range":     {[]string{"--set", "networkPolicy.git.ports={70000}"}, []string{"/networkPolicy/git/ports/0"}},
		"no prefix":               {[]string{"--set", "networkPolicy.git.cidrs={git.example.com}"}, []string{"/networkPolicy/git/cidrs/0"}},
		"an unknown action":       {[]string{"--set", "admission.managedLists.actions={Refuse}"}, []string{"/admission/managedLists/actions/0"}},
		"another kind":            {[]string{"--set", "config.kind=Policy"}, []string{"/config/kind"}},
		"a Seed without place":    {[]string{"--set", "config.seedResource=eu-west"}, []string{"/config/seedResource"}},
		"a source without URL":    {[]string{"--set-json", `config.sources=[{"name":"customers"}]`}, []string{"/config/sources/0", "url"}},
		"no seed":                 {[]string{"--set-string", "config=kind: Config"}, []string{"config.seed is missing", "--set-file"}},
		"no Policy":               {[]string{"--set", "policy=null"}, []string{"policy is missing", "--set-file"}},
		"the Policy elsewhere":    {[]string{"--set-string", "config=seed: eu-west\npolicyFile: other.yaml"}, []string{`policyFile is "other.yaml"`, "policyFile: policy.yaml"}},
		"pages at no address":     {[]string{"--set", "console.address=localhost"}, []string{"/console/address"}},
		"a Service to nothing":    {[]string{"--set", "console.service.enabled=true"}, []string{"console.service leads to nothing", "127.0.0.1:8082", "examples/oauth2-proxy.yaml"}},
		"a Service to pages off":  {[]string{"--set", "console.service.enabled=true", "--set-string", "console.address=0"}, []string{"console.service leads to nothing", "turns the pages off"}},
		"a monitor of nothing":    {[]string{"--set", "metrics.service.enabled=false,metrics.serviceMonitor.enabled=true"}, []string{"metrics.serviceMonitor finds nothing", "metrics.service"}},
		"a sidecar of nothing":    {[]string{"--set", "console.sidecars[0].name=proxy"}, []string{"/console/sidecars/0", "image"}},
		"a Config that is none":   {[]string{"--set-string", "config=seed: ]"}, []string{"config is not YAML"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := template(t, "portcullis", "portcullis", c.args...)
			if err == nil {
				t.Fatal("they are not refused")
			}
			for _, words := range c.says {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("the message does not say %q: %v", words, err)
				}
			}
		})
	}
}

// TestSettings: what the chart makes of Config and Policy is what the command
// reads, given as values or as files.
func TestSettings(t *testing.T) {
	t.Parallel()
	seed := absolute(t, "examples/seed")
	odd := filepath.Join(t.TempDir(), "odd.yaml")
	if err := os.WriteFile(odd, []byte(`
policy:
  limits: {maxEntries: 1000}
  rules: {special-range: off, owner-required: warning}
  seeds: {eu-west: {loadBalancer: {enforces: no, ipv6: yes, absentFamily: unknown, merge: none}}}
config:
  freeze: [{cluster: qvjdddt72t, until: 2026-11-30T06:00:00Z, reason: a move}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		says string // a part of both
	}{
		"as values":       {nil, "loadBalancer: generic"},
		"words as values": {[]string{"--values", odd}, `special-range: "off"`},
		"as files": {[]string{"--set-file", "config=" + seed + "/config.yaml", "--set-file", "policy=" + seed + "/policy.yaml"},
			"# the other folders are named by their project"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := the[corev1.Secret](t, rendered(t, c.args...), "Secret", "portcullis-settings").StringData
			config, problems := policy.ParseConfig([]byte(settings["config.yaml"]))
			if len(problems) > 0 || config.PolicyFile != "policy.yaml" || config.Seed != "eu-west" {
				t.Errorf("the Config: %v\n%s", problems, settings["config.yaml"])
			}
			rules, problems := policy.ParsePolicy([]byte(settings["policy.yaml"]), lint.Changeable)
			if len(problems) > 0 {
				t.Fatalf("the Policy: %v\n%s", problems, settings["policy.yaml"])
			}
			if problems := policy.Validate(config, rules); len(problems) > 0 {
				t.Errorf("together: %v", problems)
			}
			if !strings.Contains(settings["config.yaml"]+settings["policy.yaml"], c.says) {
				t.Errorf("it does not say %q:\n%s", c.says, settings["policy.yaml"])
			}
		})
	}
}

// TestWhatRestarts: a Config is read at the start, a Policy whenever it changes.
func TestWhatRestarts(t *testing.T) {
	t.Parallel()
	pod := func(args ...string) string {
		template := the[appsv1.Deployment](t, rendered(t, args...), "Deployment", "portcullis").Spec.Template
		return string(must[[]byte](t)(json.Marshal(template)))
	}
	before := pod()
	if pod("--set", "policy.allowOpen=true") != before {
		t.Error("a changed Policy restarts the replicas")
	}
	if pod("--set", "config.schedule=@every 5m") == before {
		t.Error("a changed Config does not restart the replicas")
	}
	for _, m := range the[appsv1.Deployment](t, rendered(t), "Deployment", "portcullis").Spec.Template.Spec.Containers[0].VolumeMounts {
		if m.SubPath != "" {
			t.Errorf("%s is a single file, which is never renewed", m.MountPath)
		}
	}
}

// TestSpread: pods keep apart from those of their own release, or from those that
// the values say.
func TestSpread(t *testing.T) {
	t.Parallel()
	of := func(args ...string) map[string]string {
		pod := the[appsv1.Deployment](t, rendered(t, args...), "Deployment", "portcullis").Spec.Template
		return pod.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels
	}
	if got := of(); got["app.kubernetes.io/instance"] != "portcullis" || len(got) != 2 {
		t.Errorf("they keep apart from %v", got)
	}
	own := `topologySpread=[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"a":"b"}}}]`
	if got := of("--set-json", own); got["a"] != "b" || len(got) != 1 {
		t.Errorf("they keep apart from %v", got)
	}
}

// TestConsole: by default the pages are where nobody but the pod reaches them;
// the example puts a proxy before them, and lets in what is to reach it alone.
func TestConsole(t *testing.T) {
	t.Parallel()
	const port = 4180
	bare := rendered(t)
	for _, rule := range the[networkingv1.NetworkPolicy](t, bare, "NetworkPolicy", "portcullis").Spec.Ingress {
		if rule.Ports[0].Port.IntValue() != 8080 {
			t.Errorf("port %v can be reached", rule.Ports[0].Port)
		}
	}
	if off := command(t, "--set-string", "console.address=0"); !slices.Contains(off, "--console-address=0") {
		t.Errorf("it cannot be turned off: %q", off)
	}
	made := rendered(t, "--values", filepath.Join(chart, "examples", "oauth2-proxy.yaml"))
	service := the[corev1.Service](t, made, "Service", "portcullis-console")
	pod := the[appsv1.Deployment](t, made, "Deployment", "portcullis").Spec.Template
	if len(pod.Spec.Containers) != 2 || pod.Spec.Containers[0].Name != "portcullis" {
		t.Fatalf("the containers: %v", pod.Spec.Containers)
	}
	proxy := pod.Spec.Containers[1]
	if got := service.Spec.Ports[0].TargetPort.IntValue(); got != port || proxy.Ports[0].ContainerPort != port {
		t.Errorf("the Service leads to %d, and the proxy has %v", got, proxy.Ports)
	}
	for key, value := range service.Spec.Selector {
		if pod.Labels[key] != value {
			t.Errorf("the Service selects %s: %s, which the pods do not have", key, value)
		}
	}
	if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken || len(proxy.VolumeMounts) > 0 {
		t.Errorf("the proxy has the account's token: %+v", proxy.VolumeMounts)
	}
	if !slices.Contains(proxy.Args, "--upstream=http://127.0.0.1:8082/") {
		t.Errorf("the proxy does not lead to the pages: %q", proxy.Args)
	}
	rules := the[networkingv1.NetworkPolicy](t, made, "NetworkPolicy", "portcullis").Spec.Ingress
	last := rules[len(rules)-1]
	if last.Ports[0].Port.IntValue() != port || len(last.From) != 1 {
		t.Errorf("who may reach the proxy: %+v", last)
	}
}

// TestConsoleExampleIsRead: what the example says of the Config is a Config.
func TestConsoleExampleIsRead(t *testing.T) {
	t.Parallel()
	text := string(must[[]byte](t)(os.ReadFile(filepath.Join(chart, "examples", "oauth2-proxy.yaml"))))
	settings := the[corev1.Secret](t, rendered(t), "Secret", "portcullis-settings").StringData["config.yaml"]
	_, said, _ := strings.Cut(text, "In the Config:")
	for line := range strings.Lines(said) {
		if added, ok := strings.CutPrefix(line, "#     "); ok {
			settings += added
		}
	}
	config, problems := policy.ParseConfig([]byte(settings))
	if len(problems) > 0 || config.Console.ProjectsHeader == "" || config.Console.URL == "" {
		t.Errorf("%v: %+v\n%s", problems, config.Console, settings)
	}
	for who, address := range map[string]string{"the container": "127.0.0.1", "the Ingress controller's pod": "10.244.3.7"} {
		if !slices.ContainsFunc(config.Console.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(netip.MustParseAddr(address)) }) {
			t.Errorf("%s is offered to viewers as where they come from: trusted are %v", who, config.Console.TrustedProxies)
		}
	}
}

// command is how the chart starts the reconciler.
func command(t *testing.T, args ...string) []string {
	t.Helper()
	return the[appsv1.Deployment](t, rendered(t, args...), "Deployment", "portcullis").Spec.Template.Spec.Containers[0].Args
}

// copied compares what the chart has a copy of, for it cannot hold what is outside
// of its folder, with the original, and answers that. `make manifests` copies.
func copied(t *testing.T, name, original string) []byte {
	t.Helper()
	have := filepath.Join(chart, name)
	want := must[[]byte](t)(os.ReadFile(filepath.Join(root, original)))
	if os.Getenv("PORTCULLIS_MANIFESTS") == "write" {
		if err := os.WriteFile(have, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(must[[]byte](t)(os.ReadFile(have)), want) {
		t.Errorf("deploy/chart/%s is not %s: run `make manifests`", name, original)
	}
	return want
}

// TestDashboardIsCurrent: the ConfigMap holds deploy/dashboard.json byte for byte,
// and its keys for Grafana's sidecar, wherever that looks.
func TestDashboardIsCurrent(t *testing.T) {
	t.Parallel()
	want := string(copied(t, "dashboard.json", "deploy/dashboard.json"))
	made := the[corev1.ConfigMap](t, rendered(t, "--set", "metrics.dashboard.enabled=true,metrics.dashboard.namespace=monitoring,metrics.dashboard.annotations.grafana_folder=KKP"),
		"ConfigMap", "portcullis-dashboard")
	if got := made.Data["portcullis.json"]; got != want {
		t.Errorf("it holds %d bytes that are not the file's %d", len(got), len(want))
	}
	if made.Namespace != "monitoring" || made.Labels["grafana_dashboard"] != "1" || made.Annotations["grafana_folder"] != "KKP" {
		t.Errorf("it is %+v", made.ObjectMeta)
	}
}

// TestAlertsAreCurrent: the PrometheusRule holds the alerts as they are.
func TestAlertsAreCurrent(t *testing.T) {
	t.Parallel()
	want := copied(t, "alerts.yaml", "deploy/alerts/portcullis.yaml")
	type rules struct {
		Groups []any `json:"groups"`
	}
	var file rules
	if err := yaml.Unmarshal(want, &file); err != nil {
		t.Fatal(err)
	}
	made := the[struct {
		Spec rules `json:"spec"`
	}](t, rendered(t, "--set", "metrics.alerts.enabled=true"), "PrometheusRule", "portcullis")
	if len(file.Groups) == 0 || !reflect.DeepEqual(made.Spec, file) {
		t.Errorf("the PrometheusRule holds %v", made.Spec)
	}
}

// TestManifestsAreCurrent: deploy/manifests is what the chart renders. With
// PORTCULLIS_MANIFESTS=write (`make manifests`) it is made so.
func TestManifestsAreCurrent(t *testing.T) {
	t.Parallel()
	dir, shipped := t.TempDir(), filepath.Join(root, "deploy", "manifests")
	if _, err := helm(t, "template", "portcullis", chart, "--namespace", "portcullis", kubernetes, "--values", values, "--output-dir", dir); err != nil {
		t.Fatal(err)
	}
	fresh := manifests(t, filepath.Join(dir, "portcullis", "templates"))
	if os.Getenv("PORTCULLIS_MANIFESTS") == "write" {
		write(t, shipped, fresh)
	}
	have := read(t, shipped)
	for name, text := range fresh {
		if have[name] != text {
			t.Errorf("%s is not what the chart renders: run `make manifests`", name)
		}
	}
	for name := range have {
		if fresh[name] == "" {
			t.Errorf("%s is not of the chart", name)
		}
	}
}

const notice = "# Rendered from deploy/chart by `make manifests`, for a namespace and account\n" +
	"# \"portcullis\" and the Seed kubermatic/eu-west. For others, render the chart.\n#\n"

// manifests are the rendered files without helm's notes on where each part is
// from.
func manifests(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, text := range read(t, dir) {
		var lines []string
		for _, line := range strings.SplitAfter(strings.TrimPrefix(text, "---\n"), "\n") {
			if !strings.HasPrefix(line, "# Source: ") {
				lines = append(lines, line)
			}
		}
		out[name] = notice + strings.Join(lines, "")
	}
	return out
}

func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, entry := range must[[]os.DirEntry](t)(os.ReadDir(dir)) {
		out[entry.Name()] = string(must[[]byte](t)(os.ReadFile(filepath.Join(dir, entry.Name()))))
	}
	return out
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
