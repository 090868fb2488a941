package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clock is a second later each time it is asked.
func clock(start time.Time, step time.Duration) func() time.Time {
	return func() time.Time {
		start = start.Add(step)
		return start
	}
}

// TestProgressOfALargeTree counts 10,000 files, from the third second on.
func TestProgressOfALargeTree(t *testing.T) {
	t.Parallel()
	const files = 10_000
	dir := t.TempDir()
	for i := range files {
		name := fmt.Sprintf("c%05d", i)
		writeFile(t, filepath.Join(dir, fmt.Sprintf("tenant%02d", i%100), name+".yaml"),
			"apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: "+name+"}\nspec: {clusters: ["+name+"], nodeEgress: none, entries: [{cidr: 203.0.113.7}]}\n")
	}
	var told bytes.Buffer
	o := &offline{progress: startProgress(&told, clock(exampleNow, time.Second))}
	plan, read, _, err := o.load(context.Background(), dir, exampleNow)
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != files || len(plan.Clusters) != files {
		t.Errorf("read %d files, %d clusters", len(read), len(plan.Clusters))
	}
	lines := strings.Split(strings.TrimPrefix(told.String(), clearLine), clearLine)
	last := 0
	for i, line := range lines[:len(lines)-1] {
		var done, all int
		if _, err := fmt.Sscanf(line, "read %d of %d files", &done, &all); err != nil || all != files || done <= last {
			t.Errorf("line %d is %q, after %d", i, line, last)
		}
		last = done
	}
	if last != files || lines[len(lines)-1] != "" {
		t.Errorf("ends with %q", lines[len(lines)-1])
	}
}

func TestProgressIsSilent(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := startProgress(&out, clock(exampleNow, time.Millisecond)) // all within two seconds
	for i := range 1000 {
		p.at(i+1, 1000)
	}
	p.end()
	if out.Len() > 0 {
		t.Errorf("within two seconds it told %q", out.String())
	}
	p = startProgress(&out, clock(exampleNow, 2*time.Second))
	p.at(1, 10)
	if got := out.String(); got != clearLine+"read 1 of 10 files" {
		t.Errorf("after two seconds it told %q", got)
	}
	if p := newProgress(&out, time.Now); p != nil {
		t.Error("it tells where nobody watches")
	}
	(*progress)(nil).at(1, 2)
	(*progress)(nil).end()
}
