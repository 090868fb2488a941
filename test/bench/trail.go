package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/test/servers"
)

// trail reads the audit log of a control plane, older files included: the API
// server begins a new one every 100 MB, which 10,000 clusters fill.
type trail struct{ dir string }

// events are the requests of one user that came in at or after a moment, but
// before another (zero: until now), in the order in which they came. Leases and
// watches are left out: they come and go by themselves.
func (t *trail) events(user string, from, until time.Time) ([]servers.AuditEvent, error) {
	paths, err := filepath.Glob(filepath.Join(t.dir, "audit*.log"))
	if err != nil {
		return nil, err
	}
	var out []servers.AuditEvent
	for _, path := range paths {
		if about, err := os.Stat(path); err == nil && about.ModTime().Before(from) {
			continue // an older file: nothing was added since
		}
		found, err := eventsIn(path, user)
		if err != nil {
			return nil, fmt.Errorf("read the audit log %s: %w", path, err)
		}
		out = append(out, found...)
	}
	out = slices.DeleteFunc(out, func(e servers.AuditEvent) bool {
		return e.Stage != "ResponseComplete" || e.Verb == "watch" || e.ObjectRef.Resource == "leases" ||
			e.Time.Before(from) || !until.IsZero() && !e.Time.Before(until)
	})
	slices.SortStableFunc(out, func(a, b servers.AuditEvent) int { return a.Time.Compare(b.Time) })
	return out, nil
}

// eventsIn parses the lines of one user alone: most are not.
func eventsIn(path, user string) ([]servers.AuditEvent, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	name := []byte(`"username":"` + user + `"`)
	var out []servers.AuditEvent
	for lines := bufio.NewReaderSize(file, 1<<20); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil // what is left is half a line
		}
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(line, name) {
			continue
		}
		var e servers.AuditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, err
		}
		if e.User.Username == user {
			out = append(out, e)
		}
	}
}

// dry tells whether a request is one that leaves nothing behind.
func dry(e servers.AuditEvent) bool { return strings.Contains(e.RequestURI, "dryRun=All") }

// listWrites are the applies to Clusters that the API server accepted.
func listWrites(events []servers.AuditEvent) []servers.AuditEvent {
	return slices.DeleteFunc(slices.Clone(events), func(e servers.AuditEvent) bool {
		return dry(e) || e.Verb != "patch" || e.ObjectRef.Resource != "clusters" || e.ObjectRef.Subresource != "" || e.ResponseStatus.Code != 200
	})
}

// writes are all requests that change something.
func writes(events []servers.AuditEvent) []servers.AuditEvent {
	return slices.DeleteFunc(slices.Clone(events), func(e servers.AuditEvent) bool {
		return dry(e) || !slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, e.Verb)
	})
}

// perSecond is the rate from the first to the last of some requests; an error
// where they are not as many as they have to be.
func perSecond(events []servers.AuditEvent, want int) (float64, error) {
	if len(events) != want {
		return 0, fmt.Errorf("%d clusters were written %d times", want, len(events))
	}
	span := events[len(events)-1].Time.Sub(events[0].Time)
	return float64(want-1) / span.Seconds(), nil
}

// kinds counts requests by verb and resource, in words.
func kinds(events []servers.AuditEvent) string {
	counts := map[string]int{}
	for _, e := range events {
		what := strings.TrimSuffix(e.ObjectRef.Resource+"/"+e.ObjectRef.Subresource, "/")
		if what == "" {
			what = "discovery"
		}
		if dry(e) {
			what += " (dry run)"
		}
		counts[e.Verb+" "+what]++
	}
	return counted(counts)
}

func counted(counts map[string]int) string {
	var out []string
	for what, n := range counts {
		out = append(out, fmt.Sprintf("%d %s", n, what))
	}
	if len(out) == 0 {
		return "none"
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
