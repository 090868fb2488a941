package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// world is what a model is held against: the parts that `portcullis run` joins,
// with a clock that can be set, on a real API server. It polls a repository in
// memory all the time.
type world struct {
	t         *testing.T
	seed      *rest.Config
	client    client.Client
	git       *memoryGit
	observer  *stage.Observer
	namespace string
	suffix    string
	kind      worldKind
	key       *openpgp.Entity // of those who sign; nil where nobody has to
	forge     *memoryForge
	states    func() map[string]apply.ClusterState
	dir       string // of Config, Policy and mirrors
	began     time.Time
	offset    atomic.Int64 // nanoseconds that the clock was set by

	stop  context.CancelFunc // nil while it does not run
	ended chan error
}

const modelConfig = `apiVersion: portcullis.dev/v1alpha1
kind: Config
seed: eu-west
schedule: "@every 1s"
policyFile: policy.yaml
apply: {rate: 0}
sources:
  - name: customers
    url: %s/allowlists.git
    branch: main
    path: tenants
    checks: {forge: none}
`

// worldKind is what is special about a world.
type worldKind struct {
	// clusters and percent are the blast radius.
	clusters, percent int
	// verified says that commits have to be signed; freezes, that there are
	// some. steady leaves out what would make those hard to foretell: selectors,
	// groups, Clusters made anew, moved or labelled, a clock that goes back, and
	// entries that expire, unless it expires.
	verified, freezes, steady, expires bool
}

// boundless is a blast radius that nothing exceeds.
const boundless = 100000

func kinds() []worldKind {
	return []worldKind{
		{clusters: boundless, percent: 100},
		{clusters: boundless, percent: 100, verified: true},
		{clusters: boundless, percent: 100, freezes: true, steady: true, expires: true},
		{clusters: 2, percent: 1, steady: true}, // the worlds share a seed, of which more would be a share
	}
}

const modelPolicy = `apiVersion: portcullis.dev/v1alpha1
kind: Policy
seeds:
  eu-west: {loadBalancer: metallb, platform: [{cidr: %s, description: NOC}]}
tenants: {%s}
allowOpen: true
selectors: labels
groups: {noc: [{cidr: %s}]}
breakGlass: 1h
blastRadius: {clusters: %d, percent: %d}
rules: {special-range: off}
`

// newWorld has projects of its own, named by the suffix, so that many can be on
// one seed.
func newWorld(t *testing.T, seed *rest.Config, suffix string, kind worldKind) *world {
	t.Helper()
	w := &world{t: t, seed: seed, kind: kind, forge: &memoryForge{checks: map[string]forge.Check{}}, git: newMemoryGit(t), namespace: "model-" + suffix, suffix: suffix, dir: t.TempDir(), began: time.Now()}
	var err error
	w.client, err = client.New(seed, client.Options{})
	w.must(err)
	var tenants []string
	for _, name := range modelTenants() {
		tenants = append(tenants, fmt.Sprintf("%s: {projects: [%s]}", name, w.project(name)))
	}
	w.must(w.furnishKeys())
	w.must(w.configure(nil))
	w.must(os.WriteFile(filepath.Join(w.dir, "policy.yaml"), fmt.Appendf(nil, modelPolicy, modelPlatform, strings.Join(tenants, ", "),
		modelProviders, kind.clusters, kind.percent), 0o600))
	w.observer, err = stage.Observe(t.Context(), seed, w.mine)
	w.must(err)
	t.Cleanup(func() {
		w.halt()
		if err := w.observer.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("on the way:\n%v", err)
		}
	})
	return w
}

// configure writes the Config, with freezes by cluster.
func (w *world) configure(frozen map[string]time.Time) error {
	text := fmt.Sprintf(modelConfig, w.git.URL)
	if w.kind.verified {
		text += "    verify: {pgpKeyRingFile: keys.asc}\n"
	}
	if len(frozen) > 0 {
		text += "freeze:\n"
	}
	for cluster, until := range frozen {
		text += fmt.Sprintf("  - {cluster: %q, until: %s, reason: the model says so}\n", cluster, until.Format(time.RFC3339))
	}
	return os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(text), 0o600)
}

// furnishKeys makes the key that commits are signed with.
func (w *world) furnishKeys() error {
	if !w.kind.verified {
		return nil
	}
	var err error
	if w.key, err = openpgp.NewEntity("model", "", "model@acme.example", w.clockOfKeys()); err != nil {
		return err
	}
	var out bytes.Buffer
	armored, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	if err != nil {
		return err
	}
	if err := errors.Join(w.key.Serialize(armored), armored.Close()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.dir, "keys.asc"), out.Bytes(), 0o600)
}

// clockOfKeys is the day before the world began, wherever its clock is set to.
func (w *world) clockOfKeys() *packet.Config {
	return &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return worldBegins().AddDate(-1, 0, 0) }}
}

// signer signs commits; nil where they are to be without a signature.
func (w *world) signer(signed bool) func(io.Reader) (string, error) {
	if w.key == nil || !signed {
		return nil
	}
	return func(payload io.Reader) (string, error) {
		var out strings.Builder
		err := openpgp.ArmoredDetachSign(&out, w.key, payload, w.clockOfKeys())
		return out.String(), err
	}
}

