package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/servers"
)

const livePolicy = `apiVersion: portcullis.dev/v1alpha1
kind: Policy
seeds:
  eu-west:
    platform:
      - {cidr: 192.0.2.0/28, description: NOC}
      - {cidr: 192.0.2.64/28, datacenters: [dc-2]}
tenants: {acme: {projects: [acmeproj01]}}
`

// liveSeed is a real API server with the clusters of a small installation.
type liveSeed struct {
	kubeconfig string
	client     client.Client
}

func newLiveSeed(t *testing.T) *liveSeed {
	t.Helper()
	plane := servers.ControlPlaneFor(t, servers.ControlPlaneOptions{})
	if err := kkp.Install(context.Background(), plane.Config); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(plane.Config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &liveSeed{plane.Kubeconfig, c}
	ns := &corev1.Namespace{}
	ns.SetName("kubermatic")
	key := types.NamespacedName{Namespace: "kubermatic", Name: "eu-west"}
	for _, obj := range []client.Object{ns, kkp.NewSeed(key, []string{"198.51.100.240/28"}, []string{"198.51.100.224/28"})} {
		if err := c.Create(context.Background(), obj); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *liveSeed) create(t *testing.T, id, project string, options ...kkp.Option) {
	t.Helper()
	if err := kkp.Create(context.Background(), s.client, kkp.NewCluster(id, project, options...)); err != nil {
		t.Fatal(err)
	}
}

// command runs the command in this process and answers what it said.
func command(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := execute(context.Background(), args, &out, &errs); code != want {
		t.Fatalf("portcullis %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, out.String(), errs.String())
	}
	return out.String()
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("does not say %q:\n%s", p, text)
		}
	}
}

// TestLive holds folders against a real seed, and makes files of what is live
// there. The clusters are the same for all parts, which only read.
func TestLive(t *testing.T) {
	t.Parallel()
	s := newLiveSeed(t)
	policy := writeFile(t, filepath.Join(t.TempDir(), "policy.yaml"), livePolicy)
	s.create(t, "shopprod01", "acmeproj01", kkp.WithName("shop\nspec: {access: open}\u202e"), kkp.WithList("203.0.113.0/24", "2001:db8::/32", "203.0.113.7", "203.0.113.0/24", "192.0.2.0/28", "198.51.100.240/28"))
	s.create(t, "shoptest01", "acmeproj01", kkp.WithDatacenter("dc-2"), kkp.WithList("203.0.113.128/25"))
	s.create(t, "globexprod", "globexproj", kkp.WithList("10.1.0.1/16", " 9.9.9.9/32 ", "::ffff:192.0.2.1", "not-a-cidr", "198.51.100.7"))
	s.create(t, "globexopen", "globexproj", kkp.WithList("0.0.0.0/0"))
	s.create(t, "globexplat", "globexproj", kkp.WithList("192.0.2.0/28"))
	s.create(t, "globexnone", "globexproj")
	s.create(t, "globexvoid", "globexproj", kkp.WithList())
	s.create(t, "nodeport01", "globexproj", kkp.WithStrategy("NodePort"))
	seed := []string{"--kubeconfig", s.kubeconfig, "--seed-resource", "kubermatic/eu-west", "--policy", policy}

	t.Run("check", func(t *testing.T) { checkLive(t, seed) })
	t.Run("import into what is there", func(t *testing.T) { importBeside(t, seed) })
	t.Run("import all", func(t *testing.T) { importEvery(t, seed) })
	t.Run("import from several seeds", func(t *testing.T) { importTwoSeeds(t, s) })
	t.Run("import and sync", func(t *testing.T) { importAll(t, s, seed) }) // writes: last
}

func checkLive(t *testing.T, seed []string) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "acme", "a.yaml"), `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: a}
spec:
  clusters:
    - shopprod01
    - globexprod
    - shopprod02
  nodeEgress: none
  entries: [{cidr: 203.0.113.0/24}, {cidr: 203.0.114.7, expires: 2020-12-31}]
`)
	writeFile(t, filepath.Join(dir, "globexproj", "b.yaml"), `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: b}
spec: {clusters: [nodeport01], nodeEgress: none, entries: [{cidr: 203.0.113.0/24}]}
`)
	out := command(t, 1, slices.Concat([]string{"check", "--live", dir}, seed)...)
	contains(t, out, "acme/a.yaml:7:7: error[foreign-cluster]", "acme/a.yaml:8:7: warning[unknown-cluster]", "acme/a.yaml:10:66: warning[expired]", "globexproj/b.yaml:4:19: error[unsupported-expose-strategy]")
	if strings.Contains(out, "not checked") {
		t.Errorf("something is said not to be checked:\n%s", out)
	}
	out = command(t, 1, append([]string{"check", "--live", dir, "--kubeconfig"}, seed[1], "--policy", seed[5])...)
	contains(t, out, "not checked: what KKP itself lets in (the ranges of the Seed object): needs --seed-resource")
}

