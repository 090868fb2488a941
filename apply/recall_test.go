package apply

import (
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"

	"github.com/portcullis-gitops/portcullis/render"
)

// What an earlier leader knew of the Seed counts until it was read here: the
// state may be older than that.
func TestRecalledRangesGiveWayToThoseRead(t *testing.T) {
	t.Parallel()
	c := &Controller{}
	c.seed = newSeedWatch(types.NamespacedName{Name: "eu-west"}, render.SeedRanges{}, logr.Discard(), func() {}, func() {})
	ranges := func(s string) render.SeedRanges {
		return render.SeedRanges{Known: true, Default: []string{s}}
	}
	c.Recall(ranges("192.0.2.0/24"))
	if got := c.seed.last(); !got.Known || got.Default[0] != "192.0.2.0/24" {
		t.Errorf("before the Seed was read: %+v", got)
	}
	c.seed.take(&Seed{})
	c.Recall(ranges("198.51.100.0/24"))
	if got := c.seed.last(); !got.Known || len(got.Default) != 0 {
		t.Errorf("after it was read: %+v", got)
	}
}
