package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// A short lease, for leaders that are lost; and one that nobody lives to see the
// end of, for those that give it back.
const (
	shortLease = "8s"
	longLease  = "1h"
)

// replica is one of several processes of a play's installation.
type replica struct {
	*stage.Replica
	p    *play
	host *stage.Gate // its way to the Git host
}

// expect awaits conditions while the processes under test come and go.
func (p *play) expect(what string, conditions ...func(context.Context) error) {
	p.t.Helper()
	p.must(stage.Await(p.ctx, what, patience, all(conditions...)))
}

// oneFile is a list that needs no other file.
const oneFile = `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: production}
spec:
  seed: eu-west
  clusters: [` + stage.ShopProd + `]
  nodeEgress: none
  entries: [{description: everywhere, cidr: 203.0.113.0/25}]
`

// replica starts another process that takes part in the election, and ends with
// the test.
func (p *play) replica(name, lease, seed string) *replica {
	p.t.Helper()
	r := &replica{p: p, host: gateTo(p.t, p.HTTP.URL)}
	var err error
	r.Replica, err = p.Replica(name, stage.ReplicaOptions{Seed: seed, Config: func(d stage.Document) {
		source := d.Source()
		source["url"] = strings.Replace(fmt.Sprint(source["url"]), p.HTTP.URL, r.host.URL, 1)
		source["insecureHTTP"] = true
	}})
	p.must(err)
	r.start(lease)
	p.t.Cleanup(func() {
		if p.t.Failed() {
			p.t.Logf("what replica %s logged:\n%s", name, tailOf(r.Log()))
		}
		if err := r.Kill(); err != nil {
			p.t.Error(err)
		}
	})
	return r
}

func (r *replica) start(lease string) {
	r.p.t.Helper()
	r.p.must(r.Start("--leader-elect", "--leader-elect-lease-duration", lease))
}

// leads is a condition: this replica is the leader.
func (r *replica) leads(context.Context) error {
	if strings.Contains(r.Log(), "This replica leads from now on") {
		return nil
	}
	return errors.Join(fmt.Errorf("%s does not lead", r.User), r.Running())
}

// standsBy is a condition: this replica has asked for the lease in vain, which
// it does once it knows the clusters.
func (r *replica) standsBy(context.Context) error {
	if n := len(r.asked(func(e servers.AuditEvent) bool { return isLease(e) && e.Verb == "get" })); n < 2 {
		return errors.Join(fmt.Errorf("%s has asked for the lease %d times", r.User, n), r.Running())
	}
	return nil
}

func isLease(e servers.AuditEvent) bool { return e.ObjectRef.Resource == "leases" }

// asked is what the replica has asked of the API server, watches aside.
func (r *replica) asked(match func(servers.AuditEvent) bool) []servers.AuditEvent {
	r.p.t.Helper()
	events, err := r.p.Seed.Plane.Audited(func(e servers.AuditEvent) bool {
		return e.User.Username == r.User && e.Verb != "watch" && e.Stage == "ResponseComplete" && match(e)
	})
	r.p.must(err)
	return events
}

// changed is what the replica has changed on the seed, the lease aside.
func (r *replica) changed() []servers.AuditEvent {
	r.p.t.Helper()
	return r.asked(func(e servers.AuditEvent) bool { return written(e) && !isLease(e) && e.ObjectRef.Resource != "events" })
}

// began is when the replica took the lease.
func (r *replica) began() time.Time {
	r.p.t.Helper()
	taken := r.asked(func(e servers.AuditEvent) bool { return isLease(e) && written(e) })
	if len(taken) == 0 {
		r.p.t.Fatalf("%s never had the lease", r.User)
	}
	return taken[0].Time
}

// pushed is when the replica asked to push notes.
func (r *replica) pushed() []time.Time {
	var out []time.Time
	for _, q := range r.host.Requests() {
		if q.Service == "git-receive-pack" || q.Method == http.MethodPost && strings.HasSuffix(q.Path, "git-receive-pack") {
			out = append(out, q.Time)
		}
	}
	return out
}

// quickly has a rollout over the fleet take some seconds, and no guard hold it.
func quickly() stage.Options {
	return stage.Options{
		Config: func(d stage.Document) { d["apply"] = map[string]any{"rate": fleet / fleetSeconds} },
		Policy: func(d stage.Document) { d["blastRadius"] = map[string]any{"clusters": 1000, "percent": 100} },
	}
}

// rollout is a change of the lists of a fleet, with a part of it done.
type rollout struct {
	ids       []string
	old, next []string
	commit    string
	begun     time.Time
}

