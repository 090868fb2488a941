package browser_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// inUse has a test use the pages on a phone and on a desktop, dark and light,
// with scripts and without: in four of these ways, which have each two of them
// together.
func inUse(t *testing.T, test func(t *testing.T, h *house, p *tab)) {
	t.Parallel()
	h, b := look(t)
	for _, w := range ways() {
		if (w.phone == (w.scheme == "dark")) != w.scripts {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			p := b.tab(t, h, w)
			test(t, h, p)
			p.quiet(t)
		})
	}
}

// location is what stands in the browser's address line.
func (p *tab) location(t *testing.T) *url.URL {
	t.Helper()
	u, err := url.Parse(ask[string](t, p, `document.location.href`))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestFilter: by words and by choice, and by the chips above.
func TestFilter(t *testing.T) {
	inUse(t, func(t *testing.T, _ *house, p *tab) {
		p.open(t, "/")
		all := len(p.texts(t, "tbody tr"))
		p.do(t, chromedp.SetValue(chromedp.CSS("#tenant"), "acme"))
		p.load(t, 200, chromedp.SendKeys(chromedp.CSS("#q"), "shop-prod"+kb.Enter))
		if q := p.location(t).Query(); q.Get("tenant") != "acme" || q.Get("q") != "shop-prod" {
			t.Errorf("the address of the filter is %v", q)
		}
		if rows := p.texts(t, "tbody tr th"); len(rows) != 1 || !strings.Contains(rows[0], stage.ShopProd) {
			t.Errorf("clusters shop-prod of acme: %q", rows)
		}
		if value := ask[string](t, p, `document.querySelector("#q").value`); value != "shop-prod" {
			t.Errorf("the filter shows %q", value)
		}
		p.open(t, "/")
		p.load(t, 200, chromedp.Click(chromedp.CSS(".chips a")))
		state := strings.Fields(p.text(t, ".chips a[aria-current]"))
		rows := p.texts(t, "tbody tr td[data-label=State]")
		if len(rows) == 0 || len(rows) == all {
			t.Fatalf("%d of %d clusters are %v", len(rows), all, state)
		}
		for _, row := range rows {
			if !strings.Contains(row, state[1]) {
				t.Errorf("among the clusters that are %s: %q", state[1], row)
			}
		}
	})
}

// TestExplanation: the page answers as `portcullis explain` does, and leads to
// the line that lets in.
func TestExplanation(t *testing.T) {
	inUse(t, func(t *testing.T, h *house, p *tab) {
		for address, in := range map[string]bool{"203.0.113.10": true, "2001:db8:17::1": true, "192.0.2.99": false} {
			p.open(t, "/clusters/"+stage.ShopProd)
			p.load(t, 200, chromedp.SetValue(chromedp.CSS("#address"), address), chromedp.Click(chromedp.CSS("main form button")))
			answer := p.text(t, "#answer")
			if want := address + ": let in"; in != strings.HasPrefix(answer, want) {
				t.Errorf("the page says %q", answer)
			}
			out, code, err := h.command(t.Context(), "explain", stage.ShopProd, address, "-C", filepath.Join(h.Work, stage.Tenants), "--policy", h.policy())
			if err != nil || in != (code == 0) {
				t.Errorf("explain says %q, %d, %v", out, code, err)
			}
			place := regexp.MustCompile(`tenants/acme/production\.yaml:\d+`).FindString(out)
			if in && (place == "" || !strings.Contains(p.text(t, "main section"), place)) {
				t.Errorf("the page does not show %q", place)
			}
		}
		p.open(t, "/clusters/"+stage.ShopProd)
		if offered := ask[string](t, p, `document.querySelector("#address").value`); offered != visitor {
			t.Errorf("offered is %q, the caller is %s", offered, visitor)
		}
	})
}

// await waits until an expression is true in the page.
func (p *tab) await(t *testing.T, what, expression string) {
	t.Helper()
	if _, err := chromedp.Run(p.ctx, chromedp.Poll[bool](expression)); err != nil {
		t.Fatalf("%s: wait for %s: %v, on\n%s", p.at, what, err, p.text(t, "main"))
	}
}

// TestDraft: from a snippet to a list that the command accepts, with the rules
// beside it all the way.
func TestDraft(t *testing.T) {
	inUse(t, func(t *testing.T, h *house, p *tab) {
		p.open(t, "/draft?tenant=acme&cluster="+unlisted)
		p.insert(t, "contractor", "Contractor")
		p.await(t, "what it lacks", `document.querySelector("#verdict").innerText.includes("node-egress-missing")`)
		p.insert(t, "nodes", "nodeEgress: [")
		p.insert(t, "group", "group: vpn")
		passes := `document.querySelector("#verdict").innerText.includes("It passes")`
		p.await(t, "a verdict", passes)
		good := ask[string](t, p, `document.querySelector("#yaml").value`)
		for _, part := range []string{unlisted, "Contractor", "expires: ", "group: vpn"} {
			if !strings.Contains(good, part) {
				t.Errorf("the draft has no %q:\n%s", part, good)
			}
		}
		p.accessible(t)

		p.write(t, strings.Replace(good, "203.0.113.10", "203.0.113.10/8", 1))
		p.await(t, "the fault", `document.querySelector("#verdict").innerText.includes("host-bits")`)
		p.keep(t, "draft-fault")
		p.accessible(t)
		p.write(t, good)
		p.await(t, "that it passes again", passes)
		p.keep(t, "draft-done")
		checked(t, h, good)
	})
}

// TestDraftBeginsForTheTenant that is chosen, and begins anew for nobody who has
// written something.
func TestDraftBeginsForTheTenant(t *testing.T) {
	inUse(t, func(t *testing.T, _ *house, p *tab) {
		p.open(t, "/draft")
		begun := `document.querySelector("#yaml").value.includes("clusters: [` + unlisted + `]")`
		p.choose(t, "acme")
		p.await(t, "a list for acme's", begun)
		p.await(t, "acme's snippets", `!!document.querySelector("button[value=group]")`)
		p.insert(t, "nodes", "nodeEgress: [")
		p.await(t, "a verdict", `document.querySelector("#verdict").innerText.includes("It passes")`)
		p.accessible(t)
		own := ask[string](t, p, `document.querySelector("#yaml").value`) + "# mine\n"
		p.write(t, own)
		p.choose(t, stage.GlobexProject)
		p.await(t, "what another tenant may not", `document.querySelector("#verdict").innerText.includes("foreign-cluster")`)
		if text := ask[string](t, p, `document.querySelector("#yaml").value`); !strings.HasPrefix(text, own) {
			t.Errorf("what was written is lost:\n%s", text)
		}
	})
}

func (p *tab) choose(t *testing.T, tenant string) {
	t.Helper()
	p.do(t, chromedp.SetValue(chromedp.CSS("#tenant"), tenant))
	if !p.scripts {
		p.load(t, 200, chromedp.Click(chromedp.CSS("#check")))
		return
	}
	ask[bool](t, p, `document.querySelector("#tenant").dispatchEvent(new Event("input", {bubbles: true}))`)
}

// insert presses a snippet's button: with scripts the page stays, and so does the
// place that one is at.
func (p *tab) insert(t *testing.T, snippet, text string) {
	t.Helper()
	button := "button[value=" + snippet + "]"
	if !p.scripts {
		p.load(t, 200, chromedp.Click(chromedp.CSS(button)))
		return
	}
	p.do(t, chromedp.Click(chromedp.CSS(button)))
	p.await(t, snippet, `document.querySelector("#yaml").value.includes("`+text+`")`)
	if here := p.focused(t); here != p.text(t, button) {
		t.Errorf("after %s the focus is on %q", snippet, here)
	}
}

// write replaces the draft as a person would: with scripts it is judged by
// itself, without by the button.
func (p *tab) write(t *testing.T, text string) {
	t.Helper()
	p.do(t, chromedp.SetValue(chromedp.CSS("#yaml"), text))
	if !p.scripts {
		p.load(t, 200, chromedp.Click(chromedp.CSS("#check")))
		return
	}
	p.do(t, chromedp.SendKeys(chromedp.CSS("#yaml"), " ")) // a key, at the end of the text
}

// checked has the command judge a draft among the other files.
func checked(t *testing.T, h *house, text string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), stage.Tenants)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(h.Work, stage.Tenants))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "acme", "allowlist.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code, err := h.command(context.Background(), "check", "--policy", h.policy(), dir)
	if err != nil || code != 0 {
		t.Errorf("check of the draft: %d, %v\n%s\n%s", code, err, out, text)
	}
}

