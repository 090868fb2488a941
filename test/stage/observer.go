package stage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	watchtools "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/kkp"
)

// Observer sees every version that a Cluster ever has, not only the last one,
// and notes what the promises forbid: a list that is absent, empty or another
// than was allowed at that time, a prefix that is not canonical, a change of
// any other field by the reconciler. Those who write lists themselves say so
// first: what is neither allowed nor announced is a fault, whoever wrote it.
//
//	o, err := stage.Observe(ctx, seed.Plane.Config, mine)
//	o.Allow("c1", list)              // may be written from now on, besides what was
//	o.Announce("c1", stage.Nothing)  // somebody else is about to write this
//	err = o.Only(ctx, map[string][][]string{"c1": {list}}) // from now on nothing but this
//	err = o.Close(ctx)               // all faults
type Observer struct {
	client  client.WithWatch
	mine    func(*unstructured.Unstructured) bool
	changes watch.Interface
	ended   chan struct{}

	mu        sync.Mutex
	allowed   map[string]map[string]bool // lines of lists by cluster
	announced map[string]map[string]bool
	last      map[string]*unstructured.Unstructured
	writes    map[string]int
	written   map[string][]string // what was written, the latest last
	versions  int
	faults    []string
	closing   bool
}

// Nothing stands for a field that is absent, among lists.
func Nothing() []string { return nil }

// Empty stands for a list that is there and empty.
func Empty() []string { return []string{} }

// Named picks one cluster.
func Named(id string) func(*unstructured.Unstructured) bool {
	return func(c *unstructured.Unstructured) bool { return c.GetName() == id }
}

// mostFaults bounds what is told: one mistake is often made everywhere.
const mostFaults = 20

// Observe begins with the Clusters that are there, whose lists are taken as
// they are; mine picks those to look at, nil takes all.
func Observe(ctx context.Context, cfg *rest.Config, mine func(*unstructured.Unstructured) bool) (*Observer, error) {
	c, err := client.NewWithWatch(cfg, client.Options{})
	if err != nil {
		return nil, fmt.Errorf("observe the clusters: %w", err)
	}
	if mine == nil {
		mine = func(*unstructured.Unstructured) bool { return true }
	}
	o := &Observer{client: c, mine: mine, ended: make(chan struct{}), allowed: map[string]map[string]bool{}, announced: map[string]map[string]bool{},
		last: map[string]*unstructured.Unstructured{}, writes: map[string]int{}, written: map[string][]string{}}
	there := clusterList()
	if err := c.List(ctx, there); err != nil {
		return nil, fmt.Errorf("observe the clusters: %w", err)
	}
	for i := range there.Items {
		o.last[there.Items[i].GetName()] = &there.Items[i]
	}
	// It outlives whoever began it, and ends with Close. A server ends watches
	// now and then, and those of who is slow: it goes on from the version seen last.
	o.changes, err = watchtools.NewRetryWatcherWithContext(context.WithoutCancel(ctx), there.GetResourceVersion(), clusterWatch{c})
	if err != nil {
		return nil, fmt.Errorf("observe the clusters: %w", err)
	}
	go o.follow()
	return o, nil
}

// clusterWatch begins watches of Clusters.
type clusterWatch struct{ client client.WithWatch }

// WatchWithContext implements cache.WatcherWithContext.
func (w clusterWatch) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return w.client.Watch(ctx, clusterList(), &client.ListOptions{Raw: &options})
}

func clusterList() *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "kubermatic.k8c.io", Version: "v1", Kind: "ClusterList"})
	return list
}

