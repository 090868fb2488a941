package console_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// viewers are the groups of those who read, in the rig of limited pages.
var viewers = []string{"ops", "kkp-acmeproj1,kkp-acmeproj2", "kkp-acmeproj1", "kkp-globex", "kkp-nobody"}

// TestNothingIsLeftOver: whatever changes between two looks, and whoever looked
// before, what is kept for the next request is what a console would make that was
// never asked before.
func TestNothingIsLeftOver(t *testing.T) {
	t.Parallel()
	asked := []string{"/", "/?state=Applied", "/?q=prod&tenant=acme", "/?datacenter=dc-b", "/api/v1/status"}
	rapid.Check(t, func(rt *rapid.T) {
		old, w := serve(t, limited()), world(t, files)
		defer old.Close()
		for range rapid.IntRange(1, 4).Draw(rt, "worlds") {
			w = changed(rt, w)
			next := w
			old.world.Store(&next)
			old.passed.Add(int64(rapid.SampledFrom([]time.Duration{10 * time.Second, 20 * time.Second, time.Hour}).Draw(rt, "later")))
			fresh := serve(t, limited())
			fresh.world.Store(&next)
			fresh.passed.Store(old.passed.Load())
			for _, viewer := range rapid.Permutation(viewers).Draw(rt, "viewers") {
				for _, path := range asked {
					a, b := old.get(t, path, "X-Groups", viewer), fresh.get(t, path, "X-Groups", viewer)
					if a.status != http.StatusOK || a.body != b.body || a.header.Get("ETag") != b.header.Get("ETag") {
						rt.Fatalf("%s of %s: %d\n%s\nwant\n%s", path, viewer, a.status, a.body, b.body)
					}
				}
			}
			fresh.Close()
		}
	})
}

// changed is another world: clusters that came into other states, were renamed,
// came or went, lists that are other ones, a commit that was taken up.
func changed(rt *rapid.T, w console.World) console.World {
	w.States, w.Inventory.Clusters = maps.Clone(w.States), maps.Clone(w.Inventory.Clusters)
	w.Plan = &render.Plan{Now: w.Plan.Now, Clusters: maps.Clone(w.Plan.Clusters), Findings: w.Plan.Findings, ByHand: w.Plan.ByHand}
	ids := slices.Sorted(maps.Keys(w.Plan.Clusters))
	for range rapid.IntRange(0, 3).Draw(rt, "changes") {
		id := rapid.SampledFrom(ids).Draw(rt, "cluster")
		switch c := w.Inventory.Clusters[id]; rapid.IntRange(0, 5).Draw(rt, "change") {
		case 0:
			w.States[id] = apply.ClusterState{State: rapid.SampledFrom(console.States()).Draw(rt, "state"), Message: rapid.SampledFrom([]string{"", "so <b>", "\n  \"clusters\": []"}).Draw(rt, "message"), Since: now.Add(-time.Minute)}
		case 1:
			delete(w.States, id)
		case 2:
			c.Name = rapid.SampledFrom([]string{"", "prod", "a & b"}).Draw(rt, "name")
			w.Inventory.Clusters[id] = c
		case 3:
			delete(w.Plan.Clusters, id)
		case 4:
			w.Plan.Clusters["new"+id] = w.Plan.Clusters[ids[0]]
			w.Inventory.Clusters["new"+id] = render.Cluster{ID: "new" + id, Project: rapid.SampledFrom([]string{"acmeproj1", "globex"}).Draw(rt, "project"), Datacenter: "dc-new"}
		case 5:
			w.Sources = slices.Clone(w.Sources)
			w.Sources[0].State.Accepted = strings.Repeat(rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "commit"), 40)
		}
		for gone := range w.Plan.Clusters {
			if w.Plan.Clusters[gone] == nil {
				delete(w.Plan.Clusters, gone)
			}
		}
	}
	return w
}

// TestStatusIsIndented: the document is put together from its clusters, and is
// what encoding/json would have made of it.
func TestStatusIsIndented(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	for _, viewer := range viewers {
		g := r.get(t, "/api/v1/status", "X-Groups", viewer)
		var s console.Status
		if err := json.Unmarshal([]byte(g.body), &s); err != nil {
			t.Fatalf("%s: %v", viewer, err)
		}
		want, err := json.MarshalIndent(s, "", "  ")
		if err != nil || g.body != string(want)+"\n" {
			t.Errorf("%s: %v\n%s\nwant\n%s", viewer, err, g.body, want)
		}
		if !slices.IsSortedFunc(s.Clusters, func(a, b apply.Observed) int { return strings.Compare(a.ID, b.ID) }) || viewer == "ops" && len(s.Clusters) == 0 {
			t.Errorf("%s: %v", viewer, s.Clusters)
		}
	}
}

// TestTags: who has the status as it is gets no other copy; who has another one,
// or another viewer's, gets his own.
func TestTags(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	first := r.get(t, "/api/v1/status", "X-Groups", "ops")
	tag := first.header.Get("ETag")
	for _, c := range []struct {
		viewer, sent string
		status       int
	}{{"ops", tag, 304}, {"ops", `"other", W/` + tag, 304}, {"ops", `"other"`, 200}, {"ops", strings.Trim(tag, `"`), 200}, {"kkp-globex", tag, 200}} {
		g := r.get(t, "/api/v1/status", "X-Groups", c.viewer, "If-None-Match", c.sent)
		if g.status != c.status || (g.body == "") != (c.status == 304) || g.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s of %s: %d, %d bytes", c.sent, c.viewer, g.status, len(g.body))
		}
		if c.viewer == "kkp-globex" && (g.header.Get("ETag") == tag || strings.Contains(g.body, "shopprod01")) {
			t.Errorf("globex is answered as everybody: %s", g.body)
		}
	}
	if g := r.get(t, "/api/v1/status", "If-None-Match", tag); g.status == http.StatusNotModified {
		t.Error("a tag opens what is limited")
	}
	next := world(t, files)
	next.States["shopprod01"] = apply.ClusterState{State: apply.Contested}
	r.world.Store(&next)
	r.passed.Add(int64(2 * time.Second))
	if g := r.get(t, "/api/v1/status", "X-Groups", "ops", "If-None-Match", tag); g.status != http.StatusOK || g.header.Get("ETag") == tag {
		t.Errorf("news are not sent: %d", g.status)
	}
}

// TestAgesGoOn: a page that is kept for others is a second old at most.
func TestAgesGoOn(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	mentions(t, r.get(t, "/"), "taken up 1 h ago")
	w := *r.world.Load()
	r.passed.Add(int64(61 * time.Minute))
	r.world.Store(&w)
	mentions(t, r.get(t, "/"), "taken up 2 h ago")
}