func importAll(t *testing.T, s *liveSeed, seed []string) {
	dir := filepath.Join(t.TempDir(), "tenants")
	args := slices.Concat([]string{"import", "--out", dir}, seed)
	dry := command(t, 1, append(args, "--dry-run")...)
	if _, err := os.Stat(dir); err == nil {
		t.Error("a dry run wrote files")
	}
	out := command(t, 1, args...)
	if strings.ReplaceAll(dry, "would write", "wrote") != strings.ReplaceAll(out, " written,", " wrote,") {
		t.Errorf("a dry run says something else:\n%s\n%s", dry, out)
	}
	contains(t, out,
		`wrote `+filepath.ToSlash(dir)+`/acme/shopprod01.yaml: shop\nspec: {access: open}\u202e (shopprod01): 2 prefixes`,
		"a first sync adds 192.0.2.0/28 (platform: NOC) on shoptest01, globexprod\n",
		"a first sync adds 192.0.2.64/28 (platform) on shoptest01\n",
		`made canonical: globexprod (globexprod): "10.1.0.1/16" is written as 10.1.0.0/16, which is what it lets in`,
		`made canonical: globexprod (globexprod): " 9.9.9.9/32 " is written as 9.9.9.9/32, which`,
		`kept out: globexprod (globexprod): "::ffff:192.0.2.1" is IPv4 written as IPv6`,
		`kept out: globexprod (globexprod): "not-a-cidr" is not an address`,
		"not imported: globexopen (globexopen): check would refuse the file: error[open-world]",
		"not imported: globexplat (globexplat): its list holds ranges of the provider's alone",
		"8 clusters: 3 written, 0 in Git already, 0 left, 2 not imported, 3 without a list\n")
	file, err := os.ReadFile(filepath.Join(dir, "acme", "shopprod01.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(file), `clusters: [shopprod01] # shop\nspec: {access: open}\u202e`, "cidr: 203.0.113.0/24}\n", `cidr: "2001:db8::/32"}`)
	if strings.Contains(string(file), "192.0.2.0/28") || strings.Contains(string(file), "198.51.100.2") {
		t.Errorf("the provider's ranges are in the file:\n%s", file)
	}

	contains(t, command(t, 0, "check", dir), "3 files, 3 allowlists, 3 clusters: 0 errors")
	contains(t, command(t, 0, slices.Concat([]string{"check", "--live", dir}, seed)...), ": 0 errors")
	again := command(t, 1, args...)
	contains(t, again, "8 clusters: 0 written, 3 in Git already, 0 left, 2 not imported")
	firstSync(t, s, dir, seed[5])
}

// firstSync writes what the files mean, as the reconciler does, and wants each
// cluster to let in what it did and the platform, and nobody else.
func firstSync(t *testing.T, s *liveSeed, dir, policy string) {
	t.Helper()
	ctx := context.Background()
	o := &offline{policy: policy, live: liveFlags{on: true, kubeconfig: s.kubeconfig, seedResource: "kubermatic/eu-west"}}
	plan, _, _, err := o.load(ctx, dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for id, w := range plan.Clusters {
		body, err := render.Patch(id, w.UID, w.List)
		if err != nil {
			t.Fatal(err)
		}
		cluster, err := kkp.Get(ctx, s.client, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.client.Patch(ctx, cluster, client.RawPatch(types.ApplyPatchType, body), client.FieldOwner("portcullis"), client.ForceOwnership); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string][]string{
		"shopprod01": {"192.0.2.0/28", "203.0.113.0/24", "2001:db8::/32"},
		"shoptest01": {"192.0.2.0/28", "192.0.2.64/28", "203.0.113.128/25"},
		"globexprod": {"9.9.9.9/32", "10.1.0.0/16", "192.0.2.0/28", "198.51.100.7/32"},
		"globexopen": {"0.0.0.0/0"},
		"globexplat": {"192.0.2.0/28"},
		"globexnone": nil,
	} {
		cluster, err := kkp.Get(ctx, s.client, id)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := kkp.List(cluster); !slices.Equal(got, want) {
			t.Errorf("cluster %s: got %v, want %v", id, got, want)
		}
	}
}

func importBeside(t *testing.T, seed []string) {
	dir := t.TempDir()
	moved := writeFile(t, filepath.Join(dir, "acme", "mine.yaml"), `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: mine}
spec: {clusters: [shopprod01], nodeEgress: none, entries: [{cidrs: [203.0.113.0/25, 203.0.113.128/25, "2001:db8::/32"]}]}
`)
	other := writeFile(t, filepath.Join(dir, "acme", "other.yaml"), `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: other}
spec: {clusters: [shoptest01], nodeEgress: none, entries: [{cidr: 203.0.113.0/24}]}
`)
	taken := writeFile(t, filepath.Join(dir, "globexproj", "globexprod.yaml"), "# to come\n")
	before := map[string]string{}
	for _, f := range []string{moved, other, taken} {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		before[f] = string(text)
	}
	out := command(t, 1, slices.Concat([]string{"import", "--out", dir}, seed)...)
	contains(t, out,
		"acme/other.yaml names the cluster already, and means something else than what is live",
		"globexproj/globexprod.yaml: globexprod (globexprod): a file is there already",
		"8 clusters: 0 written, 1 in Git already, 2 left, 2 not imported")
	for f, want := range before {
		if got, err := os.ReadFile(f); err != nil || string(got) != want {
			t.Errorf("%s was changed: %v\n%s", f, err, got)
		}
	}
}

// importEvery gives every cluster a file; what cannot be one leaves it alone.
func importEvery(t *testing.T, seed []string) {
	dir := t.TempDir()
	out := command(t, 1, slices.Concat([]string{"import", "--all", "--out", dir}, seed)...)
	contains(t, out, "8 clusters: 8 written,", "globexproj/globexopen.yaml: globexopen (globexopen): access: unmanaged")
	contains(t, command(t, 0, slices.Concat([]string{"check", "--live", dir}, seed)...), "8 files, 8 allowlists, 8 clusters: 0 errors")
	file, err := os.ReadFile(filepath.Join(dir, "globexproj", "globexopen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(file), "access: unmanaged", "open-world")
}

// importTwoSeeds has two seeds in one folder, which the files tell apart.
func importTwoSeeds(t *testing.T, s *liveSeed) {
	dir := t.TempDir()
	args := []string{"import", "--out", dir, "--kubeconfig", s.kubeconfig, "--project", "acmeproj01", "--seed"}
	contains(t, command(t, 0, append(args, "eu-west")...), "2 clusters: 2 written", "not known: platform ranges", "not known: what KKP itself lets in")
	contains(t, command(t, 1, append(args, "us-east")...), "0 written, 0 in Git already, 2 left")
	file, err := os.ReadFile(filepath.Join(dir, "acmeproj01", "shopprod01.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(file), "seed: eu-west\n", "cidr: 192.0.2.0/28}")
	var out, errs bytes.Buffer
	if code := execute(context.Background(), append(args, "eu-west", "--project", "nosuch"), &out, &errs); code != 2 || !strings.Contains(errs.String(), `no cluster of project "nosuch"`) {
		t.Errorf("an unknown project: exit code %d: %s", code, errs.String())
	}
}