// TestKeyboard: the first key leads past the head of the page, the next ones
// through all there is to do, in the order in which it is read.
func TestKeyboard(t *testing.T) {
	inUse(t, func(t *testing.T, _ *house, p *tab) {
		p.open(t, "/")
		p.do(t, chromedp.KeyEvent(kb.Tab))
		if here := p.focused(t); here != "Skip to the content" {
			t.Fatalf("the first is %q", here)
		}
		if left := ask[float64](t, p, `document.activeElement.getBoundingClientRect().left`); left < 0 {
			t.Error("the link past the head cannot be seen when it has the focus")
		}
		p.do(t, chromedp.KeyEvent(kb.Enter))
		p.await(t, "the focus on the content", `document.activeElement.id === "main"`)
		want := []string{"#q", "#state", "#tenant", "#datacenter", "Show"}
		var seen []string
		for range 60 {
			p.do(t, chromedp.KeyEvent(kb.Tab))
			here := p.focused(t)
			if here == "" {
				break
			}
			if ask[string](t, p, `getComputedStyle(document.activeElement).outlineStyle`) == "none" {
				t.Errorf("the focus on %s cannot be seen", here)
			}
			if seen = append(seen, here); len(want) > 0 && here == want[0] {
				want = want[1:]
			}
		}
		if len(want) > 0 {
			t.Errorf("by keyboard there is no %v in %q", want, seen)
		}
		if rows := p.texts(t, "tbody th a"); len(rows) == 0 || !strings.Contains(strings.Join(seen, "\n"), strings.Join(strings.Fields(rows[0]), " ")) {
			t.Errorf("no key leads to %q: %q", rows, seen)
		}
	})
}

