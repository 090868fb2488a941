package apply

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// overwritten remembers the lists of ours that somebody wrote over while this
// process looked on, until ours is there again. A standby looks on as well: what
// happens between the end of a leader and its own term is not lost on it, though
// it knows no file. It is as large as what is overwritten at a time.
type overwritten struct {
	mu    sync.Mutex
	lists map[types.UID][]string
}

// addOverwritten watches the Clusters from the start, leader or not.
func (c *Controller) addOverwritten(mgr manager.Manager) error {
	informer, err := mgr.GetCache().GetInformer(context.Background(), &Cluster{}, cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watch for lists that are overwritten: %w", err)
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		UpdateFunc: func(before, after any) {
			a, isCluster := before.(*Cluster)
			if b, too := after.(*Cluster); isCluster && too {
				c.overwritten.changed(a, b)
			}
		},
		DeleteFunc: func(obj any) {
			if gone, isTombstone := obj.(toolscache.DeletedFinalStateUnknown); isTombstone {
				obj = gone.Obj
			}
			if cl, isCluster := obj.(*Cluster); isCluster {
				c.overwritten.forget(cl.UID)
			}
		},
	})
	return err
}

func (o *overwritten) changed(before, after *Cluster) {
	switch {
	case before.UID != after.UID:
		o.forget(before.UID)
	case ours(after):
		o.forget(after.UID)
	case ours(before) && before.Spec.AllowedIPRanges != nil:
		o.mu.Lock()
		defer o.mu.Unlock()
		o.lists[after.UID] = before.Spec.AllowedIPRanges.CIDRBlocks
	}
}

func (o *overwritten) forget(uid types.UID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.lists, uid)
}

// wroteOver tells whether somebody wrote over the list of a cluster that was this
// process's to keep from its first plan on, before that had it looked at: between
// two leaders, say. Of clusters that later plans have it says nothing: nobody may
// have kept them until then.
func (c *Controller) wroteOver(cl *Cluster) bool {
	if cl == nil || ours(cl) {
		return false
	}
	c.mu.Lock()
	first := c.told.old[cl.Name]
	c.mu.Unlock()
	return first && c.overwritten.lastOurs(cl) != nil
}

// lastOurs is the list that we wrote last to a Cluster, as far as it is known.
func (o *overwritten) lastOurs(c *Cluster) []string {
	if ours(c) {
		return liveList(c).CIDRs
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lists[c.UID]
}
