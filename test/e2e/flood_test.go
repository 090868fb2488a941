package e2e_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestFileFullOfFaults: what a tenant gets wrong thousands of times neither
// fills the notes and the log that others share, nor holds up anybody.
func TestFileFullOfFaults(t *testing.T) {
	t.Parallel()
	const most = 200_000 // bytes: a forge's limit is below, and so is a screen's
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	before := len(p.Run.Log())
	sha := p.write(badPath, badFile+strings.Repeat("    - {cidr: 10.0.0.1/8}\n", 30_000))
	p.await("the check", p.Noted(sha, stage.Failure, p.place(badPath, "10.0.0.1/8")+": error[host-bits]"))
	note, err := p.Note(p.ctx, sha)
	p.must(err)
	if len(note) > most || !strings.Contains(note, "more") {
		t.Errorf("the note has %d bytes, ending in %q", len(note), note[max(0, len(note)-100):])
	}
	next := p.edit(stage.GlobexProject+"/api.yaml", "192.0.2.128/28", "192.0.2.160/27")
	p.await("the other tenant's change", p.Noted(next, stage.Success))
	if grown := len(p.Run.Log()) - before; grown > most {
		t.Errorf("the log grew by %d bytes", grown)
	}
}
