package browser_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestMarkupIsText: whatever stands in files, their names, clusters' names and
// requests is shown as it is, and does nothing.
func TestMarkupIsText(t *testing.T) {
	t.Parallel()
	h, b := look(t)
	p := b.tab(t, h, desktop(true))
	for path, shown := range map[string][]string{
		"/":                    {`</td></textarea><script>window.harmed=1</script>`},
		"/clusters/" + hostile: {`<img src=x onerror="window.harmed=1">`, "javascript:window.harmed=1", `"><svg onload=window.harmed=1>`, `<b>תל אביב</b>`, "مكتب", hostileName},
		"/explain?cluster=" + hostile + "&address=203.0.113.77":                 {`<b>תל אביב</b>`, hostileName},
		"/explain?cluster=" + escape(harm) + "&address=203.0.113.77":            {`<b>תל אביב</b>`, hostileName},
		"/revisions/customers/" + h.first:                                       {hostile},
		"/revisions/customers/" + h.bad:                                         {"<script>window.harmed=1</script>", hostileName},
		"/draft?source=customers&path=" + escape(stage.Tenants+"/"+hostileName): {`<img src=x onerror=window.harmed=1>`},
		"/?q=" + escape(harm):                                                   {"1 of 8 clusters", hostile},
		"/draft?tenant=acme&file=" + escape(harm) + "&yaml=" + escape(harm):     {"The name of the file"},
		"/draft?tenant=acme&yaml=" + escape("a: "+harm):                         {"It does not pass"},
	} {
		p.open(t, path)
		p.harmless(t)
		text := p.text(t, "main") + ask[string](t, p, `Array.from(document.querySelectorAll("textarea, input"), e => e.value).join("\n")`)
		for _, word := range shown {
			if !strings.Contains(text, word) {
				t.Errorf("%s does not show %q:\n%s", path, word, text)
			}
		}
	}
	for path, status := range map[string]int{
		"/clusters/" + escape(harm):                                                           404,
		"/revisions/" + escape(harm) + "/" + h.first:                                          404,
		"/explain?cluster=" + stage.ShopProd + "&address=" + escape(harm):                     400,
		"/" + escape(harm):                                                                    404,
		"/draft?source=" + escape(harm) + "&tenant=" + escape(harm) + "&yaml=" + escape(harm): 404,
	} {
		p.openAs(t, path, status)
		p.harmless(t)
	}
}

// harmless fails where a text has become markup: a mark that a script left, an
// element that our templates do not have, a link out of the pages.
func (p *tab) harmless(t *testing.T) {
	t.Helper()
	if ask[bool](t, p, `window.harmed !== undefined`) {
		t.Errorf("%s: a script of a file's ran", p.at)
	}
	if odd := p.texts(t, "main script, main img, main svg, main iframe, [onerror], [onload], [style]"); len(odd) > 0 {
		t.Errorf("%s: there are elements %q", p.at, odd)
	}
	for _, to := range ask[[]string](t, p, `Array.from(document.querySelectorAll("a[href], form[action]"), e => e.href || e.action)`) {
		if !strings.HasPrefix(to, p.h.url) {
			t.Errorf("%s: something leads to %s", p.at, to)
		}
	}
	p.quiet(t)
}
