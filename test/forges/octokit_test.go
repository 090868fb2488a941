package forges_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/forges"
)

// What comes of a description that cannot be fetched: an error that says why,
// and nothing that a later call would take for one.
func TestDescriptionThatCannotBeFetched(t *testing.T) {
	for name, tt := range map[string]struct {
		npm  string // what npm is; empty: not there
		want string
	}{
		"no npm":          {"", "npm, which fetches it, is not installed"},
		"npm fails":       {"echo no network >&2; exit 1", "no network"},
		"another package": {"echo x | gzip > octokit-openapi-1.tgz", "its sum is"},
		"no package":      {"exit 0", "left 0 files"},
	} {
		t.Run(name, func(t *testing.T) {
			bin, cache := t.TempDir(), t.TempDir()
			if tt.npm != "" {
				if err := os.WriteFile(filepath.Join(bin, "npm"), []byte("#!/bin/sh\nPATH=/bin:/usr/bin\n"+tt.npm+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", bin)
			t.Setenv("HOME", cache)
			t.Setenv("XDG_CACHE_HOME", cache)
			for range 2 {
				_, err := forges.Octokit(t.Context(), func(string) {})
				if err == nil || errors.Is(err, forges.ErrNoNPM) != (tt.npm == "") || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("error %v; want %q", err, tt.want)
				}
			}
			left, err := filepath.Glob(filepath.Join(cache, "*", "*", "*", "*.json"))
			if err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}