func (o *Observer) follow() {
	defer close(o.ended)
	for change := range o.changes.ResultChan() {
		cluster, ok := change.Object.(*unstructured.Unstructured)
		o.mu.Lock()
		switch {
		case o.closing: // a watch that is stopped may complain
		case !ok || change.Type == watch.Error:
			o.fault("the observer missed versions: %v", change.Object)
		case change.Type == watch.Deleted:
			delete(o.last, cluster.GetName())
		case o.mine(cluster):
			o.versions++
			o.look(cluster)
		}
		o.mu.Unlock()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closing {
		o.fault("the observer's watch ended")
	}
}

func (o *Observer) fault(format string, args ...any) {
	if len(o.faults) < mostFaults {
		o.faults = append(o.faults, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

// look judges the next version of a cluster.
func (o *Observer) look(now *unstructured.Unstructured) {
	id := now.GetName()
	before := o.last[id]
	if before != nil && before.GetUID() != now.GetUID() {
		before = nil
	}
	o.last[id] = now
	v := version{id, before, now}
	if v.byUs() {
		o.writes[id]++
		o.written[id] = append(o.written[id], time.Now().Format("15:04:05.000 ")+v.lineBefore()+" -> "+v.line())
		o.faults = append(o.faults, v.overreach()...)
	}
	if !v.moved() || before == nil && !v.ours() {
		return // the list is as it was, or as its owner made it
	}
	if line := v.line(); v.ours() && !o.allowed[id][line] {
		o.fault("%s: the reconciler wrote %s, where it was %s; allowed: %s", id, line, v.lineBefore(), lines(o.allowed[id]))
	} else if !v.ours() && !o.announced[id][line] {
		o.fault("%s: its list became %s, where it was %s, and nobody had announced that", id, line, v.lineBefore())
	}
}

func lines(set map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(set)), " or ") }

// Allow lets the reconciler write these lists to a cluster, from now on, and
// those that it might before.
func (o *Observer) Allow(id string, lists ...[]string) { o.add(o.allowed, id, lists) }

// Announce tells that somebody else is about to write such a list.
func (o *Observer) Announce(id string, lists ...[]string) { o.add(o.announced, id, lists) }

func (o *Observer) add(to map[string]map[string]bool, id string, lists [][]string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if to[id] == nil {
		to[id] = map[string]bool{}
	}
	for _, list := range lists {
		to[id][lineOf(list, list != nil)] = true
	}
}

// Only lets the reconciler write nothing but these lists to the clusters, and
// nobody else anything, from now on: what was written so far has been seen.
func (o *Observer) Only(ctx context.Context, lists map[string][][]string) error {
	if err := o.CatchUp(ctx); err != nil {
		return err
	}
	o.Reset(lists)
	return nil
}

// Reset is Only for who has caught up.
func (o *Observer) Reset(lists map[string][][]string) {
	for id, only := range lists {
		o.mu.Lock()
		delete(o.allowed, id)
		delete(o.announced, id)
		o.mu.Unlock()
		o.Allow(id, only...)
	}
}

// Live is a cluster's list as it was seen last, and whether the field is there.
func (o *Observer) Live(id string) (list []string, set bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c := o.last[id]; c != nil {
		return kkp.List(c)
	}
	return nil, false
}

// CatchUp waits until all that is there now was seen.
func (o *Observer) CatchUp(ctx context.Context) error {
	there := clusterList()
	if err := o.client.List(ctx, there); err != nil {
		return fmt.Errorf("observe the clusters: %w", err)
	}
	return Await(ctx, "the observer to have seen all", time.Minute, func(context.Context) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		for i := range there.Items {
			c := &there.Items[i]
			if seen := o.last[c.GetName()]; o.mine(c) && (seen == nil || older(seen, c)) {
				return fmt.Errorf("%s is behind", c.GetName())
			}
		}
		return nil
	})
}

// Writes is how many versions of a cluster the reconciler made.
func (o *Observer) Writes(id string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes[id]
}

// Written are the last n versions of a cluster that the reconciler made, each
// with what was there before.
func (o *Observer) Written(id string, n int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.written[id]
	return strings.Join(all[max(0, len(all)-n):], "\n")
}

// Carry counts the clusters whose list is this one, as far as was seen.
func (o *Observer) Carry(list []string) (n int) {
	want := lineOf(list, list != nil)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.last {
		if o.mine(c) && listLine(c) == want {
			n++
		}
	}
	return n
}

// Faults are what was seen so far that must not be.
func (o *Observer) Faults() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.faults) == 0 {
		return nil
	}
	return errors.New(strings.Join(o.faults, "\n"))
}

// Close ends the observation and answers its faults. One that saw nothing is
// one, too.
func (o *Observer) Close(ctx context.Context) error {
	err := o.CatchUp(ctx)
	o.mu.Lock()
	o.closing = true
	if o.versions == 0 {
		o.fault("the observer saw nothing")
	}
	o.mu.Unlock()
	o.changes.Stop()
	<-o.ended
	return errors.Join(err, o.Faults())
}
