package render_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// Plans follow each other by time at whole seconds, however close together a
// tenant has its entries expire; each entry is gone a second after it expired
// at the latest.
func TestPlansAreASecondApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.now.Add(time.Hour)
	text := allowlist("storm", "shopprod01", office)
	const entries = 40
	for i := range entries {
		text += fmt.Sprintf("    - {cidr: 198.51.100.%d, expires: %q}\n", 2*i, first.Add(time.Duration(i)*50*time.Millisecond).Format(time.RFC3339Nano))
	}
	w.files["acme/storm.yaml"] = text
	plans := 0
	for p := w.plan(); !p.Next.IsZero(); p = w.plan() {
		if p.Next.Sub(w.now) < time.Second || !p.Next.Equal(p.Next.Truncate(time.Second)) {
			t.Fatalf("made anew %s after the plan of %s", p.Next.Sub(w.now), w.now)
		}
		for _, e := range p.Clusters["shopprod01"].Entries {
			if !e.Expires.IsZero() && !e.Expired(w.now) && p.Next.Sub(e.Expires) > time.Second {
				t.Fatalf("%s expires at %s, and is there until %s", e.Prefix, e.Expires, p.Next)
			}
		}
		w.now = p.Next
		if plans++; plans > 5 {
			t.Fatalf("%d plans for 2 seconds of expiry", plans)
		}
	}
	wantList(t, w.plan(), "shopprod01", office)
}

// A plan made a moment before something ends is not followed at once.
func TestPlanIsNotFollowedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = w.now.Truncate(time.Second).Add(999 * time.Millisecond)
	until := w.now.Add(time.Microsecond)
	guard := &render.Guard{Freeze: []policy.Freeze{{Cluster: policy.WholeSeed, Until: until, Reason: "an audit"}}}
	p := render.Render(render.Input{Policy: w.policy, Inventory: w.inventory, Seed: w.seed, Now: w.now, Guard: guard})
	if got := p.Next.Sub(w.now); got != time.Second {
		t.Errorf("made anew after %s", got)
	}
}
