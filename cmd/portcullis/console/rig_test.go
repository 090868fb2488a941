package console_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

var now = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)

const policyText = `apiVersion: portcullis.dev/v1alpha1
kind: Policy
seeds: {eu-west: {loadBalancer: {enforces: yes, ipv6: yes, absentFamily: denied, budget: {rules: 400, perEntry: 3, sharedBy: seed}, merge: none}, platform: [{cidr: 192.0.2.0/28, description: NOC}]}}
tenants: {acme: {projects: [acmeproj1, acmeproj2]}}
groups: {noc: [{cidr: 192.0.2.16/28}]}
require: {nodeEgress: false}
rules: {special-range: off}
`

const head = "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\n"

// evil is a text that would do harm where it counted as markup.
const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>"'`

// files are two tenants' of a shared repository. What is globex's is a canary:
// nobody but globex may read the word.
var files = map[string]string{
	"tenants/acme/prod.yaml": head + "metadata: {name: production}\nspec:\n  seed: eu-west\n  clusters: [shopprod01, shoptest01]\n  entries:\n" +
		"    - {description: 'Vienna " + strings.ReplaceAll(evil, "'", "''") + "', owner: netops@acme.example, ticket: ACME-17, cidrs: [203.0.113.0/24, 2001:db8:17::/48]}\n" +
		"    - {description: contractor, cidr: 198.51.100.7, expires: 2030-06-10}\n    - group: vpn\n    - group: provider/noc\n",
	"tenants/acme/<img src=x>.yaml": "apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: vpn}\nspec: {entries: [{description: VPN, cidr: 198.51.100.16/29}]}\n",
	"tenants/acme/gone.yaml":        head + "metadata: {name: gone}\nspec: {seed: eu-west, clusters: [acmegone01], entries: [{cidr: 203.0.113.9}]}\n",
	"tenants/globex/canary.yaml": head + "metadata: {name: canary}\nspec:\n  seed: eu-west\n  clusters: [canaryprod, canarygone, shopprod01]\n  entries:\n" +
		"    - {description: canary office, owner: canary@globex.example, ticket: CANARY-1, cidr: 203.0.113.200, expires: 2030-06-03}\n    - {cidr: 203.0.113.201}\n",
}

const accepted = "0123456789abcdef0123456789abcdef01234567"

var clusters = map[string]render.Cluster{
	"shopprod01": {Project: "acmeproj1", Name: "shop-prod", Datacenter: "dc-a"},
	"shoptest01": {Project: "acmeproj2", Name: "shop-" + evil, Datacenter: "dc-b"},
	"acmebare01": {Project: "acmeproj1", Name: "bare", Datacenter: "dc-a"},
	"canaryprod": {Project: "globex", Name: "canary-prod", Datacenter: "dc-canary"},
	"canarybare": {Project: "globex", Name: "canary-bare", Datacenter: "dc-canary"},
}

func parse(t testing.TB, texts map[string]string) []render.File {
	t.Helper()
	var out []render.File
	for _, path := range slices.Sorted(maps.Keys(texts)) {
		sum := sha256.Sum256([]byte(texts[path]))
		tenant, _, _ := strings.Cut(strings.TrimPrefix(path, "tenants/"), "/")
		out = append(out, render.File{Source: "customers", Tenant: tenant, Path: path, Hash: hex.EncodeToString(sum[:20]), Parsed: document.Parse([]byte(texts[path]))})
	}
	return out
}

