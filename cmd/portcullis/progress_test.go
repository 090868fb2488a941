package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/apply"
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
		if _, err := fmt.Sscanf(line, "reading files: %d of %d", &done, &all); err != nil || all != files || done <= last {
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
		p.at(readingFiles, i+1, 1000)
	}
	p.end()
	if out.Len() > 0 {
		t.Errorf("within two seconds it told %q", out.String())
	}
	p = startProgress(&out, clock(exampleNow, 2*time.Second))
	p.at(readingFiles, 1, 10)
	if got := out.String(); got != clearLine+"reading files: 1 of 10" {
		t.Errorf("after two seconds it told %q", got)
	}
	if p := newProgress(&out, time.Now); p != nil {
		t.Error("it tells where nobody watches")
	}
	(*progress)(nil).at(readingFiles, 1, 2)
	(*progress)(nil).end()
}

// pagesOf is a seed with that many Clusters, by pages.
type pagesOf struct {
	client.Reader
	clusters int
}

func (s pagesOf) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(options)
	begin, _ := strconv.Atoi(o.Continue)
	page := list.(*apply.ClusterList)
	for i := begin; i < min(begin+int(o.Limit), s.clusters); i++ {
		page.Items = append(page.Items, apply.Cluster{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("c%05d", i)}})
	}
	if end := begin + len(page.Items); end < s.clusters {
		left := int64(s.clusters - end)
		page.Continue, page.RemainingItemCount = strconv.Itoa(end), &left
	}
	return nil
}

// TestProgressOfALargeSeed tells of each page of Clusters that --live and import
// read, and of how many there are.
func TestProgressOfALargeSeed(t *testing.T) {
	t.Parallel()
	var told bytes.Buffer
	p := startProgress(&told, clock(exampleNow, 2*time.Second))
	known, err := apply.ReadInventory(context.Background(), p.seed(pagesOf{clusters: 1200}), types.NamespacedName{})
	if err != nil || len(known.Clusters) != 1200 {
		t.Fatalf("%d clusters, %v", len(known.Clusters), err)
	}
	p.end()
	line := clearLine + "reading clusters: %d of 1200"
	if want := fmt.Sprintf(line+line+line+clearLine, 500, 1000, 1200); told.String() != want {
		t.Errorf("it told %q, want %q", told.String(), want)
	}
}

// TestProgressOfADiff tells of both of the trees that are compared.
func TestProgressOfADiff(t *testing.T) {
	t.Parallel()
	const files = 250
	dir := t.TempDir()
	inGit(t, dir, "init", "-q", "-b", "main")
	for i := range files {
		name := fmt.Sprintf("c%05d", i)
		writeFile(t, filepath.Join(dir, "acme", name+".yaml"),
			"apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: "+name+"}\nspec: {clusters: ["+name+"], nodeEgress: none, entries: [{cidr: 203.0.113.7}]}\n")
	}
	inGit(t, dir, "add", ".")
	inGit(t, dir, "commit", "-q", "-m", "all")
	var told, out bytes.Buffer
	o := &diffOptions{dir: dir, output: "text"}
	o.progress = startProgress(&told, clock(exampleNow, 2*time.Second))
	if err := o.run(context.Background(), nil, &out, exampleNow); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(told.String(), fmt.Sprintf("reading files: %d of %d", files, files)); got != 2 || !strings.HasSuffix(told.String(), clearLine) {
		t.Errorf("it told %q", told.String())
	}
}