func modelTenants() []string { return []string{"acme", "globex"} }

func (w *world) project(tenant string) string { return tenant + "-" + w.suffix }

func (w *world) mine(c *unstructured.Unstructured) bool {
	return strings.HasSuffix(c.GetLabels()["project-id"], "-"+w.suffix)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func worldBegins() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }

// now is the world's time: it passes as the real one does, and can be set. It
// begins at the same moment each time.
func (w *world) now() time.Time {
	return worldBegins().Add(time.Duration(w.offset.Load()) + time.Since(w.began))
}

// always is a schedule for those who do not want to wait.
type always struct{}

func (always) Next(t time.Time) time.Time { return t.Add(8 * time.Millisecond) }

// start joins the parts and has them run.
func (w *world) start() error {
	registry := prometheus.NewRegistry()
	o := &runOptions{configFile: filepath.Join(w.dir, "config.yaml"), namespace: w.namespace, metricsAddress: "0", probeAddress: "0", registry: registry}
	config, file, err := readConfig(o.configFile)
	if err != nil {
		return err
	}
	access := rest.CopyConfig(w.seed)
	ctx, stop := context.WithCancel(context.WithoutCancel(w.t.Context()))
	mgr, r, err := o.wire(ctx, access, config, file, filepath.Join(w.dir, "data"), logr.Discard())
	if err != nil {
		stop()
		return err
	}
	r.now = w.now
	for _, f := range r.sources {
		f.pacer = source.NewPacer(always{}, func() float64 { return 0 })
		f.outbox = forge.NewOutbox(w.forge, f, forge.Options{})
		w.must(mgr.Add(leading(f.outbox.Run)))
	}
	w.states = r.controller.States
	w.must(mgr.Add(leading(r.run)))
	w.stop, w.ended = stop, make(chan error, 1)
	go w.scrape(ctx, registry)
	go func(ended chan error) { ended <- errors.Join(mgr.Start(ctx), r.close()) }(w.ended)
	return nil
}

// scrape asks for the metrics all the time, whatever goes on.
func (w *world) scrape(ctx context.Context, from prometheus.Gatherer) {
	for sleepUntil(ctx, time.Now().Add(20*time.Millisecond)) {
		if _, err := from.Gather(); err != nil && ctx.Err() == nil {
			w.t.Errorf("scrape: %v", err)
		}
	}
}

// halt ends what runs; an end by itself, before, is a failure.
func (w *world) halt() {
	w.t.Helper()
	if w.stop == nil {
		return
	}
	select {
	case err := <-w.ended:
		w.t.Errorf("it ended by itself: %v", err)
	default:
		w.stop()
		if err := <-w.ended; err != nil {
			w.t.Errorf("it ended with: %v", err)
		}
	}
	w.stop = nil
}

// running fails once it has ended by itself.
func (w *world) running() error {
	select {
	case err := <-w.ended:
		w.stop = nil
		return fmt.Errorf("it ended by itself: %w", err)
	default:
		return nil
	}
}

// lookAtOnce is how often a condition is looked at: nothing is asked of anybody.
const lookAtOnce = 2 * time.Millisecond

// await waits for a condition that takes some milliseconds.
func (w *world) await(condition func() error) error {
	const patience = 30 * time.Second
	deadline := time.Now().Add(patience)
	for {
		err := condition()
		if err == nil {
			return nil
		}
		if gone := w.running(); gone != nil || time.Now().After(deadline) {
			return errors.Join(gone, fmt.Errorf("still not so after %s: %w", patience, err))
		}
		time.Sleep(lookAtOnce)
	}
}

// followed waits until whatever the branch was moved to has been acted upon:
// the next poll sees it, and the one after that comes when it was followed.
func (w *world) followed() error {
	from := w.git.asked()
	return w.await(func() error {
		if n := w.git.asked() - from; n < 3 {
			return fmt.Errorf("%d polls", n)
		}
		return nil
	})
}

// state are the ConfigMaps of the state.
func (w *world) state(ctx context.Context) (*corev1.ConfigMapList, error) {
	var list corev1.ConfigMapList
	err := w.client.List(ctx, &list, client.InNamespace(w.namespace), client.MatchingLabels{"app.kubernetes.io/managed-by": apply.Manager})
	return &list, err
}

// approve lets a held commit go ahead, by the clock of who approves: one from
// more than an hour before the hold would be of another.
func (w *world) approve(ctx context.Context, commit string, at time.Time) error {
	return apply.Approve(ctx, w.client, w.namespace, apply.Approval{Source: "customers", Commit: commit, Reason: "the model says so", By: "model", At: at.UTC()})
}

func (w *world) create(ctx context.Context, id string, c *mCluster) error {
	strategy := "NodePort"
	if c.exposed {
		strategy = "LoadBalancer"
	}
	object := kkp.NewCluster(id, w.project(c.tenant), kkp.WithStrategy(strategy), kkp.WithLabel("env", c.env))
	if c.set {
		kkp.WithList(c.live...)(object)
	}
	return w.client.Create(ctx, object)
}

func (w *world) delete(ctx context.Context, id string) error {
	cluster, err := kkp.Get(ctx, w.client, id)
	if err != nil {
		return err
	}
	return w.client.Delete(ctx, cluster)
}
