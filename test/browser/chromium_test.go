package browser_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
)

// programs are the names that Chromium goes by, on Debian and elsewhere.
var programs = []string{"chromium", "chromium-browser", "google-chrome"}

func findChromium() (string, error) {
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %v on the PATH: THE PAGES ARE NOT TESTED IN A BROWSER (apt-get install chromium)", programs)
}

// needBrowser skips the test where there is no Chromium or no npm, or fails where
// tests on servers are required.
func needBrowser(t *testing.T) {
	t.Helper()
	_, err := findChromium()
	if _, npm := exec.LookPath("npm"); npm != nil && err == nil {
		err = errors.New("no npm on the PATH, for axe-core: THE PAGES ARE NOT TESTED IN A BROWSER (apt-get install npm)")
	}
	switch {
	case err == nil:
	case os.Getenv("PORTCULLIS_TEST_SERVERS") == "required":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

// browser is one Chromium; tests have tabs of their own in it.
type browser struct {
	ctx  context.Context
	stop func()
}

func openBrowser() (*browser, error) {
	path, err := findChromium()
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WSURLReadTimeout(patience))
	if os.Geteuid() == 0 { // its sandbox wants another user
		options = append(options, chromedp.NoSandbox)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		stop()
		cancel()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return &browser{ctx: ctx, stop: func() { stop(); cancel() }}, nil
}
