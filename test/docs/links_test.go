package docs

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestLinksLeadSomewhere follows each relative link of each page, and its
// anchor where that is in a page.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	root, pages := allPages(t)
	anchors := map[string]map[string]bool{}
	for _, p := range pages {
		anchors[p.Path] = p.Anchors()
	}
	followed := 0
	for _, p := range pages {
		for _, l := range p.Links() {
			if strings.Contains(l.Target, "://") || strings.HasPrefix(l.Target, "mailto:") {
				continue
			}
			followed++
			name, at, _ := strings.Cut(l.Target, "#")
			to := path.Join(path.Dir(p.Path), name)
			if name == "" {
				to = p.Path
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(to))); err != nil {
				t.Errorf("%s:%d: the link %s leads nowhere: %v", p.Path, l.Line, l.Target, err)
				continue
			}
			if at != "" && !anchors[to][at] {
				t.Errorf("%s:%d: the link %s leads to no heading of %s", p.Path, l.Line, l.Target, to)
			}
		}
	}
	if followed == 0 {
		t.Error("no links were found")
	}
}

// allPages are the project's pages, and its root.
func allPages(t *testing.T) (string, []Page) {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := Pages(root)
	if err != nil {
		t.Fatal(err)
	}
	return root, pages
}

// onePage is a page by its path.
func onePage(t *testing.T, name string) Page {
	t.Helper()
	_, pages := allPages(t)
	for _, p := range pages {
		if p.Path == name {
			return p
		}
	}
	t.Fatalf("there is no page %s", name)
	return Page{}
}
