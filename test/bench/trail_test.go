package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// line is an event of the audit log, so many milliseconds after noon.
func line(user, verb, resource string, code, after int) string {
	return fmt.Sprintf(`{"stage":"ResponseComplete","verb":%q,"user":{"username":%q},"objectRef":{"resource":%q,"name":"c1"},`+
		`"responseStatus":{"code":%d},"requestReceivedTimestamp":%q}`+"\n", verb, user, resource, code,
		noon.Add(time.Duration(after)*time.Millisecond).Format("2006-01-02T15:04:05.000000Z07:00"))
}

func writeTrail(t *testing.T, files map[string]string) *trail {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &trail{dir}
}

func TestTrailReadsOlderFilesAndOneUserAlone(t *testing.T) {
	t.Parallel()
	tr := writeTrail(t, map[string]string{
		"audit.log": line("me", "patch", "clusters", 200, 30) + line("me", "patch", "clusters", 200, 40) +
			`{"stage":"ResponseComplete","user":{"username":"me"},"verb":"pa`, // being written
		"audit-2026-11-22T12-00-00.020.log": line("me", "update", "configmaps", 200, 20) + line("you", "patch", "clusters", 200, 20) +
			line("me", "watch", "clusters", 200, 5) + line("me", "update", "leases", 200, 6),
		"audit.yaml": "not a log",
	})
	events, err := tr.events("me", noon, noon.Add(40*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := kinds(events), "1 patch clusters, 1 update configmaps"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(events) == 2 && events[0].Verb != "update" {
		t.Error("the events are not in the order in which they came")
	}
	if events, err = tr.events("me", noon.Add(40*time.Millisecond), time.Time{}); err != nil || len(events) != 1 {
		t.Errorf("from the last on: got %d events, error %v", len(events), err)
	}
}

func TestTrailRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	tr := writeTrail(t, map[string]string{"audit.log": `{"user":{"username":"me"}` + "\n"})
	if _, err := tr.events("me", noon, time.Time{}); err == nil || !strings.Contains(err.Error(), "audit.log") {
		t.Errorf("a broken line: got %v", err)
	}
}

func TestListWritesAreAcceptedAppliesToClusters(t *testing.T) {
	t.Parallel()
	tr := writeTrail(t, map[string]string{"audit.log": line("me", "patch", "clusters", 200, 0) +
		line("me", "patch", "clusters", 500, 1) + line("me", "get", "clusters", 200, 2) +
		line("me", "create", "events", 201, 3) + line("me", "patch", "clusters", 200, 250)})
	events, err := tr.events("me", noon, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(writes(events)); got != 4 {
		t.Errorf("%d writes, want 4", got)
	}
	rate, err := perSecond(listWrites(events), 2)
	if err != nil || rate != 4 {
		t.Errorf("got %g a second, error %v; want 4", rate, err)
	}
	if _, err := perSecond(listWrites(events), 3); err == nil {
		t.Error("a write is missing, and nobody says so")
	}
}

func TestSawItLeavesOutPollsBeforeAndAfter(t *testing.T) {
	t.Parallel()
	poll := func(after int) servers.Request {
		return servers.Request{Time: noon.Add(time.Duration(after)), Method: "GET", Path: "/allowlists.git/info/refs", Service: "git-upload-pack"}
	}
	fetch := servers.Request{Method: "POST", Path: "/allowlists.git/git-upload-pack"}
	post := servers.Request{Method: "POST", Path: "/allowlists.git/git-receive-pack"}
	at, requests := sawIt([]servers.Request{poll(1), poll(2), fetch, poll(3), post, poll(4), poll(5)})
	if !at.Equal(noon.Add(2)) {
		t.Errorf("the poll is that of %s", at)
	}
	if got, want := gitKinds(requests), "1 POST git-receive-pack, 1 POST git-upload-pack, 2 GET info/refs?git-upload-pack"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, requests = sawIt([]servers.Request{poll(1), poll(2)}); requests != nil {
		t.Errorf("nothing was fetched, and yet: %s", gitKinds(requests))
	}
}
