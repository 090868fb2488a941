package fault_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// patience is how long a condition may take to come true, on a machine that
// does other things as well.
const patience = 3 * time.Minute

// play is a stage of one test, with a fleet of clusters of one tenant, an
// observer of them, and a way to the API server that can be broken. Its methods
// fail the test.
type play struct {
	*stage.Stage
	*stage.Observer
	t     *testing.T
	ctx   context.Context
	ids   []string
	bare  bool // the clusters have no namespaces, and so no Services
	proxy *servers.APIProxy
	pipe  *stage.Pipe // before the proxy
}

// set makes a stage with so many clusters, whose lists are applied at so many a
// second; all of it ends with the test.
func set(t *testing.T, clusters, rate int, o stage.Options) *play {
	t.Helper()
	return setPlay(&play{t: t, ctx: t.Context()}, clusters, rate, o)
}

// setBare is set, with clusters that KKP has not come to yet: what becomes of
// many lists in their Services would take most of the time.
func setBare(t *testing.T, clusters, rate int, o stage.Options) *play {
	t.Helper()
	return setPlay(&play{t: t, ctx: t.Context(), bare: true}, clusters, rate, o)
}

func setPlay(p *play, clusters, rate int, o stage.Options) *play {
	t := p.t
	t.Helper()
	servers.Need(t, "etcd", "kube-apiserver")
	seed, err := shared.seed()
	p.must(err)
	o.Binary, err = shared.binary()
	p.must(err)
	o.Dir, o.Suffix, o.HTTP, o.Way = t.TempDir(), suffix(), o.Host == nil, p.way
	before, more := o.Config, o.Policy
	o.Config = func(d stage.Document) {
		d["apply"] = map[string]any{"rate": rate}
		if before != nil {
			before(d)
		}
	}
	o.Policy = func(d stage.Document) {
		d["blastRadius"] = map[string]any{"clusters": 100000, "percent": 100}
		if more != nil {
			more(d)
		}
	}
	p.Stage, err = stage.New(p.ctx, seed, o)
	p.must(err)
	t.Cleanup(p.end)
	for i := range clusters {
		p.ids = append(p.ids, fmt.Sprintf("fleet%03dxyz", i))
		p.must(p.Create(p.ctx, stage.Cluster{ID: p.ids[i], Project: stage.AcmeProject, NoNamespace: p.bare}))
	}
	project := p.Own(stage.AcmeProject) // known once: the observer asks of each version
	p.Observer, err = stage.Observe(p.ctx, seed.Plane.Config, func(c *unstructured.Unstructured) bool {
		return c.GetLabels()["project-id"] == project
	})
	p.must(err)
	return p
}

// way puts proxy and pipe between the reconciler and the API server.
func (p *play) way(user *rest.Config) (*rest.Config, error) {
	var err error
	if p.proxy, err = servers.StartAPIProxy(user); err != nil {
		return nil, err
	}
	if p.pipe, err = stage.NewPipe(p.proxy.Address()); err != nil {
		return nil, err
	}
	return &rest.Config{Host: "http://" + p.pipe.Address}, nil
}

// end tells what the observer saw: whatever else a test is about, that counts.
func (p *play) end() {
	ctx := context.WithoutCancel(p.ctx)
	if p.Observer != nil {
		if err := p.Observer.Close(ctx); err != nil {
			p.t.Errorf("on the way:\n%v", err)
		}
	}
	if p.t.Failed() {
		log := p.Run.Log()
		p.t.Logf("what portcullis logged:\n%s", log[max(0, len(log)-12_000):])
	}
	if err := errors.Join(p.Stage.Close(ctx), p.pipe.Cut(), p.proxy.Stop()); err != nil {
		p.t.Error(err)
	}
}

func (p *play) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *play) start() {
	p.t.Helper()
	p.must(p.Run.Start())
}

// await waits until all conditions hold at once.
func (p *play) await(what string, conditions ...func(context.Context) error) {
	p.t.Helper()
	p.must(p.Await(p.ctx, what, patience, all(conditions...)))
}