func (p *play) rollout(leader *replica) rollout {
	p.t.Helper()
	list := func(cidr string) []string { return []string{cidr, "192.0.2.0/28"} }
	o := rollout{ids: p.fleet(), old: list("203.0.113.0/24"), next: list("203.0.113.0/25")}
	first := p.write("acme/fleet.yaml", fleetFile(o.ids, "203.0.113.0/24"))
	p.expect("the leader", leader.leads)
	p.expect("the first list", p.everywhere(o.ids, o.old), p.Noted(first, stage.Success))
	o.begun = time.Now()
	o.commit = p.write("acme/fleet.yaml", fleetFile(o.ids, "203.0.113.0/25"))
	p.expect("a part of the rollout", func(ctx context.Context) error {
		if n, err := p.carry(ctx, o.ids, o.next); err != nil || n < fleet/6 {
			return fmt.Errorf("%d clusters: %w", n, err)
		}
		return nil
	})
	return o
}

// onceEach fails where a cluster was written more than once in the rollout, by
// whomever.
func (o rollout) onceEach(t *testing.T, replicas ...*replica) {
	t.Helper()
	writes, own := map[string]int{}, map[string]bool{}
	for _, id := range o.ids {
		own[replicas[0].p.Own(id)] = true
	}
	for _, r := range replicas {
		for _, e := range r.changed() {
			if own[e.ObjectRef.Name] && e.Time.After(o.begun) {
				writes[e.ObjectRef.Name]++
			}
		}
	}
	if len(writes) != len(o.ids) {
		t.Errorf("%d clusters were written", len(writes))
	}
	for id, n := range writes {
		if n > 1 {
			t.Errorf("%s was written %d times", id, n)
		}
	}
}

// TestStandbyTakesOverFromAKilledLeader in the middle of a rollout, with a
// commit that comes in while nobody leads.
func TestStandbyTakesOverFromAKilledLeader(t *testing.T) {
	t.Parallel()
	p := set(t, quickly())
	old := p.replica("old", shortLease, "")
	p.expect("the leader", old.leads)
	next := p.replica("next", shortLease, "")
	p.expect("the standby", next.standsBy)
	seen := p.watch()
	o := p.rollout(old)
	p.must(old.Kill())
	n, err := p.carry(p.ctx, o.ids, o.next)
	p.must(err)
	t.Logf("killed with the new list on %d clusters", n)
	p.must(p.Create(p.ctx, stage.ExampleClusters()...))
	gap := p.write("acme/production.yaml", oneFile)
	p.expect("the standby to lead", next.leads)
	p.expect("the end of the rollout, and what came in the gap", p.everywhere(o.ids, o.next), p.InForce(stage.ShopProd, o.next...),
		p.Noted(o.commit, stage.Success, "60 lists in force"), p.Noted(gap, stage.Success))
	o.onceEach(t, old, next)
	lists := seen()
	for _, list := range [][]string{o.old, o.next} {
		delete(lists, lineOf(list))
	}
	if delete(lists, "none"); len(lists) > 0 { // clusters are made without a list
		t.Errorf("on the way there were other lists: %v", lists)
	}
}

// TestOldLeaderWritesNothingOnceANewOneBegan has a leader lose touch in the
// middle of a rollout, with requests under way and its Git host within reach.
// It ends by itself.
func TestOldLeaderWritesNothingOnceANewOneBegan(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*play, *stage.Pipe, *replica) (found func()){
		"the API server out of reach": func(_ *play, pipe *stage.Pipe, _ *replica) func() {
			pipe.Hold()
			return pipe.Let
		},
		"its machine hangs": func(p *play, _ *stage.Pipe, old *replica) func() {
			p.must(old.Pause())
			return func() { p.must(old.Resume()) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pipe := pipeToSeed(t)
			p := set(t, quickly())
			old := p.replica("old", shortLease, pipe.Address)
			p.expect("the leader", old.leads)
			next := p.replica("next", shortLease, "")
			p.expect("the standby", next.standsBy)
			o := p.rollout(old)
			find := lose(p, pipe, old)
			p.expect("the standby to lead", next.leads)
			find()
			code, err := old.Wait(p.ctx, stage.Exits)
			p.must(err)
			if code == 0 {
				t.Error("the old leader ended as if all were well")
			}
			p.expect("the end of the rollout", p.everywhere(o.ids, o.next), p.Noted(o.commit, stage.Success, "60 lists in force"))
			began := next.began()
			for _, e := range old.asked(written) {
				if e.Time.After(began) {
					t.Errorf("after the new leader began, the old one did %s %s: %d", e.Verb, e.RequestURI, e.ResponseStatus.Code)
				}
			}
			for _, at := range old.pushed() {
				if at.After(began) {
					t.Error("after the new leader began, the old one pushed notes")
				}
			}
			// It comes back as a standby, which the new leader need not notice.
			old.start(shortLease)
			sha := p.write("acme/fleet.yaml", fleetFile(o.ids, "203.0.113.0/24"))
			p.expect("the next commit", p.everywhere(o.ids, o.old), p.Noted(sha, stage.Success))
		})
	}
}