// focused is what has the focus: the ID of a field, else the text; empty where
// nothing has.
func (p *tab) focused(t *testing.T) string {
	t.Helper()
	return ask[string](t, p, `(e => e === document.body ? "" : e.matches("input, select, textarea") ? "#" + e.id : (e.innerText || e.getAttribute("aria-label") || e.tagName).trim().replace(/\s+/g, " "))(document.activeElement)`)
}

// TestDraftWhileThePagesAreAway: what was judged before does not stay beside a
// text that it is not of, and is there again once the pages are.
func TestDraftWhileThePagesAreAway(t *testing.T) {
	t.Parallel()
	h, b := look(t)
	p := b.tab(t, h, desktop(true))
	p.open(t, "/draft?tenant=acme&cluster="+unlisted)
	p.insert(t, "nodes", "nodeEgress: [")
	passes := `document.querySelector("#verdict").innerText.includes("It passes")`
	p.await(t, "a verdict", passes)
	p.write(t, ask[string](t, p, `document.querySelector("#yaml").value`)+"# keys go to the end of what is new\n")
	p.await(t, "a verdict on that", passes)
	for said, answer := range map[string]string{
		"the console does not answer":   `() => Promise.reject(new TypeError("away"))`,
		"you may have to sign in":       `async () => new Response("<title>Sign in</title><p>It passes</p>", {status: 200})`,
		"load the page again":           `async () => new Response("no such page", {status: 403})`,
		"Too many requests at once":     `async () => new Response("<main><p>Too many requests at once</p></main>", {status: 503})`,
		"There is nothing of this here": `async () => new Response("<main><p>There is nothing of this here</p></main>", {status: 404})`,
	} {
		ask[int](t, p, `(window.real ??= window.fetch, window.fetch = `+answer+`, 0)`)
		p.do(t, chromedp.SendKeys(chromedp.CSS("#yaml"), " "))
		p.await(t, said, `document.querySelector("#verdict").innerText.includes("`+said+`")`)
		if ask[bool](t, p, passes) {
			t.Errorf("%s, and yet it passes", said)
		}
		p.accessible(t)
		ask[int](t, p, `(window.fetch = window.real, 0)`)
		p.do(t, chromedp.SendKeys(chromedp.CSS("#yaml"), " "))
		p.await(t, "the verdict after "+said, passes)
	}
	p.quiet(t)
}

// TestCopy: the draft is taken along by a button, where there are scripts; where
// the browser does not let it, it says so, and the text is selected.
func TestCopy(t *testing.T) {
	inUse(t, func(t *testing.T, _ *house, p *tab) {
		p.open(t, "/draft?tenant=acme&cluster="+unlisted)
		if !p.scripts {
			if shown := ask[bool](t, p, `document.querySelector("#copy").checkVisibility()`); shown {
				t.Error("there is a button that does nothing")
			}
			return
		}
		said := `document.querySelector("#copied").textContent`
		clipboard := `navigator.clipboard.writeText = async text => { %s }`
		ask[bool](t, p, fmt.Sprintf(`(`+clipboard+`, true)`, `window.taken = text`))
		p.do(t, chromedp.Click(chromedp.CSS("#copy")))
		p.await(t, "that it is copied", said+` === "Copied."`)
		if ask[string](t, p, `window.taken`) != ask[string](t, p, `document.querySelector("#yaml").value`) {
			t.Error("something else was copied than is written")
		}
		ask[bool](t, p, fmt.Sprintf(`(`+clipboard+`, true)`, `throw new Error("no")`))
		p.do(t, chromedp.Click(chromedp.CSS("#copy")))
		p.await(t, "that it is not", said+`.includes("does not let this page copy")`)
		if !ask[bool](t, p, `(t => t.selectionStart === 0 && t.selectionEnd === t.value.length)(document.querySelector("#yaml"))`) {
			t.Error("the text is not selected")
		}
		p.accessible(t)
	})
}
