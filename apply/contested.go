package apply

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/portcullis-gitops/portcullis/render"
)

// contested is the state of a cluster whose list is fought over. Its words do
// not change from one blow to the next: what stands tells of the last.
func contested(f *Foreign) ClusterState {
	st := say(Contested, "%s keeps changing the list; it is put right all the same, the sooner if it lets in more: have the other writer stopped", f.Writer)
	st.Beneath = Pending
	return st
}

// contestedOver is the state of a cluster whose list is in force for the
// moment.
func contestedOver(st, fought ClusterState) ClusterState {
	fought.Beneath, fought.Unsupported, fought.Trouble = st.State, st.Unsupported, st.Trouble
	if st.State == Held {
		fought = say(Contested, "%s; besides: %s", fought.Message, st.Message)
		fought.Beneath, fought.Trouble = st.Beneath, st.Trouble
	}
	return fought
}

// inForce is called when a list is in force on the Cluster, and lets the time
// for one set by hand be had again once it is on the Service, too.
func (c *Controller) inForce(w *render.Wanted, cl *Cluster, m *memory, st ClusterState) {
	if m.standing.ByHand == nil {
		return
	}
	c.endByHand(w, cl, m, "the list in Git was set again")
	if st.State == Synced || st.State == Held && st.Beneath == Synced {
		m.standing.ByHand = nil
	}
}

// Restore takes up what an earlier process knew of clusters; it is called
// before the first SetPlan.
func (c *Controller) Restore(standing map[string]Standing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.restored = map[string]Standing{}
	for id, s := range standing {
		c.restored[id] = s
	}
}

// recall is the memory that an earlier process left.
func recall(s Standing) *memory {
	if s.empty() {
		return &memory{}
	}
	return &memory{uid: types.UID(s.UID), standing: s, looked: true, kept: s.Foreign != nil || s.ByHand != nil}
}

// publish is what stands, for others to read; nil if nothing does.
func (m *memory) publish() *Standing {
	if m.standing.empty() {
		return nil
	}
	out := m.standing
	out.UID = string(m.uid)
	return &out
}

// mostWriters bounds the names that are counted: any client chooses its own.
const mostWriters = 100

func (c *Controller) countPutRight(by string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	by = clip(by, maxWriter)
	if _, known := c.putRight[by]; !known && len(c.putRight) >= mostWriters {
		by = "others"
	}
	c.putRight[by]++
}

// PutRight counts the foreign writes that this process put right, by the
// field manager that made them: at most a hundred, and "others".
func (c *Controller) PutRight() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]int64, len(c.putRight))
	for by, n := range c.putRight {
		out[by] = n
	}
	return out
}