// TestCleanEndHandsOver to a standby that was started before there was anything
// to know. Until then it has asked for the lease and for the clusters, and
// nothing else of anybody; then it goes by what is true now, and finds nothing
// to do. The lease would last for an hour.
func TestCleanEndHandsOver(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	old := p.replica("old", longLease, "")
	p.expect("the leader", old.leads)
	next := p.replica("next", longLease, "")
	p.expect("the standby", next.standsBy)

	first := p.populate()
	p.expect("the first sync", p.InForce(stage.ShopProd, stage.ProdList()...), p.Noted(first, stage.Failure, stage.Reports))
	p.edit("acme/production.yaml", "203.0.113.0/24", "10.0.0.1/8")
	p.expect("a refusal", p.Noted(p.head(), stage.Failure, "host-bits"))
	policy, err := p.ReadPolicy()
	p.must(err)
	seeds, _ := policy["seeds"].(map[string]any)
	seed, _ := seeds["eu-west"].(map[string]any)
	platform, _ := seed["platform"].([]any)
	seed["platform"] = append(platform, map[string]any{"cidr": "192.0.2.112/28", "description": "another office of ours"})
	p.must(p.WritePolicy(policy))
	wider := append(stage.ProdList(), "192.0.2.112/28")
	p.expect("the changed policy", p.InForce(stage.ShopProd, wider...))
	quietly(old)

	for _, e := range next.asked(func(e servers.AuditEvent) bool { return e.Verb != "get" && e.Verb != "list" }) {
		t.Errorf("the standby asked to %s %s", e.Verb, e.RequestURI)
	}
	if reads := next.asked(func(e servers.AuditEvent) bool {
		return e.ObjectRef.Resource == "configmaps" && e.ObjectRef.Name != "portcullis-approvals" && e.ObjectRef.Name != ""
	}); len(reads) > 0 {
		t.Errorf("the standby read state:\n%s", describe(reads))
	}
	if polled := next.host.Requests(); len(polled) > 0 {
		t.Errorf("the standby asked the Git host %d times, for %s first", len(polled), polled[0].Path)
	}

	p.must(old.Stop(p.ctx)) // fails unless the exit code is 0
	p.expect("the standby to lead", next.leads)
	polls := len(next.host.Requests())
	p.expect("polls", func(context.Context) error {
		if n := len(next.host.Requests()) - polls; n < 5 {
			return fmt.Errorf("%d requests", n)
		}
		return nil
	})
	for _, e := range next.changed() {
		// Its way to the Git host is another, and the state says which.
		if e.ObjectRef.Resource != "configmaps" {
			t.Errorf("the new leader did %s %s", e.Verb, e.RequestURI)
		}
	}
	if n := len(next.pushed()); n > 0 {
		t.Errorf("the new leader pushed notes, in %d requests", n)
	}
	p.holds(p.InForce(stage.ShopProd, wider...))
	sha := p.edit("acme/production.yaml", "10.0.0.1/8", "203.0.113.0/25")
	p.expect("the next commit", p.Noted(sha, stage.Success), p.InForce(stage.ShopProd,
		slices.Insert(slices.DeleteFunc(slices.Clone(wider), func(s string) bool { return s == "203.0.113.0/24" }), 0, "203.0.113.0/25")...))
}

// quietly waits until a replica writes nothing any more.
func quietly(r *replica) {
	r.p.t.Helper()
	for before := -1; before != len(r.changed()); {
		before = len(r.changed())
		from := len(r.host.Requests())
		r.p.expect("polls", func(context.Context) error {
			if n := len(r.host.Requests()) - from; n < 3 {
				return fmt.Errorf("%d requests", n)
			}
			return nil
		})
	}
}