func mustPolicy(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, problems := policy.ParsePolicy([]byte(text), lint.Changeable)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

func inventory() render.Inventory {
	out := render.Inventory{Known: true, Clusters: map[string]render.Cluster{}, Seed: render.SeedRanges{Known: true, Default: []string{"198.51.100.224/28"}}}
	for id, c := range clusters {
		c.ID, c.UID, c.ExposeStrategy, c.Namespace = id, "uid-"+id, render.ExposeLoadBalancer, "cluster-"+id
		c.Live = render.Live{Set: true, CIDRs: []string{"203.0.113.0/24"}}
		out.Clusters[id] = c
	}
	return out
}

// rig is a console over a plan made from files; what it shows can be replaced.
type rig struct {
	*httptest.Server
	config *policy.Config
	world  atomic.Pointer[console.World]
	passed atomic.Int64 // nanoseconds since now
	untold atomic.Bool  // no check is known
	large  atomic.Bool  // every file in Git is
	kkp    atomic.Bool  // KKP has paused every cluster, and has words on it
}

// world is the reconciler with these files in force.
func world(t testing.TB, texts map[string]string) console.World {
	t.Helper()
	p, parsed, in := mustPolicy(t, policyText), parse(t, texts), inventory()
	w := console.World{Version: "v1", Seed: "eu-west", Files: parsed, Policy: p, Inventory: in, Notices: []string{"a way around " + evil}, States: map[string]apply.ClusterState{}}
	w.Plan = render.Render(render.Input{Files: parsed, Sources: []string{"customers"}, Policy: p, Inventory: in, Seed: "eu-west", Now: now})
	for id, wanted := range w.Plan.Clusters {
		st := apply.ClusterState{State: apply.Synced, Message: "handed to aws-nlb", Since: now.Add(-time.Hour)}
		switch {
		case wanted.UID == "":
			st = apply.ClusterState{State: apply.Missing, Message: "no Cluster of this ID on the seed", Since: now}
		case id == "shoptest01":
			st = apply.ClusterState{State: apply.Rejected, Message: "admission webhook says " + evil, Since: now.Add(-time.Minute)}
		}
		w.States[id] = st
	}
	w.Sources = []console.Source{{Head: accepted, Conf: policy.Source{Name: "customers", URL: "https://git.example.com/hosting/allowlists.git", Branch: "main", Path: "tenants",
		Checks: policy.Checks{Forge: policy.ForgeGitea, URL: "https://git.example.com", Repository: "hosting/allowlists"}},
		State: apply.SourceState{Name: "customers", Seed: "eu-west", Accepted: accepted, Since: now.Add(-time.Hour),
			Held:  &apply.HeldCommit{Commit: strings.Repeat("f", 40), Reason: "tenant globex: 12 canary clusters lose access"},
			Holds: []apply.TenantHold{{Tenant: "globex", Commit: accepted, Reason: "canary: too much", Clusters: 12}, {Tenant: "acme", Commit: accepted, Reason: "acme: too much", Clusters: 2}}}}}
	return w
}

func serve(t testing.TB, conf policy.Console) *rig {
	t.Helper()
	r := &rig{config: &policy.Config{Seed: "eu-west", Console: conf}}
	w := world(t, files)
	r.world.Store(&w)
	options := console.Options{Config: r.config, Now: func() time.Time { return now.Add(time.Duration(r.passed.Load())) }, Log: logr.Discard(),
		Stamp: func() any {
			if w := r.world.Load(); w != nil {
				return w
			}
			return nil
		},
		World: func() console.World { return *r.world.Load() },
		Look:  r.look, Git: mirror{t, &r.untold, &r.large}}
	r.Server = httptest.NewServer(console.New(options))
	t.Cleanup(r.Close)
	return r
}

func (r *rig) look(_ context.Context, id string) (apply.Seen, error) {
	c, there := r.world.Load().Inventory.Clusters[id]
	seen := apply.Seen{Exists: there, Cluster: c, Service: there, Ranges: []string{"198.51.100.224/28", "203.0.113.0/24"}, Carried: true}
	if r.kkp.Load() {
		seen.Paused, seen.PauseReason, seen.ErrorReason, seen.ErrorMessage, seen.Carried = true, "etcd "+evil, "InvalidCluster", "quota "+evil, false
	}
	return seen, nil
}

// got is an answer.
type got struct {
	status int
	header http.Header
	body   string
}

// get asks for a path. Headers are names and values in turn.
func (r *rig) get(t testing.TB, path string, headers ...string) got {
	t.Helper()
	return r.do(t, http.MethodGet, path, "", headers...)
}

func (r *rig) do(t testing.TB, method, path, body string, headers ...string) got {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var b strings.Builder
	if _, err := io.Copy(&b, response.Body); err != nil {
		t.Fatal(err)
	}
	return got{response.StatusCode, response.Header, b.String()}
}
