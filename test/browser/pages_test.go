package browser_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// sight is a page to look at.
type sight struct {
	name, path string
	status     int // 0: 200
}

// sights are all pages, each as full and as empty as it gets.
func sights(h *house) []sight {
	return []sight{
		{name: "fleet", path: "/"},
		{name: "fleet-filtered", path: "/?tenant=acme&q=shop"},
		{name: "fleet-none", path: "/?q=nothing-is-called-that"},
		{name: "cluster", path: "/clusters/" + stage.ShopProd},
		{name: "cluster-held", path: "/clusters/" + stage.ShopStaging},
		{name: "cluster-waiting", path: "/clusters/" + stage.Edge},
		{name: "cluster-unlisted", path: "/clusters/" + unlisted},
		{name: "cluster-hostile", path: "/clusters/" + hostile},
		{name: "explain", path: "/explain"},
		{name: "explain-in", path: "/explain?cluster=shop-prod&address=" + visitor},
		{name: "explain-out", path: "/explain?cluster=" + stage.ShopProd + "&address=192.0.2.99"},
		{name: "explain-fault", path: "/explain?cluster=" + stage.ShopProd + "&address=10.0.0.999", status: http.StatusBadRequest},
		{name: "revision", path: "/revisions/customers/" + h.first},
		{name: "revision-bad", path: "/revisions/customers/" + h.bad},
		{name: "revision-held", path: "/revisions/customers/" + h.held},
		{name: "draft", path: "/draft"},
		{name: "draft-cluster", path: "/draft?tenant=acme&cluster=" + unlisted},
		{name: "draft-file", path: "/draft?source=customers&path=tenants/acme/production.yaml"},
		{name: "nothing", path: "/nothing", status: http.StatusNotFound},
	}
}

// TestPages looks at every page in every way.
func TestPages(t *testing.T) {
	t.Parallel()
	h, b := look(t)
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			p := b.tab(t, h, w)
			for _, s := range sights(h) {
				if s.status == 0 {
					s.status = http.StatusOK
				}
				p.openAs(t, s.path, s.status)
				p.fits(t)
				p.keep(t, s.name)
				p.accessible(t)
				p.quiet(t)
			}
		})
	}
}

// TestWidthsBetween: nothing is wider than the window on a small phone, a phone
// held across, a tablet, and on both sides of where the pages change.
func TestWidthsBetween(t *testing.T) {
	t.Parallel()
	h, b := look(t)
	for _, width := range []int64{320, 640, 900, 901, 1100, 1279} {
		t.Run(strconv.FormatInt(width, 10), func(t *testing.T) {
			t.Parallel()
			w := desktop(true)
			w.width = width
			p := b.tab(t, h, w)
			for _, s := range sights(h) {
				if s.status == 0 {
					p.open(t, s.path)
					p.fits(t)
				}
			}
			p.quiet(t)
		})
	}
}