func all(conditions ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, condition := range conditions { // the cheap ones stand first
			if err := condition(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// list is what a cluster of the fleet is to carry, for an edition of its file.
func list(edition int) []string {
	return []string{fmt.Sprintf("203.0.113.%d/32", edition%256), fmt.Sprintf("2001:db8:%x::/48", edition+1), "192.0.2.0/28"}
}

const fleetPath = "acme/fleet.yaml"

func (p *play) file(edition int) string {
	l := list(edition)
	return `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: fleet}
spec:
  seed: eu-west
  clusters: [` + strings.Join(p.ids, ", ") + `]
  nodeEgress: none
  entries: [{description: everywhere, cidrs: ["` + l[0] + `", "` + l[1] + `"]}]
`
}

// change is the commit of an edition. From now on its lists may be written.
func (p *play) change(edition int) stage.Commit {
	for _, id := range p.ids {
		p.Allow(p.Own(id), list(edition))
	}
	return stage.Commit{Message: fmt.Sprint("Edition ", edition), Write: map[string]string{fleetPath: p.file(edition)}}
}

// push pushes an edition past all faults: the repository's folder is here.
func (p *play) push(edition int) string {
	p.t.Helper()
	sha, err := p.Commit(p.ctx, p.change(edition))
	p.must(errors.Join(err, p.PushLocally(p.ctx)))
	return sha
}

// part is a condition: so many clusters, or more, carry an edition's list.
func (p *play) part(edition, least int) func(context.Context) error {
	return func(context.Context) error {
		if n := p.Carry(list(edition)); n < least {
			return fmt.Errorf("%d clusters carry edition %d, not %d", n, edition, least)
		}
		return nil
	}
}

// everywhere is a condition: all clusters carry an edition's list.
func (p *play) everywhere(edition int) func(context.Context) error {
	return p.part(edition, len(p.ids))
}

// noted is a condition: a commit is told that its lists are in force, or, where
// KKP has made no namespaces, that they are written.
func (p *play) noted(sha string) func(context.Context) error {
	if p.bare {
		return p.Noted(sha, stage.Success, fmt.Sprintf("%d lists written, waiting for KKP", len(p.ids)))
	}
	return p.Noted(sha, stage.Success, fmt.Sprintf("%d lists in force", len(p.ids)))
}

// begin starts the command and waits until the first edition is in force.
func (p *play) begin() {
	p.t.Helper()
	sha := p.push(0)
	p.start()
	p.await("the first edition", p.everywhere(0), p.noted(sha))
	p.settle(0)
}

// settle says that nothing but an edition's list may be written from now on.
func (p *play) settle(edition int) {
	p.t.Helper()
	only := map[string][][]string{}
	for _, id := range p.ids {
		only[p.Own(id)] = [][]string{list(edition)}
	}
	p.must(p.Only(p.ctx, only))
}

// writes are the requests that changed Clusters, as the API server answered
// them, by cluster.
func (p *play) writes() map[string]int {
	p.t.Helper()
	events, err := p.Seed.Plane.Audited(func(e servers.AuditEvent) bool {
		return e.User.Username == p.User && e.Stage == "ResponseComplete" && e.Verb != "get" && e.Verb != "list" && e.Verb != "watch" &&
			e.ObjectRef.Resource == "clusters" && e.ResponseStatus.Code < 300
	})
	p.must(err)
	counts := map[string]int{}
	for _, e := range events {
		counts[e.ObjectRef.Name]++
	}
	return counts
}

// needed fails where a cluster was written more often than so many times since,
// and more than that by what a lost answer may cost.
func (p *play) needed(since map[string]int, times map[string]int, lost int) {
	p.t.Helper()
	for id, n := range p.writes() {
		want := 1
		if more, ok := times[id]; ok {
			want = more
		}
		if got := n - since[id]; got > want+lost {
			p.t.Errorf("%s was written %d times, where %d was needed and %d answers can have been lost", id, got, want, lost)
		}
	}
}

// logged is a condition: the command has logged one of the words.
func (p *play) logged(words ...string) func(context.Context) error {
	return func(context.Context) error {
		log := p.Run.Log()
		if !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(log, w) }) {
			return fmt.Errorf("the log says none of %q", words)
		}
		return nil
	}
}
