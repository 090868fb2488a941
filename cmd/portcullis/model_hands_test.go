package main

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// pauseAnnotation is by which a tenant asks for a list by hand to stay.
const pauseAnnotation = "portcullis.dev/pause-until"

func withAnnotation(value string) kkp.Option {
	return func(u *unstructured.Unstructured) {
		all := u.GetAnnotations()
		if all == nil {
			all = map[string]string{}
		}
		all[pauseAnnotation] = value
		u.SetAnnotations(all)
	}
}

// restricted picks a cluster with a list in force that others may still be
// let write to so often.
func (h *history) restricted(more int) (string, *mCluster) {
	ids := slices.DeleteFunc(h.ids(), func(id string) bool {
		c := h.clusters[id]
		return !c.exposed || c.good == nil || c.good.access != "restricted" || c.byHand != nil || c.foreign+more > mostByHand
	})
	if len(ids) == 0 {
		return "", nil
	}
	id := ids[h.random.IntN(len(ids))]
	return id, h.clusters[id]
}

// byHand has a tenant set a list in the dashboard and ask for it to stay, which
// the policy grants. It stays over a commit and a restart, and goes once nobody
// asks for it any more. One that opens the cluster never stays.
func (h *history) byHand() {
	id, c := h.restricted(2)
	if c == nil {
		return
	}
	own := h.observerList(id)
	refused := [][]string{stage.Nothing(), stage.Empty(), {"0.0.0.0/0"}, {"10.0.0.1/8"}}
	if hasIPv6(own) {
		refused = append(refused, []string{"198.51.100.0/25"}) // the other family would be open
	}
	h.setByHand(id, refused[h.random.IntN(len(refused))], false)
	h.agree("a list by hand that opens")
	wish := []string{"198.51.100.0/25", "2001:db8:77::/48"}
	h.setByHand(id, wish, true)
	h.agree("a list by hand")
	if h.random.IntN(3) == 0 {
		h.restart()
		h.agree("a restart while a list is kept by hand")
	}
	h.note("the list of %s is kept by hand no longer", id)
	h.writes[id]++
	h.change(func() { c.byHand = nil })
	h.must(kkp.Update(h.ctx, h.client, id, withAnnotation(time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))))
}

func (h *history) observerList(id string) []string {
	list, _ := h.observer.Live(id)
	return list
}

func (h *history) setByHand(id string, list []string, stays bool) {
	c := h.clusters[id]
	c.foreign++
	h.note("somebody sets the list of %s to %v (set: %t) and asks for it to stay", id, list, list != nil)
	h.observer.Announce(id, list)
	h.writes[id]++
	h.change(func() {
		if c.live, c.set = list, list != nil; stays {
			c.byHand = list
		}
	})
	how := kkp.WithoutList()
	if list != nil {
		how = kkp.WithList(list...)
	}
	h.must(kkp.Update(h.ctx, h.client, id, how, withAnnotation(time.Now().Add(time.Hour).UTC().Format(time.RFC3339))))
}

// fight has somebody set a list again and again. That is told; what lets in more
// is put right all the same, and what lets in less may stay for minutes. The
// cluster is made anew in the end, which nobody fights over.
func (h *history) fight() {
	const untilItIsOne = 6
	id, c := h.restricted(mostByHand)
	if c == nil || h.keptFor(id) {
		return
	}
	for range untilItIsOne {
		h.blow(id, []string{"0.0.0.0/0"})
		h.agree("a blow")
	}
	c.fought = true
	h.must(h.await(func() error {
		if s := h.states()[id]; s.State != apply.Contested {
			return fmt.Errorf("%s is %s, %s: not Contested", id, s.State, s.Message)
		}
		return nil
	}))
	h.blow(id, [][]string{stage.Nothing(), stage.Empty(), {"0.0.0.0/0"}}[h.random.IntN(3)])
	h.agree("a blow that opens, in a fight")
	list := slices.DeleteFunc(slices.Clone(h.observerList(id)), func(p string) bool { return p == modelPlatform })
	h.blow(id, list)
	h.change(func() { c.byHand = list })
	h.agree("a blow that closes, in a fight")
	c.byHand = nil
	anew := &mCluster{tenant: c.tenant, env: c.env, exposed: true}
	if c.good.claimed { // what was accepted for it is nothing new to a guard
		anew.good, anew.held = c.good, c.held
	}
	h.remake(id, anew)
}

// blow is one in a fight.
func (h *history) blow(id string, list []string) { h.write(id, list, ", once more") }