// TestStandbyIsReady: a rollout of the Deployment waits for that.
func TestStandbyIsReady(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	p.HTTP.Meter.Away() // which makes nobody unready
	leader := p.replica("leader", longLease, "")
	p.expect("the leader", leader.leads)
	standby, err := p.Replica("standby", stage.ReplicaOptions{})
	p.must(err)
	t.Cleanup(func() {
		if err := standby.Kill(); err != nil {
			t.Error(err)
		}
	})
	address := freeAddress(t)
	p.must(standby.Start("--leader-elect", "--probe-address", address))
	for _, path := range []string{"/readyz", "/healthz"} {
		p.expect(path, func(ctx context.Context) error {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
			if err != nil {
				return err
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return errors.Join(err, standby.Running())
			}
			defer response.Body.Close()
			if response.StatusCode != http.StatusOK {
				return fmt.Errorf("%s", response.Status)
			}
			return nil
		})
	}
	if strings.Contains(standby.Log(), "This replica leads") {
		t.Error("it is not a standby")
	}
	p.must(standby.Stop(p.ctx))
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestTwoInstallationsOnOneSeed: with different namespaces no lease keeps them
// apart, and their repositories want different lists. Both say so where
// operators and tenants look, nothing is open at any moment, and the fight has a
// bound.
func TestTwoInstallationsOnOneSeed(t *testing.T) {
	t.Parallel()
	p, _ := begin(t, stage.Options{})
	other, address, err := p.NewRepository(p.ctx, "another", stage.Tenants)
	p.must(err)
	_, err = other.Push(p.ctx, stage.Commit{Message: "The same cluster", Write: map[string]string{
		"acme/production.yaml": oneFile}})
	p.must(err)
	second, err := p.Replica("second", stage.ReplicaOptions{Namespace: p.Namespace + "-b", Config: func(d stage.Document) { d.Source()["url"] = address }})
	p.must(err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the other installation logged:\n%s", tailOf(second.Log()))
		}
		if err := second.Kill(); err != nil {
			t.Error(err)
		}
	})
	seen := p.watch()
	p.must(second.Start())
	const words = "another portcullis installation"
	p.await("both to say so", func(ctx context.Context) error {
		events, err := p.Events(ctx, stage.ShopProd)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(events, func(s string) bool { return strings.Contains(s, words) }) {
			return fmt.Errorf("the cluster's events are %v", events)
		}
		for _, log := range []string{p.Run.Log(), second.Log()} {
			if !strings.Contains(log, words) {
				return errors.New("one of them does not log it")
			}
		}
		for _, namespace := range []string{p.Namespace, p.Namespace + "-b"} {
			out, _ := p.command("status", "--namespace", namespace, p.Own(stage.ShopProd))
			if !strings.Contains(out, "Contested") {
				return fmt.Errorf("status in %s says %s", namespace, out)
			}
		}
		return nil
	})
	writes := func() int {
		n := len(p.requests(isClusterWrite))
		events, err := p.Seed.Plane.Audited(func(e servers.AuditEvent) bool { return e.User.Username == second.User && isClusterWrite(e) })
		p.must(err)
		return n + len(events)
	}
	before := writes()
	p.morePolls(8) // a second each
	if n := writes() - before; n > 8 {
		t.Errorf("they wrote %d times in 8 polls", n)
	}
	if lists := seen(); lists["none"] > 0 || lists[lineOf(nil)] > 0 {
		t.Errorf("something was open on the way: %v", lists)
	}
	p.must(second.Stop(p.ctx))
}

// TestTwoWithoutAnElection in one namespace: the state gives them away to each
// other. One ends, and the other's work is not undone.
func TestTwoWithoutAnElection(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	p.populate()
	var both []*stage.Replica
	for _, name := range []string{"a", "b"} {
		r, err := p.Replica(name, stage.ReplicaOptions{})
		p.must(err)
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("what %s logged:\n%s", name, tailOf(r.Log()))
			}
			if err := r.Kill(); err != nil {
				t.Error(err)
			}
		})
		p.must(r.Start())
		both = append(both, r)
	}
	running := func() []*stage.Replica {
		return slices.DeleteFunc(slices.Clone(both), func(r *stage.Replica) bool { return r.Running() != nil })
	}
	p.expect("the lists", p.InForce(stage.ShopProd, stage.ProdList()...))
	// Where both wrote the very same down until now, they meet at the next commit.
	p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	p.expect("one to end, and the lists", p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...), func(context.Context) error {
		if n := len(running()); n != 1 {
			return fmt.Errorf("%d run", n)
		}
		return nil
	})
	for _, r := range both {
		if r.Running() == nil {
			continue
		}
		if code, err := r.Wait(p.ctx, patience); err != nil || code == 0 || !strings.Contains(r.Log(), "state was changed by someone else") {
			t.Errorf("it ended with %d, %v", code, err)
		}
	}
	p.must(running()[0].Stop(p.ctx))
}

func isClusterWrite(e servers.AuditEvent) bool {
	return e.Stage == "ResponseComplete" && e.Verb == "patch" && e.ObjectRef.Resource == "clusters"
}

// pipeToSeed is a way to the API server, for one user.
func pipeToSeed(t *testing.T) *stage.Pipe {
	t.Helper()
	host := seed(t).Plane.Config.Host
	if u, err := url.Parse(host); err == nil && u.Host != "" {
		host = u.Host
	}
	pipe, err := stage.NewPipe(host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pipe.Cut(); err != nil {
			t.Error(err)
		}
	})
	return pipe
}
