package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// screens is where what pages looked like is left.
var screens = filepath.Join("..", "..", "build", "screens")

// way is how somebody looks at pages.
type way struct {
	name          string
	width, height int64
	phone         bool
	scheme        string // dark, light
	scripts       bool
	projects      string // what the proxy says of the viewer
}

// ways are all that every page is looked at in.
func ways() []way {
	var out []way
	for _, size := range []way{{name: "phone", width: 360, height: 740, phone: true}, {name: "desktop", width: 1280, height: 900}} {
		for _, scheme := range []string{"light", "dark"} {
			for _, scripts := range []bool{true, false} {
				w := size
				w.scheme, w.scripts, w.projects = scheme, scripts, operators
				w.name += "-" + scheme
				if !scripts {
					w.name += "-noscript"
				}
				out = append(out, w)
			}
		}
	}
	return out
}

// desktop is for tests of what pages do, whose looks are others' business.
func desktop(scripts bool) way {
	name := "desktop-light"
	if !scripts {
		name += "-noscript"
	}
	return way{name: name, width: 1280, height: 900, scheme: "light", scripts: scripts, projects: operators}
}

// tab is a tab of the browser in which somebody looks at pages.
type tab struct {
	way
	ctx context.Context
	h   *house
	at  string // path that was opened last

	mu     sync.Mutex
	logged []string
}

// tab opens one; all that the browser logs in it is a fault of the test.
func (b *browser) tab(t *testing.T, h *house, w way) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	var stop context.CancelFunc
	p := &tab{way: w, ctx: ctx, h: h}
	p.do(t) // which opens it: it lives as long as this context
	p.ctx, stop = context.WithTimeout(ctx, 2*patience)
	t.Cleanup(stop)
	if err := chromedp.Listen(p.ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	tell(t, p, network.Enable, network.EnableParams{})
	tell(t, p, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{projectsHeader: w.projects, "X-Forwarded-For": visitor}})
	tell(t, p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: w.width, Height: w.height, DeviceScaleFactor: 1, Mobile: w.phone})
	tell(t, p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: w.scheme}}})
	return p
}

// tell gives the browser a command of its protocol.
func tell[P, R any](t *testing.T, p *tab, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(p.ctx, command, params); err != nil {
		t.Fatalf("%s: %v", p.at, err)
	}
}

func (p *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		t.Fatalf("%s: %v", p.at, err)
	}
}

// ask evaluates an expression in the page; a promise is waited for.
func ask[T any](t *testing.T, p *tab, expression string) T {
	t.Helper()
	out, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", p.at, err)
	}
	return out
}

// listen notes what a person with the browser's tools open would see in red.
func (p *tab) listen(event any) {
	note := func(format string, args ...any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.logged = append(p.logged, fmt.Sprintf(format, args...))
	}
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork || e.Entry.URL != p.h.url+p.at { // of the page itself its status tells
			note("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		note("exception: %v", e.ExceptionDetails)
	case *runtime.EventConsoleAPICalled:
		note("console: %s %v", e.Type, e.Args)
	case *page.EventJavascriptDialogOpening:
		note("dialog: %s", e.Message)
	}
}

// quiet fails the test for all that was logged.
func (p *tab) quiet(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range slices.Compact(p.logged) {
		t.Errorf("%s: the browser logged %s", p.at, line)
	}
	p.logged = nil
}

// scripted has scripts of pages run, or not. What the debugger itself asks of a
// page needs them on, when the page's own have had their chance.
func (p *tab) scripted(t *testing.T, on bool) {
	t.Helper()
	tell(t, p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// load does what leads to another page, and waits for that.
func (p *tab) load(t *testing.T, status int, what ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	p.scripted(t, p.scripts)
	response, err := chromedp.RunResponse(p.ctx, what...)
	if err != nil {
		t.Fatalf("%s: %v", p.at, err)
	}
	p.scripted(t, true)
	if response.Status != int64(status) {
		t.Fatalf("%s: status %d, want %d", p.at, response.Status, status)
	}
}

// open opens a path; its status is to be 200.
func (p *tab) open(t *testing.T, path string) {
	t.Helper()
	p.openAs(t, path, http.StatusOK)
}

func (p *tab) openAs(t *testing.T, path string, status int) {
	t.Helper()
	p.at = path
	p.load(t, status, chromedp.Navigate(p.h.url+path))
}

// text is what a person reads of the first element of a selector.
func (p *tab) text(t *testing.T, selector string) string {
	t.Helper()
	texts := p.texts(t, selector)
	if len(texts) == 0 {
		t.Fatalf("%s: nothing is %s", p.at, selector)
	}
	return texts[0]
}

// texts are those of all elements of a selector.
func (p *tab) texts(t *testing.T, selector string) []string {
	t.Helper()
	return ask[[]string](t, p, fmt.Sprintf(`Array.from(document.querySelectorAll(%q), e => e.innerText.trim())`, selector))
}

// fits fails where the page is wider than the window.
func (p *tab) fits(t *testing.T) {
	t.Helper()
	if wide := ask[int64](t, p, `document.documentElement.scrollWidth`); wide > p.width {
		who := ask[[]string](t, p, fmt.Sprintf(`Array.from(document.querySelectorAll("body *")).filter(e => e.getBoundingClientRect().right > %d).map(e => e.outerHTML.slice(0, 120))`, p.width))
		t.Errorf("%s: %d pixels wide in a window of %d: %s", p.at, wide, p.width, strings.Join(who, "\n"))
	}
}

// keep leaves what the whole page looks like in build/screens.
func (p *tab) keep(t *testing.T, name string) {
	t.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100)) // 100: PNG
	if err != nil {
		t.Fatalf("%s: %v", p.at, err)
	}
	if err := os.MkdirAll(screens, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(screens, name+"-"+p.name+".png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}
